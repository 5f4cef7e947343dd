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
    this.#slots[this.#slotOf(this.#length)] = item;
    this.#length += 1;
    return true;
  }

  /**
   * Puts an item ahead of those at the end that it goes before; false when the queue is full. It moves each of them by
   * one, which is fine for what is rare.
   */
  insert(item: Item, goesBefore: (other: Item) => boolean): boolean {
    if (!this.push(item)) return false;
    let slot = this.#slotOf(this.#length - 1);
    for (let place = this.#length - 2; place >= 0; place -= 1) {
      const ahead = this.#slotOf(place);
      const other = this.#slots[ahead]!;
      if (!goesBefore(other)) break;
      this.#slots[slot] = other;
      this.#slots[ahead] = item;
      slot = ahead;
    }
    return true;
  }

  /** The oldest item, which stays; undefined when nobody waits. */
  get first(): Item | undefined {
    return this.#slots[this.#head];
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

  #slotOf(place: number): number {
    return (this.#head + place) % this.#slots.length;
  }
}
