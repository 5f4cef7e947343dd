// sessions.ts: the scenarios that run customers' sessions on the store: how latency goes with the number of clients, with
// the share of orders, and with containers around the services.

import type { BenchOptions } from '../run/bench-options.js';
import { startComposeStore } from '../store/compose-store.js';
import { stopAll, type Target } from '../store/server-process.js';
import { storeTarget, TOYS } from '../store/toystore.js';
import { measurePoints, type Point, pointsSeconds, TARGET_SECONDS, type Timing } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

/** The evaluation's 1 to 5, and on until far more clients than cores. */
const CLIENT_COUNTS = [1, 2, 3, 4, 5, 8, 16, 32, 64, 128, 256] as const;
/** Fewer: each is measured twice. */
const DOCKER_CLIENT_COUNTS = [1, 2, 3, 4, 5, 16, 64] as const;
const PROBABILITY = 0.4;
const PROBABILITIES = [0, 0.2, 0.4, 0.6, 0.8] as const;
const CLIENTS = 5;
const BUILD_SECONDS = 30;

function timingOf({ quick, isOverview }: BenchOptions): Timing {
  if (quick) return { rounds: 2, durationMs: 250, warmupMs: 60 };
  return isOverview ? { rounds: 3, durationMs: 750, warmupMs: 150 } : { rounds: 5, durationMs: 1300, warmupMs: 200 };
}

/** A load of sessions. `variant` tells stores apart that are measured in the same scenario. */
interface Sessions {
  readonly clients: number;
  readonly p: number;
}

function sessionsPoint(scenario: string, target: Target, { clients, p }: Sessions, variant?: string): Point {
  const label = `${clients} ${clients === 1 ? 'client' : 'clients'}, p ${p}`;
  return {
    label: variant === undefined ? label : `${variant}, ${label}`,
    key: { scenario, subject: target.name, clients, p, variant },
    targets: [target],
    job: { connections: clients, work: { kind: 'session', toys: TOYS, p } },
  };
}

function sessionsScenario(name: string, loadsOf: (options: BenchOptions) => readonly Sessions[]): Scenario {
  return {
    plannedSeconds: (options) =>
      TARGET_SECONDS + warmUpSeconds(options) + pointsSeconds(loadsOf(options).length, timingOf(options)),
    run: async (context) => {
      const { options } = context;
      const target = await storeTarget(options);
      await measureSessions(context, [target], () => loadsOf(options).map((load) => sessionsPoint(name, target, load)));
    },
  };
}

/** Warms the targets up, measures and stops them. */
async function measureSessions(
  context: ScenarioContext,
  targets: readonly Target[],
  pointsOf: () => readonly Point[],
): Promise<void> {
  try {
    for (const target of targets) await warmUp(context, target);
    await measurePoints(context, pointsOf(), timingOf(context.options));
  } finally {
    await stopAll(targets);
  }
}

export const clients = sessionsScenario('clients', (options) =>
  (options.clients ?? CLIENT_COUNTS).map((count) => ({ clients: count, p: PROBABILITY })),
);

export const probability = sessionsScenario('probability', (options) =>
  (options.probabilities ?? PROBABILITIES).map((p) => ({ clients: CLIENTS, p })),
);

/** The same sessions on the store as processes and as containers, side by side. */
export const docker: Scenario = {
  plannedSeconds: (options) => {
    const count = 2 * (options.clients ?? DOCKER_CLIENT_COUNTS).length;
    return TARGET_SECONDS + BUILD_SECONDS + 2 * warmUpSeconds(options) + pointsSeconds(count, timingOf(options));
  },
  run: async (context) => {
    const { options } = context;
    const inContainers = await startComposeStore(options.settings, (text) => context.step(text));
    const bare = await storeTarget({ ...options, url: undefined }).catch(async (error) => {
      await inContainers.stop();
      throw error;
    });
    if (inContainers.node !== process.version) {
      context.note(`docker: the containers run Node.js ${inContainers.node}, the bare store ${process.version}.`);
    }
    await measureSessions(context, [bare, inContainers], () =>
      (options.clients ?? DOCKER_CLIENT_COUNTS).flatMap((count) => {
        const load = { clients: count, p: PROBABILITY };
        return [sessionsPoint('docker', bare, load, 'bare'), sessionsPoint('docker', inContainers, load, 'docker')];
      }),
    );
  },
};
