// stock-table.ts: the toys in shared memory: found by the bytes of their names, the same table for every thread, under one
// reader-writer lock.
//
//   | lock | header u32 | holder numbers f64 | prices f64 | slots 2 × u32 | name ends u32 | shown u32 | holders | changing |
//   | asked | hold states | names |
//
// The main thread builds it once; names, prices and the index never change after that and are read without a lock. One
// thread alone writes the rest, under the write lock: the one that sells. All threads read it, under the read lock.
//
//   shown      what queries are told: on disk, and held differently by nobody
//   changing   how many sales of the toy are decided and not shown yet: what is shown now may not be held; with a mark while
//              the toy is delegated (delegations.ts): then it may not even be told
//   holders    a bit for each front end that may hold what is shown; also set under the read lock, by a find
//   asked      finds of holders since the last sale; also counted under the read lock
//   hold state whether holding the toy pays (hold-policy.ts)
//
// The index is open addressing with linear probing: a slot holds a hash and the toy's index plus one; at most half of the
// slots are taken, so that a look-up costs the same in a table of six toys and of a million (memory caches aside).

import { assert } from '../assert.js';
import { type LockStats, SharedRwLock } from '../lock/index.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogRows } from './catalog-file.js';
import { LOCK_TIMEOUT_MS } from './catalog-limits.js';
import { paysToHold, stateAfterSale } from './hold-policy.js';
import { HEADER_AT, HEADER_WORDS, HOLDER_SLOTS, layOut, SLOT_WORDS } from './stock-table-layout.js';

const HEADER_TOYS = 0;
const HEADER_SLOTS = 1;
const HEADER_NAMES_BYTES = 2;
const SLOTS_MIN = 16;
/** In `changing`, above any number of sales. */
const DELEGATED = 0x8000_0000;

/** What one look at the table under its lock has found, in the order of the toys asked for. */
export interface ShownQuantities {
  readonly quantities: number[];
  /** Whether the holder may go on showing each; empty where nobody holds. */
  readonly holdable: boolean[];
  /** Toys that must be recalled before any of this is told; mostly none. */
  readonly delegated: readonly number[];
}

const NO_TOYS: readonly number[] = [];

export class StockTable {
  /** Number of toys; their indexes are 0 to toys - 1, in the order of the file. */
  readonly toys: number;
  readonly pricesCents: Float64Array;
  /** Quantities that are on disk, by toy. Under the lock. */
  readonly shown: Uint32Array;
  readonly #holders: Int32Array;
  readonly #changing: Uint32Array;
  readonly #asked: Uint32Array;
  readonly #holdStates: Uint32Array;
  /** By slot; 0: the slot is free. */
  readonly #holderNumbers: Float64Array;
  readonly #slots: Uint32Array;
  readonly #slotMask: number;
  readonly #nameEnds: Uint32Array;
  readonly #names: Uint8Array;
  readonly #lock: SharedRwLock;

  /**
   * Attaches to a table that `build` made, in any thread. Each attachment is a holder of the lock and is used by one
   * thread, without overlap.
   */
  constructor(readonly memory: SharedArrayBuffer) {
    const header = new Uint32Array(memory, HEADER_AT, HEADER_WORDS);
    const toys = header[HEADER_TOYS]!;
    const slots = header[HEADER_SLOTS]!;
    const namesBytes = header[HEADER_NAMES_BYTES]!;
    const layout = layOut(toys, slots, namesBytes);
    assert(layout.end === memory.byteLength, 'the memory holds a stock table');
    this.toys = toys;
    this.pricesCents = new Float64Array(memory, layout.prices, toys);
    this.shown = new Uint32Array(memory, layout.shown, toys);
    this.#holders = new Int32Array(memory, layout.holders, toys);
    this.#changing = new Uint32Array(memory, layout.changing, toys);
    this.#asked = new Uint32Array(memory, layout.asked, toys);
    this.#holdStates = new Uint32Array(memory, layout.holdStates, toys);
    this.#holderNumbers = new Float64Array(memory, layout.holderNumbers, HOLDER_SLOTS);
    this.#slots = new Uint32Array(memory, layout.slots, slots * SLOT_WORDS);
    this.#slotMask = slots - 1;
    this.#nameEnds = new Uint32Array(memory, layout.nameEnds, toys + 1);
    this.#names = new Uint8Array(memory, layout.names, namesBytes);
    this.#lock = new SharedRwLock(new Int32Array(memory, 0, SharedRwLock.WORDS));
  }

