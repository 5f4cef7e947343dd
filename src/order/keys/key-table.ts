// key-table.ts: fingerprints of keys by generation, oldest forgotten first.
//
//   oldest generation … newest: rotated when full; let go as a whole, never key by key
//
// How long a generation stays is a matter of three numbers, see KeyTableOptions: there is no timer, the clock is that of
// the orders themselves, so that a table rebuilt from a file forgets what the one before the restart forgot.

import { KeyGeneration } from './key-generation.js';

export interface KeyTableOptions {
  /** Slots of a full-grown generation, as a power of two; three quarters of them are used. */
  readonly slotBitsMax: number;
  /** More are never held: memory is bounded by generationsMax * 8 bytes * 2^slotBitsMax. */
  readonly generationsMax: number;
  /** A generation is not let go while fewer keys than this would remain. */
  readonly keysMin: number;
  /** A generation is not let go before its newest key is this old. */
  readonly ageMs: number;
}

/** The first generation begins small (32 KiB) and grows: most stores never see a million keys. */
const SLOT_BITS_MIN = 12;

/** Pairs of fingerprint and order number. Numbers must be added in rising order. */
export class KeyTable {
  /** Keys let go although they were younger than promised, because `generationsMax` was reached. */
  forgottenEarly = 0;
  readonly #options: KeyTableOptions;
  readonly #generations: KeyGeneration[] = [];
  #count = 0;

  constructor(options: KeyTableOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Remembers that the key with that fingerprint was bound to order `number` at `atMs` (ms since 1970). */
  add(fingerprint: number, number: number, atMs: number): void {
    this.#roomFor(number, atMs).add(fingerprint, number, atMs);
    this.#count++;
  }

  /** Appends to `found` the numbers of the orders whose key has that fingerprint; nearly always none, or the one. */
  find(fingerprint: number, found: number[]): void {
    for (const generation of this.#generations) generation.find(fingerprint, found);
  }

  #roomFor(number: number, nowMs: number): KeyGeneration {
    const { slotBitsMax } = this.#options;
    const newest = this.#generations.at(-1);
    if (newest?.covers(number)) {
      if (!newest.isFull) return newest;
      if (newest.slotBits < slotBitsMax) {
        newest.grow();
        return newest;
      }
    }
    this.#letGo(nowMs);
    // Only the very first one grows: copying a large table takes milliseconds, zeroed memory is free.
    const next = new KeyGeneration(number, newest === undefined ? Math.min(SLOT_BITS_MIN, slotBitsMax) : slotBitsMax);
    this.#generations.push(next);
    return next;
  }

  #letGo(nowMs: number): void {
    const { generationsMax, keysMin, ageMs } = this.#options;
    for (;;) {
      const oldest = this.#generations[0];
      if (oldest === undefined) return;
      const isOld = oldest.newestAtMs <= nowMs - ageMs && this.#count - oldest.count >= keysMin;
      if (!isOld && this.#generations.length < generationsMax) return;
      if (!isOld) this.forgottenEarly += oldest.count;
      this.#count -= oldest.count;
      this.#generations.shift();
    }
  }
}
