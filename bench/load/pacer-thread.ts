// pacer-thread.ts: wakes the open loop's thread every half millisecond. It sleeps in Atomics.wait, which takes fractions
// of a millisecond and costs no processor, where setTimeout rounds up to the next whole one.

import { parentPort } from 'node:worker_threads';

const TICK_MS = 0.5;

const neverNotified = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
let nextMs = performance.now();
while (true) {
  const now = performance.now();
  // After a stall the lost ticks are not made up for: the loop sends all that is due at any one of them.
  nextMs = Math.max(nextMs + TICK_MS, now);
  Atomics.wait(neverNotified, 0, 0, nextMs - now);
  parentPort!.postMessage(0);
}
