// soak.ts: one mixed load for long: does latency hold, do errors appear, does memory grow?
//
// Each stretch is one row; memory of the store's processes is read from /proc at its end (on Linux).

import type { LoadReport } from '../load/load-job.js';
import { rowsFromReports } from '../run/results.js';
import { familyMemoryMib } from '../store/process-memory.js';
import { TOYS } from '../store/toystore.js';
import { TARGET_SECONDS } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { storeTarget } from './store-target.js';

const CLIENTS = 32;
const ORDER_PROBABILITY = 0.4;
const MINUTES = 10;
const QUICK_MINUTES = 0.5;
const STRETCHES_MAX = 20;
/** A shorter stretch has too few answers for its p99. */
const STRETCH_SECONDS_MIN = 2;
const MS_PER_S = 1000;
const SECONDS_PER_MINUTE = 60;

export const soak: Scenario = {
  plannedSeconds: (options) => TARGET_SECONDS + minutesOf(options) * SECONDS_PER_MINUTE,
  run: async (context) => {
    const target = await storeTarget(context.options);
    const seconds = minutesOf(context.options) * SECONDS_PER_MINUTE;
    const stretches = Math.max(1, Math.min(STRETCHES_MAX, Math.floor(seconds / STRETCH_SECONDS_MIN)));
    const memory: number[] = [];
    try {
      for (let stretch = 0; stretch < stretches && !context.signal.aborted; stretch++) {
        const fromSeconds = (stretch * seconds) / stretches;
        context.step(`${formatMinutes(fromSeconds)} of ${formatMinutes(seconds)} min`, fromSeconds);
        const report = await runStretch(context, target, (seconds * MS_PER_S) / stretches, stretch === 0);
        const variant = `from ${formatMinutes(fromSeconds)} min`;
        const key = { scenario: 'soak', subject: target.name, clients: CLIENTS, p: ORDER_PROBABILITY, variant };
        context.addRows(rowsFromReports(key, [report]));
        if (target.pid !== undefined) memory.push(familyMemoryMib(target.pid));
      }
    } finally {
      await target.stop();
    }
    addMemory(context, memory);
  },
};

function minutesOf(options: { readonly minutes: number | undefined; readonly quick: boolean }): number {
  return options.minutes ?? (options.quick ? QUICK_MINUTES : MINUTES);
}

/** `2:30`. */
function formatMinutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / SECONDS_PER_MINUTE)}:${String(whole % SECONDS_PER_MINUTE).padStart(2, '0')}`;
}

function runStretch(
  context: ScenarioContext,
  target: { readonly host: string; readonly port: number },
  durationMs: number,
  isFirst: boolean,
): Promise<LoadReport> {
  const work = { kind: 'session', toys: TOYS, p: ORDER_PROBABILITY } as const;
  const warmupMs = isFirst ? Math.min(1000, durationMs / 2) : 0;
  const { host, port } = target;
  return context.generator.run({ host, port, connections: CLIENTS, work, durationMs, warmupMs }, context.signal);
}

function addMemory(context: ScenarioContext, memory: readonly number[]): void {
  if (memory.length < 2 || memory.includes(0)) return;
  const first = memory[Math.floor(memory.length / 4)]!;
  const last = memory.at(-1)!;
  context.addFigures([
    {
      scenario: 'soak',
      case: 'resident memory of all the store’s processes, at the end',
      subject: 'toystore',
      value: last,
      unit: 'MiB',
      better: 'lower',
      rounds: memory,
      note: `${(last / first).toFixed(2)} times that after the first quarter`,
    },
  ]);
}
