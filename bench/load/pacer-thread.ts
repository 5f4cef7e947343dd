// pacer-thread.ts: wakes the open loop's thread when a request is due and nothing else has woken it. It sleeps in
// Atomics.wait, which takes fractions of a millisecond and costs no processor, where setTimeout rounds up to the next whole
// one.
//
// Load and server share the cores, and being woken costs both threads some 20 µs: so not more often than every tick, and
// not at all when the answers that come in wake the loop often enough.

import { parentPort, workerData } from 'node:worker_threads';

/** What is due is found out at most so late on an idle machine; the delay counts as latency. */
const TICK_MS = 1;

/** When the next request is due, in ms since 1970. */
const nextDue = workerData as Float64Array;
const neverNotified = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
while (true) {
  const untilDueMs = nextDue[0]! - clockMs();
  Atomics.wait(neverNotified, 0, 0, Math.max(TICK_MS, untilDueMs));
  if (nextDue[0]! <= clockMs()) parentPort!.postMessage(0);
}

/** The same in all threads. */
function clockMs(): number {
  return performance.timeOrigin + performance.now();
}