  /** A new table with the toys of a file; `rows` has no name twice. */
  static build(rows: CatalogRows): StockTable {
    const toys = rows.names.length;
    let namesBytes = 0;
    for (const name of rows.names) namesBytes += Buffer.byteLength(name);
    const slots = Math.max(SLOTS_MIN, 2 ** Math.ceil(Math.log2(Math.max(1, toys) * 2)));
    const memory = new SharedArrayBuffer(layOut(toys, slots, namesBytes).end);
    new Uint32Array(memory, HEADER_AT, HEADER_WORDS).set([toys, slots, namesBytes]);
    const table = new StockTable(memory);
    table.#fill(rows);
    return table;
  }

  // ---- without the lock ----------------------------------------------------------------------------------------------

  /** Index of the toy with that name, -1 if there is none. */
  find(name: Uint8Array): number {
    const { length } = name;
    const hash = hashBytes(name, 0, length);
    for (let slot = hash & this.#slotMask; ; slot = (slot + 1) & this.#slotMask) {
      const place = this.#slots[slot * SLOT_WORDS + 1]!;
      if (place === 0) return -1;
      if (this.#slots[slot * SLOT_WORDS] === hash && this.#hasName(place - 1, name, length)) return place - 1;
    }
  }

  /** The name of a toy; a copy, for the table's memory is shared. */
  nameOf(index: number): Buffer {
    return Buffer.from(this.#names.slice(this.#nameEnds[index], this.#nameEnds[index + 1]));
  }

  /**
   * A number that stands for names, prices and the quantities given: two states of a catalog that differ have, but for
   * one chance in 2^32, different ones. The order of the rows does not matter. About 20 ms for a million toys.
   */
  fingerprint(quantities: Uint32Array): number {
    let low = this.toys | 0;
    let high = ~this.toys;
    for (let index = 0; index < this.toys; index++) {
      const name = hashBytes(this.#names, this.#nameEnds[index]!, this.#nameEnds[index + 1]!);
      const cents = this.pricesCents[index]!;
      const state = mix(mix(mix(name) ^ (cents | 0)) ^ ((cents / 2 ** 32) | 0)) ^ quantities[index]!;
      low = (low + mix(state)) | 0;
      high = (high + mix(state ^ 0x5bd1e995)) | 0;
    }
    return (high & 0xf_ffff) * 2 ** 32 + (low >>> 0);
  }

  // ---- under the lock ------------------------------------------------------------------------------------------------

  /**
   * What is shown of some toys, all at the same moment.
   *
   * @param toys indexes; -1 counts as a toy that is sold out
   * @param holder the number of the front end that asks, if it wants to hold them; 0 if not
   * @throws CatalogError LOCK_TIMEOUT
   */
  read(toys: readonly number[], holder: number): ShownQuantities {
    if (!this.#lock.acquireRead(LOCK_TIMEOUT_MS)) throw lockTimedOut();
    try {
      let delegated = NO_TOYS;
      const quantities = toys.map((toy) => {
        if (toy === -1) return 0;
        if (this.#changing[toy]! >= DELEGATED) delegated = [...delegated, toy];
        return this.shown[toy]!;
      });
      const slot = holder % HOLDER_SLOTS;
      // The number of an earlier registration holds nothing: nobody would tell it of a change.
      const isHolder = holder !== 0 && this.#holderNumbers[slot] === holder && delegated.length === 0;
      const holdable = isHolder ? toys.map((toy) => toy !== -1 && this.#hold(toy, 1 << slot)) : [];
      return { quantities, holdable, delegated };
    } finally {
      this.#lock.releaseRead();
    }
  }

  /** Runs `section`, which uses the methods below, under the write lock. @throws CatalogError LOCK_TIMEOUT */
  write<T>(section: () => T): T {
    if (!this.#lock.acquireWrite(LOCK_TIMEOUT_MS)) throw lockTimedOut();
    try {
      return section();
    } finally {
      this.#lock.releaseWrite();
    }
  }

  /**
   * A sale of a toy has been decided: from now on nobody may hold it.
   *
   * @param isDelegable see stateAfterSale()
   * @returns the bits of those who do; 0 also where it is delegated, for then it is recalled
   */
  beginChange(toy: number, isDelegable = false): number {
    this.#changing[toy]! += 1;
    this.#holdStates[toy] = stateAfterSale(this.#holdStates[toy]!, this.#asked[toy]!, isDelegable);
    this.#asked[toy] = 0;
    if (this.#changing[toy]! >= DELEGATED) return 0;
    const bits = this.#holders[toy]!;
    this.#holders[toy] = 0;
    return bits;
  }

  /** Whether the front end in that slot may hold the toy. */
  isHeldBy(toy: number, slot: number): boolean {
    return (this.#holders[toy]! & (1 << slot)) !== 0;
  }

  /** The bits of those who may hold it. */
  holdersOf(toy: number): number {
    return this.#holders[toy]!;
  }

  /** A sale has been decided of which its holder will know by itself: it goes on holding. */
  beginDelegatedChange(toy: number): void {
    this.#changing[toy]! += 1;
  }

  /** Nobody is told of the toy from now on. */
  markDelegated(toy: number): void {
    this.#changing[toy] = this.#changing[toy]! | DELEGATED;
  }

  /** Nobody holds it any more, and everybody may be told. */
  endDelegation(toy: number): void {
    this.#changing[toy] = this.#changing[toy]! & ~DELEGATED;
    this.#holders[toy] = 0;
  }

  /** That sale is on disk and held by nobody: it is shown. @param quantity what was sold; 0 if the sale was undone */
  endChange(toy: number, quantity: number): void {
    this.#changing[toy]! -= 1;
    this.shown[toy]! -= quantity;
  }

  /** Gives a slot to the front end of that number; 0: to nobody. */
  setHolder(slot: number, holder: number): void {
    this.#holderNumbers[slot] = holder;
  }

  /** How often and how long this attachment has waited for the lock. */
  lockStats(): LockStats {
    return this.#lock.stats();
  }

  /** Puts the lock right after the end of a thread that only read. */
  repairAfter(deadThreadId: number): void {
    this.#lock.repair(deadThreadId);
  }

  /** Gives the place among the lock's holders back; nothing is used after this. */
  detach(): void {
    this.#lock[Symbol.dispose]();
  }

  /** Whether a toy may be held; if so, the holder's bit stands from now on. Readers set bits side by side. */
  #hold(toy: number, bit: number): boolean {
    // Threads that count at once may lose a find: it is a guess of what pays, no more.
    this.#asked[toy]! += 1;
    if (this.#changing[toy] !== 0) return false;
    // Most finds of a holder are for what it has held before.
    if ((this.#holders[toy]! & bit) !== 0) return true;
    if (!paysToHold(this.#holdStates[toy]!, this.#asked[toy]!)) return false;
    Atomics.or(this.#holders, toy, bit);
    return true;
  }

  #fill(rows: CatalogRows): void {
    const names = Buffer.from(this.#names.buffer, this.#names.byteOffset, this.#names.length);
    this.pricesCents.set(rows.pricesCents);
    this.shown.set(rows.quantities);
    let end = 0;
    for (let index = 0; index < this.toys; index++) {
      const start = end;
      end += names.write(rows.names[index]!, start);
      this.#nameEnds[index + 1] = end;
      const hash = hashBytes(names, start, end);
      let slot = hash & this.#slotMask;
      while (this.#slots[slot * SLOT_WORDS + 1] !== 0) slot = (slot + 1) & this.#slotMask;
      this.#slots[slot * SLOT_WORDS] = hash;
      this.#slots[slot * SLOT_WORDS + 1] = index + 1;
    }
  }

  #hasName(index: number, name: Uint8Array, length: number): boolean {
    const start = this.#nameEnds[index]!;
    if (this.#nameEnds[index + 1]! - start !== length) return false;
    for (let at = 0; at < length; at++) {
      if (this.#names[start + at] !== name[at]) return false;
    }
    return true;
  }
}

/** FNV-1a over the bytes, then mixed: its low bits alone would put names that end alike into neighbouring slots. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return mix(hash) >>> 0;
}

/** The finalizer of MurmurHash3: every bit of the input changes each bit of the output in about half of the cases. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function lockTimedOut(): CatalogError {
  return new CatalogError('LOCK_TIMEOUT', `timed out after ${LOCK_TIMEOUT_MS} ms waiting for the catalog lock`);
}
