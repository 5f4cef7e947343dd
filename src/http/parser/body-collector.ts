// body-collector.ts: a request's body in one piece of memory of its own, since the bytes it comes in are only lent. The
// first piece gets what it needs, for most bodies come in one; after that the buffer grows by doubling, so that a body of
// many tiny chunks costs what its bytes cost and not an object for each.

import { NO_BYTES } from './grammar.js';

const GROWN_BYTES_MIN = 1024;

/** Collects one body at a time. */
export class BodyCollector {
  private collected: Buffer = NO_BYTES;
  private length = 0;

  /** Adds a copy of the bytes from `start` to `end`. */
  add(bytes: Buffer, start: number, end: number): void {
    const length = this.length + (end - start);
    if (length > this.collected.length) this.grow(length);
    bytes.copy(this.collected, this.length, start, end);
    this.length = length;
  }

  /** The body so far, and begins another. */
  take(): Buffer {
    if (this.length === 0) return NO_BYTES;
    const body = this.collected.length === this.length ? this.collected : this.collected.subarray(0, this.length);
    this.collected = NO_BYTES;
    this.length = 0;
    return body;
  }

  private grow(length: number): void {
    if (this.length === 0) {
      this.collected = Buffer.allocUnsafe(length);
      return;
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(GROWN_BYTES_MIN, 2 * length));
    this.collected.copy(larger, 0, 0, this.length);
    this.collected = larger;
  }
}
