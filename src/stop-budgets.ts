// stop-budgets.ts: how long a stop may take, step by step, so that all steps together keep the contract's 10 s.
//
//   supervisor:  front end ──▶ order service ──▶ catalog        one after the other: each still has the one it needs
//   a service:   drain (what was begun is answered) ──▶ last writes ──▶ exit 0, or 1 if the time was not enough
//
// A service that does not even manage that is killed by the supervisor, a moment after its time is over.

import { assert } from './assert.js';
import type { ServiceName } from './settings.js';

/** The contract's limit for a stop of the whole store, and of each service by itself. */
export const STOP_MS = 10_000;

export interface StopBudget {
  /** For requests, orders and connections that are under way. */
  readonly drainMs: number;
  /** From the request to stop to the exit, everything included. */
  readonly stopMs: number;
}

/**
 * The catalog needs the most: it writes catalog.csv once more, which takes about two seconds with a million toys, and
 * nobody has anything under way with it but for the finds of a moment.
 */
export const STOP_BUDGETS: { readonly [S in ServiceName]: StopBudget } = {
  frontend: { drainMs: 2_000, stopMs: 2_300 },
  order: { drainMs: 1_800, stopMs: 2_300 },
  catalog: { drainMs: 500, stopMs: 4_500 },
};

/** So much later the supervisor kills: the service shall get to say itself that it was not done. */
export const KILL_MARGIN_MS = 200;

const budgets = Object.values(STOP_BUDGETS);
const allMs = budgets.reduce((sum, { stopMs }) => sum + stopMs + KILL_MARGIN_MS, 0);
assert(allMs < STOP_MS, `the stop budgets add up to ${allMs} ms: they must stay below ${STOP_MS}`);
for (const { drainMs, stopMs } of budgets) assert(drainMs < stopMs, 'a drain must leave time for the last writes');
