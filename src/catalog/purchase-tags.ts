// purchase-tags.ts: which purchases have been decided, so that one that is sent again gets the same answer.
//
//   slot of sequence s: s mod TAG_WINDOW
//
//     settled                newest
//   …────┤■■■■■■■■■■■■■■■■■■■■■■├─ ─ ─ ─ ─ ─ ─ ┤ settled + TAG_WINDOW
//   forgotten   remembered          free
//
// A tag is an incarnation (which start of the order service) and a sequence, counted from 1 in each. Sequences are
// consecutive, so the memory is a ring. The order service tells with each batch up to where it has everything on disk:
// those may be forgotten and are never executed again. All outcomes are remembered, refusals too: a stale copy of a
// refused purchase, left in a broken connection, must not sell what its caller has been told it did not get.

import { NO_TAG, RESULT, type Result, type Tag } from '../store-contract.js';
import { TAG_WINDOW } from './catalog-limits.js';
import type { CatalogMarks } from './catalog-store.js';
import type { KeptSales } from './kept-sales.js';

const MASK = TAG_WINDOW - 1;

export class PurchaseTags implements CatalogMarks {
  readonly #sequences = new Float64Array(TAG_WINDOW);
  readonly #results = new Int8Array(TAG_WINDOW);
  #incarnation = 0;
  #settled: Tag = NO_TAG;

  /** The tags as a start finds them: what was sold is known, what was refused is decided anew. */
  static load({ incarnation, settled }: CatalogMarks, kept: KeptSales): PurchaseTags {
    const tags = new PurchaseTags();
    tags.#incarnation = incarnation;
    tags.#settled = settled;
    for (const sale of kept.after({ incarnation, sequence: tags.settledSequence })) {
      if (tags.hasRoomFor(sale.sequence)) tags.remember(sale.sequence, RESULT.DONE);
    }
    return tags;
  }

  /** The newest incarnation: purchases of others are refused. 0: the order service has never called. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Everything up to this tag is on the order service's disk. Its incarnation is the newest that has sent a purchase. */
  get settled(): Tag {
    return this.#settled;
  }

  /** All sequences of the newest incarnation up to this one are forgotten. */
  get settledSequence(): number {
    return this.#settled.incarnation === this.#incarnation ? this.#settled.sequence : 0;
  }

  /** Begins an incarnation; nothing of those before is remembered here (their sales are: see kept-sales.ts). */
  begin(incarnation: number): void {
    this.#sequences.fill(0);
    this.#incarnation = incarnation;
  }

  /**
   * Takes note of how far the newest incarnation has settled; a mark that falls behind is an old one.
   *
   * @returns whether it is news
   */
  settle(sequence: number): boolean {
    const isNews = this.#settled.incarnation !== this.#incarnation || sequence > this.#settled.sequence;
    if (isNews) this.#settled = { incarnation: this.#incarnation, sequence };
    return isNews;
  }

  /** Whether sequences up to and including this one have a slot of their own. */
  hasRoomFor(sequence: number): boolean {
    return sequence <= this.settledSequence + TAG_WINDOW;
  }

  /** The outcome remembered for a sequence above `settledSequence`, or undefined. */
  recall(sequence: number): Result | undefined {
    const slot = sequence & MASK;
    return this.#sequences[slot] === sequence ? (this.#results[slot] as Result) : undefined;
  }

  /** @param sequence above `settledSequence`, with room for it */
  remember(sequence: number, result: Result): void {
    const slot = sequence & MASK;
    this.#sequences[slot] = sequence;
    this.#results[slot] = result;
  }
}
