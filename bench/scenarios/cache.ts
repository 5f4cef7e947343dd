// cache.ts: what it gives that front ends hold the toys they were asked for: the same store with and without, its own
// `/healthz` as the most that could be had, and a store just started, beside the one of another commit.
//
//   toystore       as it stands                         /healthz   of the same store: all of the way but the catalog
//   CACHE_TOYS=0   each find asks the catalog           baseline   the checkout at --baseline, just started

import type { BenchOptions } from '../run/bench-options.js';
import { startToystore, storeTarget } from '../store/toystore.js';
import { type Contest, INSTANCES, type Load, runContest } from './contest.js';
import { type FreshStore, measureFreshStores } from './fresh-store.js';
import { type RatioBar, ratiosOf } from './ratios.js';
import type { Scenario } from './scenario.js';
import { byProbability, CLIENTS, PROBABILITIES } from './sessions.js';

const STORE = 'toystore';
const WITHOUT = 'CACHE_TOYS=0';
const HEALTHZ = '/healthz';
const BASELINE = 'baseline';
const HEALTHZ_ANSWER = '{"data":{"status":"alive"}}';

/** A find should cost little more than an answer that asks nobody. */
const HEALTHZ_BARS: readonly RatioBar[] = [
  { operation: 'query', clients: 64, quantity: 'throughput', bar: { atLeast: 0.9 } },
  { operation: 'query', clients: 1, quantity: 'p50', bar: { atMost: 1.2 } },
];
const ORDER_BAR: RatioBar = { operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 0.97 } };
/** Never at anybody's cost, and a gain where most requests are finds. */
const WITHOUT_BARS: readonly RatioBar[] = [
  ORDER_BAR,
  ...PROBABILITIES.map((p): RatioBar => {
    const bar = { atLeast: p === 0.2 ? 1.5 : 0.95 };
    return { operation: 'request', clients: CLIENTS, p, quantity: 'throughput', bar };
  }),
];
const FRESH_BARS: readonly RatioBar[] = [
  { operation: 'request', clients: CLIENTS, p: 0.4, quantity: 'throughput', bar: { atLeast: 2 } },
];

/** Orders among finds are slower for a while after finds that asked nobody, and not by what holding costs. So both. */
function contestsOf(options: BenchOptions): [Contest, Contest] {
  const without = { ...options.settings, CACHE_TOYS: '0' };
  const contestants: Contest['contestants'] = [
    { name: STORE, start: () => storeTarget({ ...options, url: undefined }), instances: INSTANCES },
    { name: HEALTHZ, start: STORE, only: { path: HEALTHZ, body: HEALTHZ_ANSWER } },
    { name: WITHOUT, start: () => startToystore({ settings: without }), instances: INSTANCES },
  ];
  const order: Load = { work: 'order', clients: 64 };
  const queries: Load[] = [64, 1].map((clients) => ({ work: 'query', clients }));
  const loads = [...queries, order, ...byProbability(options.probabilities)];
  return [
    { contestants, loads: [{ ...order, variant: 'nothing else' }], beside: { [WITHOUT]: [ORDER_BAR] } },
    { contestants, loads, beside: { [HEALTHZ]: HEALTHZ_BARS, [WITHOUT]: WITHOUT_BARS } },
  ];
}

function freshStoresOf({ settings, baseline }: BenchOptions): [FreshStore, ...FreshStore[]] {
  const ours = { label: STORE, settings };
  return baseline === undefined ? [ours] : [ours, { label: BASELINE, root: baseline }];
}

export const cache: Scenario = async (context) => {
  for (const contest of contestsOf(context.options)) await runContest(context, contest);
  const rows = await measureFreshStores(context, freshStoresOf(context.options));
  context.addFigures(ratiosOf(rows, { subject: STORE, baseline: BASELINE, bars: FRESH_BARS, isPair: true }));
};
