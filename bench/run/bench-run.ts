// bench-run.ts: one run from its options to its report.
//
// Scenarios run one after another, never side by side: they would measure each other. One that fails is noted and the
// others go on; Ctrl-C ends the one that runs and skips the rest; whatever was measured is reported.

import path from 'node:path';
import { UsageError } from '../../src/flags.js';
import { messageOf } from '../../src/log.js';
import { createDirectory } from '../../src/storage/index.js';
import type { Figure } from '../figures.js';
import { LoadGenerator } from '../load/load-generator.js';
import { renderTerminal } from '../report/terminal-report.js';
import { writeReport } from '../report/write-report.js';
import { scenarios } from '../scenarios/index.js';
import type { ScenarioContext } from '../scenarios/scenario.js';
import type { BenchOptions } from './bench-options.js';
import { readMachineFacts } from './machine.js';
import { NoiseMeter } from './noise.js';
import { RESULTS_FOLDER } from './paths.js';
import { Progress } from './progress.js';
import type { BenchResults, Row } from './results.js';

const MS_PER_S = 1000;

/** How a run ended. */
export interface BenchOutcome {
  readonly results: BenchResults;
  /** The page. */
  readonly reportPath: string;
  readonly failedScenarios: number;
}

/** @param signal aborted by Ctrl-C */
export async function runBench(options: BenchOptions, command: string, signal: AbortSignal): Promise<BenchOutcome> {
  const startedAt = new Date();
  const folder = options.out ?? path.join(RESULTS_FOLDER, folderName(startedAt));
  // Before anything is measured: without it all would be lost.
  await createDirectory(folder).catch((error: Error) => {
    throw new UsageError(`--out: ${messageOf(error)}`);
  });
  const rows: Row[] = [];
  const figures: Figure[] = [];
  const notes = new Set<string>();
  const progress = new Progress(options.scenarios.length);
  const noise: Record<string, number> = {};
  const generator = new LoadGenerator();
  let failedScenarios = 0;
  for (const name of options.scenarios) {
    if (signal.aborted) break;
    const meter = new NoiseMeter();
    const context: ScenarioContext = {
      options,
      generator,
      signal,
      step: (text) => {
        progress.step(text);
        meter.sample();
      },
      addRows: (more) => rows.push(...more.map((row) => ({ scenario: name, ...row }))),
      addFigures: (more) => figures.push(...more.map((figure) => ({ scenario: name, ...figure }))),
      note: (text) => notes.add(`${name}: ${text}`),
    };
    progress.enter(name);
    context.step('starting');
    try {
      await scenarios[name](context);
    } catch (error) {
      failedScenarios += 1;
      context.note(`not measured: ${messageOf(error)}`);
    }
    noise[name] = meter.spread();
  }
  progress.end();
  generator.close();

  const results: BenchResults = {
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / MS_PER_S,
    command,
    quick: options.quick,
    complete: !signal.aborted && failedScenarios === 0,
    machine: readMachineFacts(),
    noise,
    rows,
    figures,
    notes: [...notes],
  };
  process.stdout.write(renderTerminal(results));
  const reportPath = await writeReport(results, folder);
  return { results, reportPath, failedScenarios };
}

/** `2026-01-31T12-00-00`: sorts by time and is a valid name everywhere. */
export function folderName(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(':', '-');
}
