// soak.ts: one mixed load for long: does latency hold, do errors appear, does memory grow?
//
// Each stretch is one row; memory of the store's processes is read from /proc at its end (on Linux).

import { readdirSync, readFileSync } from 'node:fs';
import type { LoadReport } from '../load/load-job.js';
import { rowsFromReports } from '../run/results.js';
import { TOYS } from '../store/toystore.js';
import { TARGET_SECONDS } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { storeTarget } from './store-target.js';

const CLIENTS = 32;
const ORDER_PROBABILITY = 0.4;
const MINUTES = 10;
const QUICK_MINUTES = 0.5;
const STRETCHES = 20;
const MS_PER_MINUTE = 60_000;
const SECONDS_PER_MINUTE = 60;
const KIB_PER_MIB = 1024;

export const soak: Scenario = {
  plannedSeconds: (options) => TARGET_SECONDS + minutesOf(options) * SECONDS_PER_MINUTE,
  run: async (context) => {
    const target = await storeTarget(context.options);
    const minutes = minutesOf(context.options);
    const memory: number[] = [];
    try {
      for (let stretch = 0; stretch < STRETCHES && !context.signal.aborted; stretch++) {
        const fromMinute = (stretch * minutes) / STRETCHES;
        context.step(`minute ${fromMinute.toFixed(1)} of ${minutes}`, fromMinute * SECONDS_PER_MINUTE);
        const report = await runStretch(context, target, (minutes * MS_PER_MINUTE) / STRETCHES, stretch === 0);
        const variant = `from minute ${fromMinute.toFixed(1)}`;
        const key = { scenario: 'soak', subject: target.name, clients: CLIENTS, p: ORDER_PROBABILITY, variant };
        context.addRows(rowsFromReports(key, [report]));
        if (target.pid !== undefined) memory.push(memoryMib(target.pid));
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

/** Resident memory of a process and all below it; 0 where there is no /proc. */
function memoryMib(pid: number): number {
  try {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name)) parents.set(Number(name), Number(statusField(name, 'PPid')));
    }
    const isBelow = (child: number): boolean =>
      child === pid || (parents.has(child) && child > 1 && isBelow(parents.get(child)!));
    const family = [...parents.keys()].filter(isBelow);
    return family.reduce((sum, member) => sum + Number(statusField(String(member), 'VmRSS')), 0) / KIB_PER_MIB;
  } catch {
    return 0;
  }
}

function statusField(pid: string, name: string): string {
  try {
    return new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  } catch {
    // It ended between being listed and being read.
    return '0';
  }
}
