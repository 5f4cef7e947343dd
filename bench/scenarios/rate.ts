// rate.ts: latency at a given rate, in an open loop: what customers see who come whether or not the store keeps up.
//
//   round 1:  top  0.1  0.25  0.5  0.75  0.9     round 2:  top  0.1 …
//              └─ closed loop: the shares that follow are of this
//
// Each round looks for its own top rate: on a machine that others keep busy too, half of what it gave three minutes ago may
// be all that it gives now. At half of the top the latency shows what the store is like in good health; near it, how it
// queues. With --rates the rates are given and no top is looked for.

import { type Figure, figureOf, type Measured } from '../figures.js';
import { formatNumber } from '../report/words.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Row } from '../run/results.js';
import { storeTarget } from '../store/toystore.js';
import { type Load, runContest } from './contest.js';
import type { Scenario } from './scenario.js';

const CONNECTIONS = 64;
const ROUND_MS = 2000;
const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9] as const;

/** What the tail may be at half of the top rate, in milliseconds. */
const BAR_SHARE = 0.5;
const BARS = { query: { atMost: 10 }, order: { atMost: 25 } } as const;

export const rate: Scenario = async (context) => {
  const { options } = context;
  const rows = await runContest(context, {
    contestants: [{ name: 'toystore', start: () => storeTarget(options) }],
    loads: (['query', 'order'] as const).flatMap((work) => loadsOf(work, options)),
    roundMs: ROUND_MS,
  });
  context.addFigures(rows.filter((row) => row.variant === shareName(BAR_SHARE) && row.count > 0).map(tailOf));
};

function loadsOf(work: 'query' | 'order', { rates }: BenchOptions): Load[] {
  const common = { work, clients: CONNECTIONS };
  if (rates !== undefined) return rates.map((rate) => ({ ...common, rate }));
  const shares = SHARES.map((ofTop) => ({ ...common, rate: { ofTop }, variant: shareName(ofTop) }));
  return [{ ...common, variant: 'top rate, closed loop' }, ...shares];
}

function shareName(share: number): string {
  return `${share} of the top`;
}

function tailOf({ operation, subject, rate, rounds, p99, missed = 0 }: Measured<Row>): Measured<Figure> {
  const all = `${formatNumber(p99)} ms over all rounds together`;
  return figureOf({
    case: `${operation}, p99 at half of the top rate`,
    subject,
    unit: 'ms',
    better: 'lower',
    rounds: rounds.p99,
    bar: BARS[operation],
    note: `${rate}/s offered, the median of the rounds; ${all}${missed > 0 ? `; ${missed} never sent` : ''}`,
  });
}
