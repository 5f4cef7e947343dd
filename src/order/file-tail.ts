// file-tail.ts: the newest bytes of a file that is only appended to, kept in memory: what is asked for is nearly always new.
//
//   file   |······························|======== tail ========|
//                                        start                  end
//   ring   |== end of the tail ==|======== its beginning ========|      byte p of the file stands at p % length
//
// A ring of bytes, because an object for each order would be alive just long enough to be copied by two scavenges and then
// die in the old generation.

export class FileTail {
  readonly #ring: Buffer;
  #start = 0;
  #end = 0;

  /** @param bytesMax how much is kept */
  constructor(bytesMax: number) {
    this.#ring = Buffer.alloc(bytesMax);
  }

  /** Where in the file it begins. */
  get start(): number {
    return this.#start;
  }

  /** Takes what was written at `position`. Where that is not the end of the tail, the tail begins anew there. */
  append(bytes: Uint8Array, position: number): void {
    if (position !== this.#end) this.#start = position;
    this.#end = position + bytes.length;
    this.#start = Math.max(this.#start, this.#end - this.#ring.length);
    const from = Math.max(position, this.#start);
    const kept = bytes.subarray(from - position);
    const at = from % this.#ring.length;
    const first = kept.subarray(0, this.#ring.length - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
  }

  /** Fills `target` from `position` on; false, and nothing is done, where not all of that is in the tail. */
  read(target: Uint8Array, position: number): boolean {
    if (position < this.#start || position + target.length > this.#end) return false;
    const at = position % this.#ring.length;
    const first = this.#ring.subarray(at, at + target.length);
    target.set(first);
    target.set(this.#ring.subarray(0, target.length - first.length), first.length);
    return true;
  }
}
