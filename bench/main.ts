// main.ts: `npm run bench`, behind the launcher: a run, all runs of the evaluation, or the benchmarks' own tests. The
// launcher refuses what cannot be used.
//
// Exit codes: 0 done, 1 nothing could be measured or a scenario failed, 2 wrong usage, 130 ended by Ctrl-C. Bars do not
// count: they are for readers to judge.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { runEvaluation } from './evaluation/evaluation.js';
import { parseBenchOptions } from './run/bench-options.js';
import { runBench } from './run/bench-run.js';
import { onInterrupts } from './run/interrupts.js';
import { BENCH_FOLDER, ROOT } from './run/paths.js';
import { endServers } from './store/server-process.js';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_SIGINT = 130;

/** @param argv the words behind `npm run bench --`. @throws UsageError where a folder cannot be written to */
export async function main(argv: string[]): Promise<number> {
  switch (argv[0]) {
    case 'evaluation':
      return runEvaluation(argv.slice(1));
    case 'test':
      return test(argv.slice(1));
    default:
      return measure(argv);
  }
}

async function measure(argv: readonly string[]): Promise<number> {
  const options = parseBenchOptions(argv);
  const abort = new AbortController();
  const endAtOnce = (): never => {
    endServers();
    process.exit(EXIT_SIGINT);
  };
  onInterrupts({ first: () => abort.abort(), second: endAtOnce });
  const command = ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' ');
  const { results, reportPath, failedScenarios } = await runBench(options, command, abort.signal);
  process.stdout.write(`\n${path.resolve(reportPath)}\n`);
  if (abort.signal.aborted) return EXIT_SIGINT;
  const isEmpty = results.rows.length + results.figures.length === 0;
  return isEmpty || failedScenarios > 0 ? EXIT_FAILED : EXIT_OK;
}

/** The benchmarks' tests run where their packages are; the root's `npm test` needs none of these. */
function test(argv: readonly string[]): number {
  const ava = path.join(ROOT, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const { status } = spawnSync(process.execPath, [ava, ...argv], { cwd: BENCH_FOLDER, stdio: 'inherit' });
  return status ?? EXIT_FAILED;
}
