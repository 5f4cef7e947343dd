// plain-mutex.ts: the mutex that the reader-writer lock is measured beside: one word, free, held, or held with
// sleepers. After Drepper, "Futexes are tricky", 2011, his third mutex, with the same spinning before sleep as our
// lock.

const FREE = 0;
const HELD = 1;
const HELD_AND_AWAITED = 2;
const SPINS = 100;

export class PlainMutex {
  readonly #words: Int32Array;

  /** @param words its first word is the mutex */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  acquire(): void {
    if (Atomics.compareExchange(this.#words, 0, FREE, HELD) === FREE) return;
    for (let spin = 0; spin < SPINS; spin += 1) {
      if (Atomics.load(this.#words, 0) === FREE && Atomics.compareExchange(this.#words, 0, FREE, HELD) === FREE) return;
    }
    while (Atomics.exchange(this.#words, 0, HELD_AND_AWAITED) !== FREE) Atomics.wait(this.#words, 0, HELD_AND_AWAITED);
  }

  release(): void {
    if (Atomics.exchange(this.#words, 0, FREE) === HELD_AND_AWAITED) Atomics.notify(this.#words, 0, 1);
  }
}
