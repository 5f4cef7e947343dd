// catalog-link.ts: what the order engine asks of the catalog. The real link (grpc-catalog-link.ts) is one ordered stream;
// a simulation brings its own.

import { OrderError } from './order-error.js';
import { type OrderRequest, RESULT, type SoldOrder, type Tag } from './order-types.js';

/** Purchases under consecutive tags: the one at index i has the tag (incarnation, firstSequence + i). */
export interface PurchaseBatch {
  readonly incarnation: number;
  readonly firstSequence: number;
  /** All tags up to this one have an outcome that is on this service's disk. */
  readonly settledSequence: number;
  readonly purchases: readonly OrderRequest[];
}

/** The catalog's answer to Recover. */
export interface Recovery {
  /** The incarnation that begins now. */
  readonly incarnation: number;
  /** The sales after the logged tag, oldest first. */
  readonly sales: readonly SoldOrder[];
}

export interface CatalogLink {
  /**
   * Sends a batch and waits for as long as it takes: over a broken connection the same batch is sent again, in the order
   * of the first calls and before anything new. Batches are answered in the order in which they were given.
   *
   * @returns one result for each purchase (RESULT, never OPEN)
   * @throws OrderError FENCED when the catalog refuses this incarnation, PROTOCOL when its answer makes no sense
   */
  processOrders(batch: PurchaseBatch): Promise<readonly number[]>;
  /**
   * Begins a new incarnation.
   *
   * @throws whatever stood in the way; the caller tries again
   */
  recover(logged: Tag): Promise<Recovery>;
}

/** What of the catalog's results is a refusal, and our own answer too. Throws OrderError PROTOCOL for any other. */
export function refusalOf(result: number): number {
  const isKnown = result === RESULT.UNKNOWN_TOY || result === RESULT.NOT_ENOUGH_STOCK || result === RESULT.NOT_SELLING;
  if (!isKnown) throw new OrderError('PROTOCOL', `the catalog answered a purchase with ${result}`);
  return result;
}
