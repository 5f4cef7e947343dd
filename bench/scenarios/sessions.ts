// sessions.ts: the scenarios that run customers' sessions on the store: how latency goes with the number of clients, with
// the share of orders, and with containers around the services.

import type { BenchOptions } from '../run/bench-options.js';
import { startComposeStore } from '../store/compose-store.js';
import { storeTarget } from '../store/toystore.js';
import { type Contestant, contest, type Load } from './contest.js';

/** The evaluation's 1 to 5, and on until far more clients than cores. */
const CLIENT_COUNTS = [1, 2, 3, 4, 5, 8, 16, 32, 64, 128, 256] as const;
/** Fewer: each is measured twice. */
const DOCKER_CLIENT_COUNTS = [1, 2, 3, 4, 5, 16, 64] as const;
const PROBABILITY = 0.4;
export const PROBABILITIES = [0, 0.2, 0.4, 0.6, 0.8] as const;
export const CLIENTS = 5;

export const clients = contest(({ options }) => ({
  contestants: [theStore(options)],
  loads: byClients(options.clients ?? CLIENT_COUNTS),
}));

export const probability = contest(({ options }) => ({
  contestants: [theStore(options)],
  loads: byProbability(options.probabilities),
}));

/** As processes and as containers. */
export const docker = contest(({ options, step, note }) => {
  note(`the containers run the Node.js of their images, the bare store ${process.version}.`);
  return {
    contestants: [
      { name: 'bare', start: () => storeTarget({ ...options, url: undefined }) },
      { name: 'docker', start: () => startComposeStore(options.settings, step) },
    ],
    loads: byClients(options.clients ?? DOCKER_CLIENT_COUNTS),
  };
});

/** Sessions with ever more orders. */
export function byProbability(probabilities: readonly number[] = PROBABILITIES): Load[] {
  return probabilities.map((p) => ({ work: { p }, clients: CLIENTS }));
}

function byClients(counts: readonly number[]): Load[] {
  return counts.map((clients) => ({ work: { p: PROBABILITY }, clients }));
}

function theStore(options: BenchOptions): Contestant {
  return { name: 'toystore', start: () => storeTarget(options) };
}
