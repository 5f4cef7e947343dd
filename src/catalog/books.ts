// books.ts: compares the order log with the catalog, when the order service begins.
//
//   | the order log, beside the catalog                  | after a clean end of the one that is behind | after a crash of it    |
//   | ends before what it said was settled (it is behind) | refused: somebody has put an older one there | completed, if we can   |
//   | ends after our newest sale (the catalog is behind)  | refused: the same                            | completed from the log |
//   | ends in between                                     | completed                                    | completed              |
//   | belongs to another store                            | refused                                      | refused                |
//
// Nothing is ever guessed: a difference that a crash cannot have made, or that neither book can mend, stops the selling with
// one line that says what to do.

import { compareTags, type Tag } from '../store-contract.js';
import { CatalogError } from './catalog-error.js';
import type { KeptSales } from './kept-sales.js';

/** What the order service says of its log, in the words of the interface (RecoverRequest). */
export interface RecoverRequest {
  /** Tag of the newest sale in its log; NO_TAG if it is empty. */
  readonly logged: Tag;
  /** The store that the log belongs to; '' if it is empty. */
  readonly store: string;
  /** It did not stop cleanly the last time. */
  readonly endedUncleanly: boolean;
  /** The epoch of its seat, where several share a database. */
  readonly seatEpoch?: number | undefined;
}

interface CatalogBook {
  readonly storeId: string;
  readonly endedCleanly: boolean;
  readonly kept: KeptSales;
}

/**
 * @returns `in-step`: the catalog has every sale that the log lacks; `catalog-lacks`: the catalog lost the end of its sales in
 *   a crash, and the log has them
 * @throws CatalogError BOOKS_DIFFER
 */
export function compareBooks(catalog: CatalogBook, request: RecoverRequest): 'in-step' | 'catalog-lacks' {
  const { storeId, kept, endedCleanly } = catalog;
  const { logged, store, endedUncleanly } = request;
  if (store !== '' && store !== storeId) {
    throw new CatalogError(
      'BOOKS_DIFFER',
      `the order log belongs to the store ${store}, and the catalog to ${storeId}: put the two directories of one store side by side`,
    );
  }
  if (compareTags(logged, kept.newest) > 0) {
    if (!endedCleanly) return 'catalog-lacks';
    throw new CatalogError(
      'BOOKS_DIFFER',
      `the catalog is behind the order log: its newest sale is ${nameOf(storeId, kept.newest)}, and the log goes to ` +
        `${nameOf(storeId, logged)}: put the catalog's newer directory back`,
    );
  }
  const isBehind = compareTags(logged, kept.newestSettled) < 0;
  if (isBehind && !(endedUncleanly && kept.hasAllAfter(logged))) {
    throw new CatalogError(
      'BOOKS_DIFFER',
      `the order log is behind the catalog: it ends at ${nameOf(storeId, logged)}, was on disk up to ` +
        `${nameOf(storeId, kept.newestSettled)}, and lacks ${countLacking(kept, logged)}: put the newer orders.csv back`,
    );
  }
  return 'in-step';
}

function countLacking(kept: KeptSales, logged: Tag): string {
  const count = kept.after(logged).filter((sale) => compareTags(sale, kept.newestSettled) <= 0).length;
  return `${kept.hasAllAfter(logged) ? '' : 'more than '}${count} ${count === 1 ? 'order' : 'orders'}`;
}

/** A tag as it stands in orders.csv. */
function nameOf(storeId: string, { incarnation, sequence }: Tag): string {
  return incarnation === 0 ? 'its beginning' : `${storeId}-${incarnation}-${sequence}`;
}
