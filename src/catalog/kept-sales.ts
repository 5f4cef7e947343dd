// kept-sales.ts: the newest tagged sales, in memory: what the order service is told when it starts, and what a new journal
// begins with.
//
//   oldest                      settled sale                              newest
//   ┤ SETTLED_SALES_KEPT at most │ not on the order service's disk, as far as it has said │
//
// Sales up to the mark `settled` are on the order service's disk. The newest of them are kept all the same: its log may
// have lost its end in a crash, or somebody may have put an older one in its place, and the two are told apart by it.

import { compareTags, NO_TAG, type Tag } from '../store-contract.js';
import { SETTLED_SALES_KEPT } from './catalog-limits.js';
import type { Sale } from './catalog-store.js';

/** Sales that are kept no longer are removed from the front in groups of this many: moving the rest each time costs more. */
const COMPACT_SALES = 1024;

export class KeptSales {
  /** By tag. Sales before `#first` are kept no longer; those before `#open` are settled. */
  #sales: Sale[];
  #first = 0;
  #open = 0;

  /** @param sales tagged; all of them count as unsettled until settle() */
  constructor(sales: readonly Sale[] = []) {
    this.#sales = sales.toSorted(compareTags);
  }

  get newest(): Tag {
    return tagOf(this.#sales.at(-1));
  }

  get newestSettled(): Tag {
    return tagOf(this.#sales[this.#open - 1]);
  }

  /** Takes in a tagged sale that is not settled. */
  add(sale: Sale): void {
    let place = this.#sales.length;
    // A purchase that was refused, and whose refusal a restart has forgotten, may be sold after later ones.
    while (place > this.#open && compareTags(this.#sales[place - 1]!, sale) > 0) place--;
    if (place === this.#sales.length) this.#sales.push(sale);
    else this.#sales.splice(place, 0, sale);
  }

  /** Takes an unsettled sale out again: it could not be stored. */
  remove(sale: Sale): void {
    this.#sales.splice(this.#sales.lastIndexOf(sale), 1);
  }

  /** Takes note that the order service has everything up to a mark, and forgets what is settled for long. */
  settle(mark: Tag): void {
    while (this.#open < this.#sales.length && compareTags(this.#sales[this.#open]!, mark) <= 0) this.#open++;
    this.#first = Math.max(this.#first, this.#open - SETTLED_SALES_KEPT);
    if (this.#first < COMPACT_SALES) return;
    this.#sales = this.#sales.slice(this.#first);
    this.#open -= this.#first;
    this.#first = 0;
  }

  /** Whether every sale after a tag is here; if in doubt, not. */
  hasAllAfter(tag: Tag): boolean {
    const wasForgotten = this.#open - this.#first >= SETTLED_SALES_KEPT;
    return !wasForgotten || compareTags(tag, this.#sales[this.#first]!) >= 0;
  }

  after(tag: Tag): Sale[] {
    return this.all().filter((sale) => compareTags(sale, tag) > 0);
  }

  /** Every sale that is kept; a copy. */
  all(): Sale[] {
    return this.#sales.slice(this.#first);
  }
}

function tagOf(sale: Sale | undefined): Tag {
  return sale === undefined ? NO_TAG : { incarnation: sale.incarnation, sequence: sale.sequence };
}
