// toy-finder.ts: what any thread of the catalog does for those who look: it finds toys by name, and says whether whoever
// asks may go on showing them.

import { RESULT } from '../store-contract.js';
import { CatalogError } from './catalog-error.js';
import { BATCH_NAMES_MAX, LISTED_TOYS_MAX } from './catalog-limits.js';
import type { StockTable } from './stock-table.js';

/** The toys of a batch of names, as columns in the order of the names. */
export interface FoundToys {
  /** 0: found; -1: there is no toy of that name. */
  readonly results: number[];
  /** 0 where not found. */
  readonly pricesCents: number[];
  /** 0 where not found. */
  readonly quantities: number[];
  /** Whether the holder may go on showing each until its lease ends or it is told otherwise; empty: none of them. */
  readonly holdable: boolean[];
  /** Toys that must be recalled before any of this is told; it is to be looked for again then. Mostly none. */
  readonly delegated: readonly number[];
}

export interface ListedToys {
  readonly toys: { readonly name: string; readonly priceCents: number; readonly quantity: number }[];
  /** As in FoundToys. */
  readonly delegated: readonly number[];
}

export class ToyFinder {
  readonly table: StockTable;
  #batches = 0;
  #finds = 0;

  /** @param table an attachment of this thread's own */
  constructor(table: StockTable) {
    this.table = table;
  }

  /**
   * The toys of those names; quantities are what is on disk.
   *
   * @param holder the front end that asks and wants to hold what it gets, as Holders named it; 0 if it does not
   * @throws CatalogError BAD_PURCHASE, LOCK_TIMEOUT
   */
  find(names: readonly Uint8Array[], holder = 0): FoundToys {
    const { length } = names;
    if (length > BATCH_NAMES_MAX) {
      throw new CatalogError('BAD_PURCHASE', `${length} names in one message: at most ${BATCH_NAMES_MAX} are allowed`);
    }
    const { table } = this;
    // Names, index and prices never change: only the quantities need the lock.
    const toys = names.map((name) => table.find(name));
    const { quantities, holdable, delegated } = table.read(toys, holder);
    this.#batches++;
    this.#finds += length;
    return {
      results: toys.map((toy) => (toy === -1 ? RESULT.UNKNOWN_TOY : RESULT.DONE)),
      pricesCents: toys.map((toy) => (toy === -1 ? 0 : table.pricesCents[toy]!)),
      quantities,
      holdable,
      delegated,
    };
  }

  /** The first toys, in the order of the file; quantities are what is on disk. @throws CatalogError LOCK_TIMEOUT */
  list(limit: number): ListedToys {
    const { table } = this;
    const toys = Array.from({ length: Math.min(limit, table.toys, LISTED_TOYS_MAX) }, (_, toy) => toy);
    const { quantities, delegated } = table.read(toys, 0);
    const listed = toys.map((toy) => ({
      name: table.nameOf(toy).toString(),
      priceCents: table.pricesCents[toy]!,
      quantity: quantities[toy]!,
    }));
    return { toys: listed, delegated };
  }

  /** Messages answered, and names in them. */
  stats(): { readonly batches: number; readonly finds: number } {
    return { batches: this.#batches, finds: this.#finds };
  }
}
