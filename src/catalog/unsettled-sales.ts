// unsettled-sales.ts: sales that are on disk here and may not be in the order service's log yet: what it asks for when it
// starts, and what a new journal has to begin with. Kept by the journal's thread, as the records that were journaled.

import type { Sale } from './sale-records.js';
import { lastSequenceOf, readSales } from './sale-records.js';

/** A sale with its whole tag. */
export interface TaggedSale extends Sale {
  readonly incarnation: number;
}

/** The tag of a purchase: which start of the order service, and which of its purchases. */
export interface Tag {
  readonly incarnation: number;
  readonly sequence: number;
}

interface Entry {
  readonly record: Buffer;
  readonly incarnation: number;
  readonly lastSequence: number;
  /** Ring position behind it; 0 for what was read from a journal. */
  readonly position: number;
}

/** Settled entries are removed from the front in groups of this many: to move the rest each time would cost more. */
const COMPACT_ENTRIES = 1024;

export class UnsettledSales {
  #entries: Entry[] = [];
  #first = 0;

  /** Takes in a Sales or Carried record of tagged sales. */
  add(record: Buffer, position: number): void {
    const lastSequence = lastSequenceOf(record);
    this.#entries.push({ record, incarnation: incarnationOf(record), lastSequence, position });
  }

  /** Forgets what is settled: all of the incarnations before, and those of this one up to the mark. */
  settle(incarnation: number, settled: number): void {
    for (; this.#first < this.#entries.length; this.#first++) {
      const entry = this.#entries[this.#first]!;
      if (entry.incarnation > incarnation) break;
      if (entry.incarnation === incarnation && entry.lastSequence > settled) break;
    }
    if (this.#first < COMPACT_ENTRIES && this.#first < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  /** The records of what was journaled at or before a ring position. */
  *recordsUpTo(position: number): Generator<Buffer> {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      if (entry.position <= position) yield entry.record;
    }
  }

  /** The sales after a tag, by tag. */
  after(tag: Tag): TaggedSale[] {
    const sales: TaggedSale[] = [];
    for (const sale of this.all()) if (compareTags(sale, tag) > 0) sales.push(sale);
    // They were journaled in the order of their tags, but for those sent again after a restart of the catalog.
    return sales.sort(compareTags);
  }

  /** Every sale, as journaled. */
  *all(): Generator<TaggedSale> {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const { record, incarnation } = this.#entries[index]!;
      for (const sale of readSales(record)) yield { ...sale, incarnation };
    }
  }
}

/** The incarnation in the head of a Sales or Carried record; 0: its sales have no tag. */
export function incarnationOf(record: Buffer): number {
  return record.readUInt32LE(1);
}

function compareTags(one: Tag, other: Tag): number {
  return one.incarnation - other.incarnation || one.sequence - other.sequence;
}
