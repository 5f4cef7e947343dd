// run-chaos.ts: `npm run chaos`, from its flags to its exit code.
//
// The summary goes to stdout; a progress line to stderr, only where that is a terminal. The store runs in a process group
// of its own, so that Ctrl-C ends the run and not the store that is still to be checked. A second Ctrl-C ends it all.

import { wantsHelp } from '../../src/flags.js';
import { EXIT_FAILED, EXIT_OK, waitForStop } from '../../src/process-end.js';
import { reportFatal } from '../../src/run-service.js';
import { formatProgress, formatResult, replayCommand } from './chaos-report.js';
import { type ChaosProgress, type ChaosResult, runChaos } from './chaos-run.js';
import { CHAOS_HELP, type ChaosSettings, parseChaosSettings } from './chaos-settings.js';
import { CHAOS_SHELF } from './shelf.js';

const PROGRESS_INTERVAL_MS = 250;

async function run(argv: readonly string[]): Promise<number> {
  if (argv.includes('--postgres') || argv.includes('--cluster')) {
    return (await import('./run-database-chaos.js')).runDatabaseChaosCommand(argv);
  }
  if (wantsHelp(argv)) {
    process.stdout.write(CHAOS_HELP);
    return EXIT_OK;
  }
  const settings = parseChaosSettings(argv);
  const closing = new AbortController();
  void waitForStop().then(() => closing.abort());
  if (!settings.json) process.stdout.write(`${replayCommand(settings)}\n`);
  const result = await watch(settings, closing.signal);
  const { json, ...plan } = settings;
  process.stdout.write(json ? `${JSON.stringify({ ...plan, ...result })}\n` : formatResult(result, settings));
  return result.violations.length === 0 ? EXIT_OK : EXIT_FAILED;
}

/** Runs with a progress line. */
async function watch(settings: ChaosSettings, closing: AbortSignal): Promise<ChaosResult> {
  const startedAt = performance.now();
  let progress: ChaosProgress | undefined;
  const timer = setInterval(() => {
    if (progress === undefined || !process.stderr.isTTY) return;
    process.stderr.write(`\r${formatProgress(progress, performance.now() - startedAt)}\x1b[K`);
  }, PROGRESS_INTERVAL_MS);
  try {
    const plan = { ...settings, shelf: CHAOS_SHELF, hasSaboteur: true };
    return await runChaos(plan, closing, (now) => {
      progress = now;
    });
  } finally {
    clearInterval(timer);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

process.exitCode = await run(process.argv.slice(2)).catch(reportFatal);
setImmediate(() => process.exit());
