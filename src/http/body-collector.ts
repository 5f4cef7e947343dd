// body-collector.ts: a request's body in one piece. A body that came in one range is that range, without a copy; one that
// came in several is copied into a buffer that grows by doubling, so that a body of many tiny chunks costs what its bytes
// cost and not an object for each.

const NO_BYTES = Buffer.alloc(0);
const COPY_BYTES_MIN = 1024;

/** Collects one body at a time. */
export class BodyCollector {
  private collected: Buffer = NO_BYTES;
  private length = 0;
  /** Whether `collected` is a buffer of our own, with room behind `length`. */
  private isCopy = false;

  /** Adds the bytes from `start` to `end`, which must not change until `take()` is called, and later if it kept them. */
  add(bytes: Buffer, start: number, end: number): void {
    if (this.length === 0) {
      this.collected = bytes.subarray(start, end);
      this.length = end - start;
      return;
    }
    const length = this.length + (end - start);
    if (!this.isCopy || length > this.collected.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(COPY_BYTES_MIN, 2 * length));
      this.collected.copy(larger, 0, 0, this.length);
      this.collected = larger;
      this.isCopy = true;
    }
    bytes.copy(this.collected, this.length, start, end);
    this.length = length;
  }

  /** The body so far, and begins another. */
  take(): Buffer {
    if (this.length === 0) return NO_BYTES;
    const body = this.isCopy ? this.collected.subarray(0, this.length) : this.collected;
    this.collected = NO_BYTES;
    this.length = 0;
    this.isCopy = false;
    return body;
  }
}
