// folder.ts: the scenarios that measure a part by itself: all `bench/<name>/*.bench.ts`, each with its `run`.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunBenchmark } from '../result.js';
import type { BenchOptions } from '../run/bench-options.js';
import { COMPILED_FOLDER } from '../run/paths.js';
import type { Scenario } from './scenario.js';

const BENCHMARK_FILE = /\.bench\.js$/;
const MS_PER_S = 1000;

/** How long a folder may take: in an overview its share, when named as long as it likes. */
export interface FolderBudget {
  readonly seconds: number;
  readonly quickSeconds: number;
}

/** The scenario that runs all benchmarks of one folder, one after another, and shares its time among them. */
export function folderScenario(name: string, budget: FolderBudget): Scenario {
  const secondsOf = (options: BenchOptions): number => (options.quick ? budget.quickSeconds : budget.seconds);
  return {
    plannedSeconds: secondsOf,
    run: async (context) => {
      const { options, signal } = context;
      const files = benchmarkFiles(path.join(COMPILED_FOLDER, name));
      if (files.length === 0) throw new Error(`bench/${name} has no *.bench.ts`);
      const endMs = performance.now() + secondsOf(options) * MS_PER_S;
      for (const [index, file] of files.entries()) {
        if (signal.aborted) return;
        const { run } = (await import(pathToFileURL(file).href)) as { run: RunBenchmark };
        const shareMs = (endMs - performance.now()) / (files.length - index);
        const limit = limited(signal, options.isOverview ? shareMs : undefined);
        const onProgress = (text: string): void => context.step(text);
        const { quick, baseline } = options;
        const results = await run({ quick, baseline, onProgress, signal: limit.signal });
        limit.end();
        context.addFigures(results.map((result) => ({ scenario: name, ...result })));
        if (limit.signal.aborted && !signal.aborted) {
          context.note(`${name}: stopped at its share of the time; \`npm run bench -- ${name}\` runs every round.`);
        }
      }
    },
  };
}

/**
 * Ctrl-C or the end of the share. Not AbortSignal.any over a timeout: Node 20 may collect such a signal before it fires.
 */
function limited(parent: AbortSignal, limitMs: number | undefined): { signal: AbortSignal; end(): void } {
  const limit = new AbortController();
  const onAbort = (): void => limit.abort();
  const timer = limitMs === undefined ? undefined : setTimeout(onAbort, limitMs);
  const end = (): void => {
    clearTimeout(timer);
    parent.removeEventListener('abort', onAbort);
  };
  parent.addEventListener('abort', onAbort);
  if (parent.aborted) onAbort();
  return { signal: limit.signal, end };
}

function benchmarkFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((file) => BENCHMARK_FILE.test(file));
  return names.sort().map((file) => path.join(folder, file));
}
