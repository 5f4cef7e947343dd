// rate.ts: latency at a given rate, in an open loop: what customers see who come whether or not the store keeps up.
//
// The top rate comes first, from a closed loop; then fixed shares of it are offered. At half of it the latency shows what
// the store is like in good health; near it, how it queues. With --rates the rates are given and no top is looked for.

import type { Work } from '../load/load-job.js';
import { formatNumber } from '../report/words.js';
import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import { type Figure, type Row, rowsFromReports } from '../run/results.js';
import type { Target } from '../store/server-process.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, pointsSeconds, TARGET_SECONDS, type Timing, throughputOf } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { storeTarget } from './store-target.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

const CONNECTIONS = 64;
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9] as const;
const OPERATIONS: readonly ('query' | 'order')[] = ['query', 'order'];
const MS_PER_S = 1000;

/** What the tail may be at half of the top rate, in milliseconds. */
const BAR_SHARE = 0.5;
const BARS = { query: { atMost: 10 }, order: { atMost: 25 } } as const;

function timingOf({ quick, isOverview, rounds }: BenchOptions): Timing {
  if (quick) return { rounds: rounds ?? 1, durationMs: 400, warmupMs: 100 };
  if (isOverview) return { rounds: rounds ?? 2, durationMs: 1000, warmupMs: 250 };
  return { rounds: rounds ?? 5, durationMs: 2000, warmupMs: 500 };
}

function topTimingOf({ quick }: BenchOptions): { durationMs: number; warmupMs: number } {
  return quick ? { durationMs: 800, warmupMs: 500 } : { durationMs: 2000, warmupMs: 1000 };
}

export const rate: Scenario = {
  plannedSeconds: (options) =>
    TARGET_SECONDS + warmUpSeconds(options) + OPERATIONS.length * secondsPerOperation(options),
  run: async (context) => {
    const target = await storeTarget(context.options);
    try {
      await warmUp(context, target);
      for (const [index, operation] of OPERATIONS.entries()) {
        await measureOperation(context, target, operation, index * secondsPerOperation(context.options));
      }
    } finally {
      await target.stop();
    }
  },
};

function secondsPerOperation(options: BenchOptions): number {
  const { durationMs, warmupMs } = topTimingOf(options);
  const topSeconds = options.rates === undefined ? (durationMs + warmupMs) / MS_PER_S : 0;
  return topSeconds + pointsSeconds((options.rates ?? SHARES).length, timingOf(options));
}

async function measureOperation(
  context: ScenarioContext,
  target: Target,
  operation: 'query' | 'order',
  secondsBefore: number,
): Promise<void> {
  const { options, signal } = context;
  const work: Work = { kind: operation, toys: TOYS };
  let rates = options.rates;
  let barRate: number | undefined;
  if (rates === undefined) {
    const top = await measureTop(context, target, operation, work, secondsBefore);
    if (signal.aborted || top === 0) return;
    rates = SHARES.map((share) => rateAt(top, share));
    barRate = rateAt(top, BAR_SHARE);
  }
  const points = rates.map((rate) => ({
    label: `${operation}, ${rate}/s offered`,
    key: { scenario: 'rate', subject: target.name, clients: CONNECTIONS, rate },
    target,
    job: { connections: CONNECTIONS, work, rate },
  }));
  const rows = await measurePoints(context, points, timingOf(options), secondsBefore);
  context.addFigures(rows.filter((row) => row.rate === barRate && row.count > 0).map(tailOf));
}

/** Two digits: rates that were measured again a little differently can still be set side by side. */
function rateAt(top: number, share: number): number {
  return Math.max(1, Number((top * share).toPrecision(2)));
}

function tailOf({ operation, subject, rate, rounds, p99, missed = 0 }: Row): Figure {
  const all = `${formatNumber(p99)} ms over all rounds together`;
  return {
    scenario: 'rate',
    case: `${operation}, p99 at half of the top rate`,
    subject,
    value: median(rounds.p99),
    unit: 'ms',
    better: 'lower',
    rounds: rounds.p99,
    bar: BARS[operation],
    note: `${rate}/s offered; ${all}${missed > 0 ? `; ${missed} never sent` : ''}`,
  };
}

/** The closed loop's rate; its row stands in the results too, without a rate. */
async function measureTop(
  context: ScenarioContext,
  target: Target,
  operation: string,
  work: Work,
  secondsBefore: number,
): Promise<number> {
  context.step(`${operation}, looking for the top rate`, secondsBefore);
  const { host, port } = target;
  const job = { host, port, connections: CONNECTIONS, work, ...topTimingOf(context.options) };
  const report = await context.generator.run(job, context.signal);
  const key = { scenario: 'rate', subject: target.name, clients: CONNECTIONS, variant: 'top rate, closed loop' };
  context.addRows(rowsFromReports(key, [report]));
  return throughputOf(report);
}
