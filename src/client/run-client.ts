// run-client.ts: the load client from its flags to its exit code.
//
// Results go to stdout; the progress line to stderr, and only where that is a terminal. Ctrl-C ends the run, prints what
// was measured so far and leaves with 130 (SIGTERM: 143), as programs that are ended by a signal do.

import { wantsHelp } from '../flags.js';
import { EXIT_FAILED, EXIT_OK, EXIT_SIGINT, EXIT_SIGTERM, waitForStop } from '../process-end.js';
import { type ClientSettings, clientHelp, parseClientSettings } from './client-settings.js';
import { formatJson, formatText } from './load-report.js';
import { LoadRun } from './load-run.js';
import { StoreUnreachable } from './store-connection.js';
import type { Tally } from './tally.js';

const PROGRESS_INTERVAL_MS = 250;
const MS_PER_S = 1000;

/**
 * Runs the load client.
 *
 * @param argv the flags behind the command
 * @returns the exit code
 * @throws UsageError for flags that do not fit, StoreUnreachable when nothing could be measured: each message is one line
 */
export async function runClient(argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(`${clientHelp()}\n`);
    return EXIT_OK;
  }
  const settings = parseClientSettings(argv, process.env);
  const run = new LoadRun(settings);
  let exitCode: number = EXIT_OK;
  void waitForStop().then((reason) => {
    exitCode = reason === 'SIGINT' ? EXIT_SIGINT : EXIT_SIGTERM;
    run.stop();
  });
  const endProgress = showProgress(run);

  let unreachable: StoreUnreachable | undefined;
  try {
    await run.run();
  } catch (error) {
    if (!(error instanceof StoreUnreachable)) throw error;
    unreachable = error;
  } finally {
    endProgress();
  }
  // Nothing measured: the one line of the error says it all. Otherwise what was measured is printed, then the reason.
  const wasMeasured = run.query.count + run.query.errors > 0;
  if (wasMeasured || exitCode !== EXIT_OK) print(run, settings);
  if (exitCode !== EXIT_OK) return exitCode;
  if (unreachable !== undefined) throw unreachable;
  if (run.query.errors + run.order.errors === 0) return EXIT_OK;
  process.stderr.write(`${failures('query', 'queries', run.query)}, ${failures('order', 'orders', run.order)}\n`);
  return EXIT_FAILED;
}

/** `2 of 1000 queries failed`. */
function failures(one: string, many: string, { count, errors }: Tally): string {
  const all = count + errors;
  return `${errors} of ${all} ${all === 1 ? one : many} failed`;
}

function print(run: LoadRun, settings: ClientSettings): void {
  const summary = run.summary();
  if (settings.json) {
    process.stdout.write(formatJson(summary));
    return;
  }
  const lastErrors = [run.query.lastError, run.order.lastError].filter((error) => error !== undefined);
  process.stdout.write(formatText(summary, settings, lastErrors));
}

/** Draws the progress line until the returned function is called, which wipes it. */
function showProgress(run: LoadRun): () => void {
  if (!process.stderr.isTTY) return () => {};
  const start = performance.now();
  const timer = setInterval(() => {
    const { query, order, throughput } = run.summary();
    const done = run.progress;
    const left = done > 0 ? ((performance.now() - start) * (1 - done)) / done / MS_PER_S : undefined;
    const errors = query.errors + order.errors;
    process.stderr.write(
      `\r${Math.floor(done * 100)}%  ${query.count} queries, ${order.count} orders, ${errors} errors, ` +
        `${Math.round(throughput)}/s${left === undefined ? '' : `, ${Math.ceil(left)} s left`}\x1b[K`,
    );
  }, PROGRESS_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
