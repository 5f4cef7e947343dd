// evaluation.ts: `npm run bench -- evaluation`: measures everything that docs/evaluation.md tells, one run after another,
// puts the plots into docs/evaluation, and prints the tables to copy the figures from.
//
//   bench/results/<time>-evaluation/<step>/   the report of each run        …/tables.md   the tables
//
// Each run is a process of its own, as the page's readers start it. One that fails is named, and the others go on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchUsageError } from '../run/bench-options.js';
import { folderName } from '../run/bench-run.js';
import { onInterrupts } from '../run/interrupts.js';
import { RESULTS_FOLDER, ROOT } from '../run/paths.js';
import type { BenchResults } from '../run/results.js';
import { readResults } from '../run/results-file.js';
import { STEPS, type Step } from './steps.js';
import { renderTables } from './tables.js';

const LAUNCHER = path.join(ROOT, 'dist', 'bench', 'launch.js');
const PLOTS_FOLDER = path.join(ROOT, 'docs', 'evaluation');

/** How it went. */
export interface EvaluationOutcome {
  readonly failed: readonly string[];
  readonly isAborted: boolean;
}

/**
 * @param words names of steps, all if there are none; `--quick` for a look at the tables, which leaves the plots as
 *   they are
 * @throws BenchUsageError
 */
export async function runEvaluation(words: readonly string[]): Promise<EvaluationOutcome> {
  const isQuick = words.includes('--quick');
  const steps = chosenSteps(words.filter((word) => word !== '--quick'));
  const folder = path.join(RESULTS_FOLDER, `${folderName(new Date())}-evaluation`);
  await mkdir(folder, { recursive: true });
  let isAborted = false;
  // The run under way ends by the same Ctrl-C.
  const abort = (): void => {
    isAborted = true;
  };
  onInterrupts({ first: abort, second: abort });
  const results = new Map<string, BenchResults>();
  const failed: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (isAborted) break;
    process.stderr.write(`\n${index + 1} of ${steps.length}: ${describeStep(step)}\n`);
    const out = path.join(folder, step.name);
    if ((await runStep(step, out, isQuick)) === 0) {
      results.set(step.name, await readResults(path.join(out, 'results.json')));
      if (!isQuick) await copyPlots(step, out);
    } else if (!isAborted) failed.push(step.name);
  }
  const tables = renderTables(results);
  await writeFile(path.join(folder, 'tables.md'), tables);
  process.stdout.write(`\n${tables}\n${path.join(folder, 'tables.md')}\n`);
  return { failed, isAborted };
}

function chosenSteps(names: readonly string[]): readonly Step[] {
  const unknown = names.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    const known = STEPS.map((step) => step.name).join(', ');
    throw new BenchUsageError(`unknown step ${JSON.stringify(unknown)}: it must be one of ${known}`);
  }
  return names.length === 0 ? STEPS : STEPS.filter((step) => names.includes(step.name));
}

/** As one would type it. */
function describeStep({ argv, env = {} }: Step): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  return `${settings.join('')}npm run bench -- ${argv.join(' ')}`;
}

async function runStep({ argv, env, nodeMajor }: Step, out: string, isQuick: boolean): Promise<number | null> {
  const words = [LAUNCHER, 'bench', ...argv, '--out', out, ...(isQuick ? ['--quick'] : [])];
  const isOtherNode = nodeMajor !== undefined && !process.version.startsWith(`v${nodeMajor}.`);
  const [command, ...args] = isOtherNode
    ? ['npm', 'exec', '--yes', `--package=node@${nodeMajor}`, '--', 'node', ...words]
    : [process.execPath, ...words];
  const child = spawn(command!, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

async function copyPlots({ plots = [] }: Step, out: string): Promise<void> {
  await mkdir(PLOTS_FOLDER, { recursive: true });
  for (const plot of plots) {
    await copyFile(path.join(out, 'charts', `${plot}.svg`), path.join(PLOTS_FOLDER, `${plot}.svg`));
  }
}
