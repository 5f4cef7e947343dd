// probability.ts: what a larger share of orders does to the latency of queries and of orders, at 5 clients.

import type { BenchOptions } from '../run/bench-options.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, pointsSeconds, TARGET_SECONDS, type Timing } from './measure-points.js';
import type { Scenario } from './scenario.js';
import { storeTarget } from './store-target.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

const CLIENTS = 5;
const PROBABILITIES = [0, 0.2, 0.4, 0.6, 0.8] as const;

function timingOf({ quick, isOverview }: BenchOptions): Timing {
  if (quick) return { rounds: 2, durationMs: 300, warmupMs: 80 };
  return isOverview ? { rounds: 3, durationMs: 700, warmupMs: 150 } : { rounds: 5, durationMs: 1500, warmupMs: 200 };
}

export const probability: Scenario = {
  plannedSeconds: (options) =>
    TARGET_SECONDS +
    warmUpSeconds(options) +
    pointsSeconds((options.probabilities ?? PROBABILITIES).length, timingOf(options)),
  run: async (context) => {
    const { options } = context;
    const target = await storeTarget(options);
    const points = (options.probabilities ?? PROBABILITIES).map((p) => ({
      label: `p ${p}`,
      key: { scenario: 'probability', subject: target.name, clients: CLIENTS, p },
      target,
      job: { connections: CLIENTS, work: { kind: 'session', toys: TOYS, p } as const },
    }));
    try {
      await warmUp(context, target);
      await measurePoints(context, points, timingOf(options));
    } finally {
      await target.stop();
    }
  },
};
