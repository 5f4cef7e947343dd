// wait-queue.ts: connections that wait for a place, first come, first served, bounded. Full is an answer, not an error.
//
//   slots  | . | c | d | e | . | . | . | . |    a ring, made once: the oldest is at head,
//                head ─┘       └─ next               and `length` entries follow it
//
// An array with shift() would do for short queues but moves every entry on each take; the ring never moves one.

/** A first-in, first-out ring of at most `capacity` items. */
export class WaitQueue<Item> {
  readonly #slots: (Item | undefined)[];
  #head = 0;
  #length = 0;

  /** @param capacity how many may wait; 0 means that nobody may */
  constructor(capacity: number) {
    this.#slots = new Array(capacity).fill(undefined);
  }

  get length(): number {
    return this.#length;
  }

  /** Puts an item last; false when the queue is full. */
  push(item: Item): boolean {
    if (this.#length === this.#slots.length) return false;
    this.#slots[(this.#head + this.#length) % this.#slots.length] = item;
    this.#length += 1;
    return true;
  }

  /**
   * Puts back an item that was taken and could not be placed, so that it keeps its turn; false when the queue is
   * full.
   */
  unshift(item: Item): boolean {
    if (this.#length === this.#slots.length) return false;
    this.#head = (this.#head + this.#slots.length - 1) % this.#slots.length;
    this.#slots[this.#head] = item;
    this.#length += 1;
    return true;
  }

  /** Takes the oldest item; undefined when nobody waits. */
  shift(): Item | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#slots.length;
    this.#length -= 1;
    return item;
  }
}
