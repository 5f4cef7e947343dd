// stock-table.ts: the toys in shared memory: found by the bytes of their names, the same table for every thread.
//
//   | header 16 × u32 | prices f64 × toys | slots 2 × u32 × slots | name ends u32 × (toys + 1) | sellable | shown | names |
//
// The main thread builds it once from the file; names, prices and the index never change after that and are read without
// a lock. Two quantities stand for each toy, and both are touched under the catalog's lock alone (catalog-memory.ts):
// `sellable`, what may still be sold, runs ahead; `shown`, what is on disk, follows once the journal is synced.
//
// The index is open addressing with linear probing: a slot holds a hash and the toy's index plus one; at most half of the
// slots are taken, so that a look-up costs the same in a table of six toys and of a million (memory caches aside).

import { assert } from '../assert.js';
import type { CatalogRows } from './catalog-file.js';

const HEADER_WORDS = 16;
const HEADER_TOYS = 0;
const HEADER_SLOTS = 1;
const HEADER_NAMES_BYTES = 2;
const SLOTS_MIN = 16;
const SLOT_WORDS = 2;

/** Where each part of the table begins, in bytes. */
interface Layout {
  readonly prices: number;
  readonly slots: number;
  readonly nameEnds: number;
  readonly sellable: number;
  readonly shown: number;
  readonly names: number;
  readonly end: number;
}

export class StockTable {
  /** Number of toys; their indexes are 0 to toys - 1, in the order of the file. */
  readonly toys: number;
  /** Quantities that are on disk, by toy. Under the lock. */
  readonly shown: Uint32Array;
  /** Quantities that may still be sold, by toy. Under the lock. */
  readonly sellable: Uint32Array;
  readonly pricesCents: Float64Array;
  readonly #slots: Uint32Array;
  readonly #slotMask: number;
  readonly #nameEnds: Uint32Array;
  readonly #names: Uint8Array;

  /** Attaches to a table that `build` made, in any thread. */
  constructor(readonly memory: SharedArrayBuffer) {
    const header = new Uint32Array(memory, 0, HEADER_WORDS);
    const toys = header[HEADER_TOYS]!;
    const slots = header[HEADER_SLOTS]!;
    const namesBytes = header[HEADER_NAMES_BYTES]!;
    const layout = layOut(toys, slots, namesBytes);
    assert(layout.end === memory.byteLength, 'the memory holds a stock table');
    this.toys = toys;
    this.pricesCents = new Float64Array(memory, layout.prices, toys);
    this.sellable = new Uint32Array(memory, layout.sellable, toys);
    this.shown = new Uint32Array(memory, layout.shown, toys);
    this.#slots = new Uint32Array(memory, layout.slots, slots * SLOT_WORDS);
    this.#slotMask = slots - 1;
    this.#nameEnds = new Uint32Array(memory, layout.nameEnds, toys + 1);
    this.#names = new Uint8Array(memory, layout.names, namesBytes);
  }

  /** A new table with the toys of a file; `rows` has no name twice. */
  static build(rows: CatalogRows): StockTable {
    const toys = rows.names.length;
    let namesBytes = 0;
    for (const name of rows.names) namesBytes += Buffer.byteLength(name);
    const slots = Math.max(SLOTS_MIN, 2 ** Math.ceil(Math.log2(Math.max(1, toys) * 2)));
    const memory = new SharedArrayBuffer(layOut(toys, slots, namesBytes).end);
    new Uint32Array(memory, 0, HEADER_WORDS).set([toys, slots, namesBytes]);
    const table = new StockTable(memory);
    table.#fill(rows);
    return table;
  }

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

  /** The name of a toy; a copy. */
  nameOf(index: number): string {
    // A decoder of text takes no shared memory.
    return Buffer.from(this.#names.slice(this.#nameEnds[index], this.#nameEnds[index + 1])).toString();
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

  #fill(rows: CatalogRows): void {
    const names = Buffer.from(this.#names.buffer, this.#names.byteOffset, this.#names.length);
    this.pricesCents.set(rows.pricesCents);
    this.sellable.set(rows.quantities);
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

function layOut(toys: number, slots: number, namesBytes: number): Layout {
  const prices = HEADER_WORDS * 4;
  const slotsAt = prices + toys * 8;
  const nameEnds = slotsAt + slots * SLOT_WORDS * 4;
  const sellable = nameEnds + (toys + 1) * 4;
  const shown = sellable + toys * 4;
  const names = shown + toys * 4;
  return { prices, slots: slotsAt, nameEnds, sellable, shown, names, end: names + namesBytes };
}
