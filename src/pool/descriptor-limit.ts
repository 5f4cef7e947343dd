// descriptor-limit.ts: how many connections the process's descriptor limit leaves room for.
//
// Where descriptors run out, connections can only wait in the kernel, unanswered (acceptor.ts). So the pool does not go
// there by itself: it counts its connections against what the limit leaves, and refuses those beyond in the service's
// own words. Others may use descriptors up all the same, or lower the limit; so it is also looked whether some are left.

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { LINGERING_RESERVED } from './refusals.js';

/**
 * Left to the rest of the process: files, pipes, connections that it opens itself; and to connections that are refused
 * because of this limit.
 */
const RESERVE = 32 + LINGERING_RESERVED;

/** A thread's event loop, its channel and its wake-up descriptors: 10 to 14 on Linux. */
const PER_THREAD = 16;

/** A thread that has died has given its own back by the time that somebody asks why: those, and what it lacked. */
export const NEEDED_TO_START = 2 * PER_THREAD;

/**
 * So many must be free to accept: one for the connection, and a few for whatever else happens meanwhile, such as the copy
 * of a handle. Far fewer than RESERVE, which the pool's own connections leave alone.
 */
const SPARE = 8;

/**
 * Connections that may be open at a time, at least 1; Infinity where the limit cannot be read (outside Linux).
 * @param threadsToCome threads that may yet be started
 */
export function connectionsWithinLimit(threadsToCome: number): number {
  const limit = descriptorLimit();
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  const openNow = readdirSync('/proc/self/fd').length;
  return Math.max(1, limit - openNow - RESERVE - PER_THREAD * threadsToCome);
}

/**
 * What to say of something that failed because the process is out of descriptors; undefined if that is not why.
 *
 * @param needed how many must be free for that not to be the reason
 */
export function shortageBehind(error: Error | undefined, needed = SPARE): string | undefined {
  if (haveSpareDescriptors(needed) && !/\bE[MN]FILE\b/.test(String(error))) return undefined;
  const limit = descriptorLimit();
  const allowed = limit === undefined ? 'too few' : `only ${limit}`;
  return `the process may have ${allowed} files and connections open at a time: raise that (ulimit -n), or start fewer threads`;
}

/** Read at the start as well: to read it takes a descriptor. */
let lastKnownLimit: number | undefined;
descriptorLimit();

/** The soft limit on open descriptors; undefined where there is none, or none that can be read. */
function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    lastKnownLimit = soft === undefined ? undefined : Number(soft); // "unlimited"
  } catch {
    // Then it is most likely what it was.
  }
  return lastKnownLimit;
}

/** Whether the process can open a few descriptors more. */
export function haveSpareDescriptors(count = SPARE): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
