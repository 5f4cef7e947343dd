// descriptor-limit.ts: how many connections the process's descriptor limit leaves room for.
//
// When descriptors run out, libuv accepts waiting connections and closes them at once, and nothing tells the program:
// no spin, but no answer to the client and no count either (seen on Node.js 20, 24 and 26). So the pool does not go
// there: it counts its connections against what the limit leaves, and refuses in the service's own words before the
// kernel does it in none.

import { readdirSync, readFileSync } from 'node:fs';
import { REFUSALS_MAX } from './refusals.js';

/** Left to the rest of the process: files, pipes, connections that it opens itself; and to refused connections. */
const RESERVE = 32 + REFUSALS_MAX;

/** A thread's event loop, its channel and its wake-up descriptors: 10 to 14 on Linux. */
const PER_THREAD = 16;

/**
 * Connections that may be open at a time, at least 1; Infinity where the limit cannot be read (outside Linux).
 * @param threadsToCome threads that may yet be started
 */
export function connectionsWithinLimit(threadsToCome: number): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    if (soft === undefined) return Number.POSITIVE_INFINITY; // "unlimited"
    const openNow = readdirSync('/proc/self/fd').length;
    return Math.max(1, Number(soft) - openNow - RESERVE - PER_THREAD * threadsToCome);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
