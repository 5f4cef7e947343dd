// idempotency-keys.ts: which order a key may be bound to, for the keys of the last day, in bounded memory.
//
//   customers' keys    at most 16 generations of 786,432 keys, 8 MiB each
//   made-up keys       at most 3 generations of 196,608 keys, 2 MiB each
//
// Promise: a customer's key is known for at least 24 hours and at least for the next 100,000 keys, one that a front end made
// up for its own retries, which end after seconds, for at least the next 100,000 of its kind. The bound: 12 million
// customers' keys (128 MiB). Whoever binds more than that in 24 hours loses the oldest ones early, and a repeat of
// such a key is then a new order; `forgottenEarly` counts them.
//
// A candidate is only a candidate: the tables hold fingerprints of 32 bits, the caller compares the key in the order's
// row. With 12 million keys one look-up in 360 reads a row in vain.

import { isMadeUpKey, MADE_UP_KEY_MARK } from '../../store-contract.js';
import { KeyTable, type KeyTableOptions } from './key-table.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const CUSTOMERS_KEYS: KeyTableOptions = { slotBitsMax: 20, generationsMax: 16, keysMin: 100_000, ageMs: DAY_MS };
const MADE_UP_KEYS: KeyTableOptions = { slotBitsMax: 18, generationsMax: 3, keysMin: 100_000, ageMs: 0 };

export interface KeyStats {
  readonly customers: number;
  readonly madeUp: number;
  /** Customers' keys that were forgotten before their day was over. */
  readonly forgottenEarly: number;
}

export class IdempotencyKeys {
  readonly #fingerprint: KeyFingerprint;
  readonly #customers = new KeyTable(CUSTOMERS_KEYS);
  readonly #madeUp = new KeyTable(MADE_UP_KEYS);

  /** @param seed any number; differs from run to run, so that nobody can prepare keys that fall on one place */
  constructor(seed: number) {
    this.#fingerprint = new KeyFingerprint(seed);
  }

  /** Binds a key to an order. Numbers must rise. */
  bind(key: string, number: number, orderedAtMs: number): void {
    this.#tableOf(isMadeUpKey(key)).add(this.#fingerprint.ofText(key), number, orderedAtMs);
  }

  /** The same for the ASCII bytes of a key from `start` to `end`. */
  bindBytes(bytes: Uint8Array, start: number, end: number, number: number, atMs: number): void {
    const isMadeUp = bytes[start] === MADE_UP_KEY_MARK.charCodeAt(0);
    this.#tableOf(isMadeUp).add(this.#fingerprint.ofBytes(bytes, start, end), number, atMs);
  }

  /** The numbers of orders that the key may be bound to; nearly always none, or the one. */
  candidates(key: string): number[] {
    const found: number[] = [];
    this.#tableOf(isMadeUpKey(key)).find(this.#fingerprint.ofText(key), found);
    return found;
  }

  stats(): KeyStats {
    const { count, forgottenEarly } = this.#customers;
    return { customers: count, madeUp: this.#madeUp.count, forgottenEarly };
  }

  #tableOf(isMadeUp: boolean): KeyTable {
    return isMadeUp ? this.#madeUp : this.#customers;
  }
}

/** The fingerprints of keys: 32 bits, never 0, the same for a key as text and for its bytes in a file. */
class KeyFingerprint {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  ofText(key: string): number {
    let hash = this.#seed;
    for (let index = 0; index < key.length; index++) hash = mix(hash, key.charCodeAt(index));
    return finish(hash);
  }

  ofBytes(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = mix(hash, bytes[at]!);
    return finish(hash);
  }
}

// FNV-1a with a rotation, so that high bits come back to low ones; finish() is the finalizer of MurmurHash3.
function mix(hash: number, code: number): number {
  const mixed = Math.imul(hash ^ code, 0x0100_0193);
  return (mixed << 13) | (mixed >>> 19);
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0 || 1;
}
