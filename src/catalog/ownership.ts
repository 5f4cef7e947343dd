// ownership.ts: until when this process alone may show and change the stock, for all its threads.
//
// Another catalog over the same database may take over once this one has not been heard of there for a while. A process
// that was stopped in its tracks, or cut off, does not know that: so each thread looks at the clock before each find.

import { monotonicUs } from '../clock.js';

const US_PER_MS = 1_000;

export class Ownership {
  /** Microseconds, on the clock that all threads share. */
  readonly #until: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#until = new BigInt64Array(memory);
  }

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  }

  /** @param untilMs on the main thread's performance.now() */
  extend(untilMs: number): void {
    const leftUs = Math.floor((untilMs - performance.now()) * US_PER_MS);
    Atomics.store(this.#until, 0, BigInt(monotonicUs() + leftUs));
  }

  get isHeld(): boolean {
    return monotonicUs() < Number(Atomics.load(this.#until, 0));
  }
}
