// rate.ts: latency at a given rate, in an open loop: what customers see who come whether or not the store keeps up.
//
//   round 1:  top  0.1  0.25  0.5  0.75  0.9     round 2:  top  0.1 …
//              └─ closed loop: the shares that follow are of this
//
// Each round looks for its own top rate: on a machine that others keep busy too, half of what it gave three minutes ago may
// be all that it gives now. At half of the top the latency shows what the store is like in good health; near it, how it
// queues. With --rates the rates are given and no top is looked for.

import { formatNumber } from '../report/words.js';
import { median } from '../rounds.js';
import type { Figure, Row } from '../run/results.js';
import type { Target } from '../store/server-process.js';
import { storeTarget, TOYS } from '../store/toystore.js';
import { measurePoints, type Point, throughputOf, timingOf } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { warmUp } from './warm-up.js';

const CONNECTIONS = 64;
const ROUNDS = 5;
const ROUND_MS = 2000;
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9] as const;
const OPERATIONS: readonly ('query' | 'order')[] = ['query', 'order'];

/** What the tail may be at half of the top rate, in milliseconds. */
const BAR_SHARE = 0.5;
const BARS = { query: { atMost: 10 }, order: { atMost: 25 } } as const;

export const rate: Scenario = async (context) => {
  const target = await storeTarget(context.options);
  try {
    await warmUp(context, target);
    for (const operation of OPERATIONS) await measureOperation(context, target, operation);
  } finally {
    await target.stop();
  }
};

async function measureOperation(context: ScenarioContext, target: Target, operation: 'query' | 'order'): Promise<void> {
  const { rates } = context.options;
  const job = { connections: CONNECTIONS, work: { kind: operation, toys: TOYS } };
  const points =
    rates === undefined ? pointsByShare(target, job) : rates.map((rate) => pointOf(target, { ...job, rate }));
  const rows = await measurePoints(context, points, timingOf(context.options, ROUNDS, ROUND_MS));
  context.addFigures(rows.filter((row) => row.variant === shareName(BAR_SHARE) && row.count > 0).map(tailOf));
}

/** The closed loop first, then shares of what it just gave. */
function pointsByShare(target: Target, job: Point['job']): Point[] {
  let top = 0;
  const topPoint: Point = {
    ...pointOf(target, job, 'top rate, closed loop'),
    onReport: (report) => {
      top = throughputOf(report);
    },
  };
  const shares = SHARES.map((share) => ({
    ...pointOf(target, job, shareName(share)),
    rateNow: () => (top === 0 ? undefined : rateAt(top, share)),
  }));
  return [topPoint, ...shares];
}

function pointOf(target: Target, job: Point['job'], variant?: string): Point {
  return {
    label: `${job.work.kind}, ${variant ?? `${job.rate}/s offered`}`,
    key: { scenario: 'rate', subject: target.name, clients: CONNECTIONS, variant },
    targets: [target],
    job,
  };
}

function shareName(share: number): string {
  return `${share} of the top`;
}

/** Two digits: nobody reads more of a rate. */
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
    note: `${rate}/s offered, the median of the rounds; ${all}${missed > 0 ? `; ${missed} never sent` : ''}`,
  };
}
