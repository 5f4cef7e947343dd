// sessions.ts: the scenarios that run customers' sessions on the store: how latency goes with the number of clients, with
// the share of orders, and with containers around the services.

import type { BenchOptions } from '../run/bench-options.js';
import { startComposeStore } from '../store/compose-store.js';
import { storeTarget } from '../store/toystore.js';
import { type Contestant, type ContestLoad, runContest } from './contest.js';
import { timingOf } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';

/** The evaluation's 1 to 5, and on until far more clients than cores. */
const CLIENT_COUNTS = [1, 2, 3, 4, 5, 8, 16, 32, 64, 128, 256] as const;
/** Fewer: each is measured twice. */
const DOCKER_CLIENT_COUNTS = [1, 2, 3, 4, 5, 16, 64] as const;
const PROBABILITY = 0.4;
const PROBABILITIES = [0, 0.2, 0.4, 0.6, 0.8] as const;
const CLIENTS = 5;
const ROUNDS = 5;
const ROUND_MS = 1300;

function sessionsScenario(
  scenario: string,
  loadsOf: (options: BenchOptions) => ContestLoad[],
  contestantsOf: (context: ScenarioContext) => Contestant[],
): Scenario {
  return async (context) => {
    const { options } = context;
    const timing = timingOf(options, ROUNDS, ROUND_MS);
    await runContest(context, { scenario, contestants: contestantsOf(context), loads: loadsOf(options), timing });
  };
}

function theStore({ options }: ScenarioContext): Contestant[] {
  return [{ name: 'toystore', start: () => storeTarget(options) }];
}

/** As processes and as containers. */
function bareAndInContainers({ options, step, note }: ScenarioContext): Contestant[] {
  note(`docker: the containers run the Node.js of their images, the bare store ${process.version}.`);
  return [
    { name: 'bare', start: () => storeTarget({ ...options, url: undefined }) },
    { name: 'docker', start: () => startComposeStore(options.settings, step) },
  ];
}

function byClients(counts: readonly number[]): ContestLoad[] {
  return counts.map((clients) => ({ work: { p: PROBABILITY }, clients }));
}

export const clients = sessionsScenario('clients', (options) => byClients(options.clients ?? CLIENT_COUNTS), theStore);

export const probability = sessionsScenario(
  'probability',
  (options) => (options.probabilities ?? PROBABILITIES).map((p) => ({ work: { p }, clients: CLIENTS })),
  theStore,
);

export const docker = sessionsScenario(
  'docker',
  (options) => byClients(options.clients ?? DOCKER_CLIENT_COUNTS),
  bareAndInContainers,
);
