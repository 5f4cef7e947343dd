// catalog-error.ts: what can go wrong in the catalog, as a closed list. What is expected (unknown toy, not enough stock,
// not selling) is an outcome, see RESULT in store-contract.ts, and never an error.

/**
 * - `BAD_FILE`: catalog.csv or the seed cannot be used; the message names file, line and reason.
 * - `BAD_JOURNAL`: the journal contradicts itself or catalog.csv; the message says what to do.
 * - `FOREIGN_INCARNATION`: the purchase belongs to another start of the order service than the newest.
 * - `SETTLED_TAG`: the purchase has been settled before; it is a stale copy and its answer is not waited for.
 * - `TAG_WINDOW`: more purchases are unsettled than the catalog remembers; send again once some are settled.
 * - `BAD_PURCHASE`: a purchase breaks the limits of the interface: a mistake of the caller.
 * - `NOT_JOURNALED`: whether the purchase is on disk is not known, and will not be before a restart.
 * - `STOPPED`: the catalog is closing.
 * - `BOOKS_DIFFER`: the order log and the catalog do not belong together; the message says which is behind and what to do.
 * - `LOCK_TIMEOUT`: the lock of the table was not given back: the process must end and start again.
 * - `LEASES_OPEN`: a front end may still hold what a catalog before this one has shown; ask again.
 * - `REPLACED`: another order service has taken over from the one that asks, which has to end.
 * - `NOT_OWNER`: another catalog may have taken over; ask whoever serves.
 */
export type CatalogErrorCode =
  | 'BAD_FILE'
  | 'BAD_JOURNAL'
  | 'FOREIGN_INCARNATION'
  | 'SETTLED_TAG'
  | 'TAG_WINDOW'
  | 'BAD_PURCHASE'
  | 'NOT_JOURNALED'
  | 'STOPPED'
  | 'BOOKS_DIFFER'
  | 'LOCK_TIMEOUT'
  | 'LEASES_OPEN'
  | 'REPLACED'
  | 'NOT_OWNER';

/** Every error that the catalog throws on purpose. Its message is one line. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';

  constructor(
    readonly code: CatalogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
