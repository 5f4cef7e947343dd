// scavenged-heap.ts: what a piece of work leaves on the heap when only scavenges run. A scavenge frees what nothing in the
// old generation points to, dead or alive: a chain whose first link has grown old keeps all its links, until the next full
// collection. Such a chain is no leak, and still makes every scavenge copy what is long over.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const SCAVENGE_EVERY = 500;

/**
 * Runs `step` some hundred times, lets all that they left grow old, and runs it `steps` times more.
 *
 * @returns bytes that are in use afterwards and were not before
 */
export function bytesKeptByScavenges(steps: number, step: () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
  // Code and what is known of its types grow on the same heap: most of that comes before.
  for (let index = 0; index < SCAVENGE_EVERY; index++) step();
  collect();
  const before = getHeapStatistics().used_heap_size;
  for (let index = 0; index < steps; index++) {
    step();
    if (index % SCAVENGE_EVERY === 0) collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
  return getHeapStatistics().used_heap_size - before;
}
