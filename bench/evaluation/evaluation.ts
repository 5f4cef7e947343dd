// evaluation.ts: `npm run bench -- evaluation`: measures everything that docs/evaluation.md tells, one run after another,
// puts the plots into docs/evaluation, and prints the tables to copy the figures from.
//
//   bench/results/<time>-evaluation/<step>/   the report of each run, with its tables.md
//
// Each run is a process of its own, as the page's readers start it. One that fails is named, and the others go on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { folderName } from '../run/bench-run.js';
import { onInterrupts } from '../run/interrupts.js';
import { RESULTS_FOLDER, ROOT } from '../run/paths.js';
import { chosenSteps, type Step } from './steps.js';

const LAUNCHER = path.join(ROOT, 'dist', 'bench', 'launch.js');
const PLOTS_FOLDER = path.join(ROOT, 'docs', 'evaluation');
const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_SIGINT = 130;

/**
 * @param words names of steps, all if there are none; `--quick` for a look at the tables, which leaves the plots as
 *   they are
 * @returns the exit code
 * @throws UsageError
 */
export async function runEvaluation(words: readonly string[]): Promise<number> {
  const { steps, isQuick } = chosenSteps(words);
  const folder = path.join(RESULTS_FOLDER, `${folderName(new Date())}-evaluation`);
  let isAborted = false;
  // The run under way ends by the same Ctrl-C.
  const abort = (): void => {
    isAborted = true;
  };
  onInterrupts({ first: abort, second: abort });
  const failed: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (isAborted) break;
    process.stderr.write(`\n${index + 1} of ${steps.length}: npm run bench -- ${step.argv.join(' ')}\n`);
    const out = path.join(folder, step.name);
    const code = await runStep(step, out, isQuick);
    if (code !== EXIT_OK && !isAborted) failed.push(step.name);
    if (code !== EXIT_OK) continue;
    if (!isQuick) await copyPlots(step, out);
    process.stdout.write(`\n# ${step.name}\n\n${await readFile(path.join(out, 'tables.md'), 'utf8')}`);
  }
  process.stdout.write(`\n${folder}\n`);
  if (failed.length > 0) process.stderr.write(`not measured: ${failed.join(', ')}\n`);
  if (isAborted) return EXIT_SIGINT;
  return failed.length === 0 ? EXIT_OK : EXIT_FAILED;
}

async function runStep({ argv, nodeMajor }: Step, out: string, isQuick: boolean): Promise<number | null> {
  const words = [LAUNCHER, 'bench', ...argv, '--out', out, ...(isQuick ? ['--quick'] : [])];
  const isOtherNode = nodeMajor !== undefined && !process.version.startsWith(`v${nodeMajor}.`);
  const [command, ...args] = isOtherNode
    ? ['npm', 'exec', '--yes', `--package=node@${nodeMajor}`, '--', 'node', ...words]
    : [process.execPath, ...words];
  const child = spawn(command!, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function copyPlots({ plots = [] }: Step, out: string): Promise<void> {
  await mkdir(PLOTS_FOLDER, { recursive: true });
  for (const plot of plots) {
    await copyFile(path.join(out, 'charts', `${plot}.svg`), path.join(PLOTS_FOLDER, `${plot}.svg`));
  }
}
