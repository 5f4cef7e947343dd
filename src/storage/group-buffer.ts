// group-buffer.ts: the records of one group commit, encoded as they will lie in the file.
//
// A journal has two of them and swaps: one is appended to while the other one is on its way to the disk. The bytes are
// kept and used again, so that a steady stream of groups allocates nothing.

import { encodeRecord, markAfterSync, recordBytes } from './record-format.js';

const BYTES_AT_FIRST = 64 * 1024;

/** A buffer that one large group has made bigger than this is given back after it. */
const BYTES_KEPT_MAX = 4 * 1024 * 1024;

export class GroupBuffer {
  #buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  #used = 0;
  #records = 0;
  #promise: Promise<void> | undefined;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  get records(): number {
    return this.#records;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  /** Whether somebody waits for this group to be committed. */
  get isAwaited(): boolean {
    return this.#promise !== undefined;
  }

  /** Copies `payload`; it may change or go away afterwards. */
  append(payload: Uint8Array, sequence: number): void {
    const needed = this.#used + recordBytes(payload.length);
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#used = encodeRecord(this.#buffer, this.#used, payload, sequence);
    this.#records++;
  }

  /** Says in the group's first record that all before it is on disk. */
  markAfterSync(): void {
    markAfterSync(this.#buffer, 0);
  }

  /** Resolves or rejects when the group is on disk or is not; all who wait share one promise. */
  finished(): Promise<void> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    return this.#promise;
  }

  /** Tells those who wait, and makes the buffer empty. */
  finish(error?: Error): void {
    if (error === undefined) this.#resolve();
    else if (this.#promise !== undefined) this.#reject(error);
    this.#promise = undefined;
    this.#resolve = () => undefined;
    this.#used = 0;
    this.#records = 0;
    if (this.#buffer.length > BYTES_KEPT_MAX) this.#buffer = Buffer.allocUnsafe(BYTES_AT_FIRST);
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    bytes.set(this.bytes);
    this.#buffer = bytes;
  }
}
