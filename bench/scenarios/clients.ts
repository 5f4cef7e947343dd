// clients.ts: how latency goes with the number of clients, for queries and for orders apart.

import type { BenchOptions } from '../run/bench-options.js';
import type { Target } from '../store/server-process.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, type Point, pointsSeconds, TARGET_SECONDS, type Timing } from './measure-points.js';
import type { Scenario } from './scenario.js';
import { storeTarget } from './store-target.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

/** The evaluation's 1 to 5, and on until far more clients than cores. */
const CLIENT_COUNTS = [1, 2, 3, 4, 5, 8, 16, 32, 64, 128, 256] as const;
const ORDER_PROBABILITY = 0.4;

export function clientsTiming({ quick, isOverview }: BenchOptions): Timing {
  if (quick) return { rounds: 2, durationMs: 250, warmupMs: 60 };
  return isOverview ? { rounds: 3, durationMs: 800, warmupMs: 150 } : { rounds: 5, durationMs: 1200, warmupMs: 200 };
}

/** One point for each number of clients. `variant` tells stores apart that are measured in the same scenario. */
export function clientsPoints(scenario: string, target: Target, options: BenchOptions, variant?: string): Point[] {
  return (options.clients ?? CLIENT_COUNTS).map((clients) => ({
    label: `${variant === undefined ? '' : `${variant}, `}${clients} ${clients === 1 ? 'client' : 'clients'}`,
    key: { scenario, subject: target.name, clients, p: ORDER_PROBABILITY, variant },
    target,
    job: { connections: clients, work: { kind: 'session', toys: TOYS, p: ORDER_PROBABILITY } },
  }));
}

export const clients: Scenario = {
  plannedSeconds: (options) =>
    TARGET_SECONDS +
    warmUpSeconds(options) +
    pointsSeconds((options.clients ?? CLIENT_COUNTS).length, clientsTiming(options)),
  run: async (context) => {
    const target = await storeTarget(context.options);
    try {
      await warmUp(context, target);
      await measurePoints(context, clientsPoints('clients', target, context.options), clientsTiming(context.options));
    } finally {
      await target.stop();
    }
  },
};
