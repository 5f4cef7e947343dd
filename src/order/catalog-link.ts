// catalog-link.ts: what the order engine asks of the catalog. The real link (grpc-catalog-link.ts) is one ordered stream;
// a simulation brings its own.

import { type PurchaseBatch, RESULT, type Tag } from '../store-contract.js';
import { OrderError } from './order-error.js';
import type { OrderRequest, SoldOrder } from './order-types.js';

/** What the catalog must know of the order log before it sells. */
export interface LogPosition {
  /** The tag of the newest order. */
  readonly logged: Tag;
  /** '' where there is no order. */
  readonly store: string;
  /** The order service did not stop cleanly: its log may lack what it had written last. */
  readonly endedUncleanly: boolean;
  /** See OrderLog. */
  readonly seatEpoch?: number | undefined;
}

/** The catalog's answer to Recover: either it sells from now on, or it lacks sales itself. */
export type Recovery =
  | {
      readonly store: string;
      /** The incarnation that begins now. */
      readonly incarnation: number;
      /** The sales after the logged tag, oldest first. */
      readonly sales: readonly SoldOrder[];
    }
  | {
      readonly store: string;
      /** Its newest sale: it lost those after it in a crash, and the log has them. */
      readonly lacking: Tag;
    };

export interface CatalogLink {
  /**
   * Sends a batch and waits for as long as it takes: over a broken connection the same batch is sent again, in the order
   * of the first calls and before anything new. Batches are answered in the order in which they were given.
   *
   * @returns one result for each purchase (RESULT, never OPEN)
   * @throws OrderError FENCED when the catalog refuses this incarnation, PROTOCOL when its answer makes no sense
   */
  processOrders(batch: PurchaseBatch<OrderRequest>): Promise<readonly number[]>;
  /**
   * Compares the two books, and begins a new incarnation where they agree.
   *
   * @throws OrderError FENCED when another order service has taken over; REFUSED where the books do not agree, with the
   *   catalog's line; else whatever stood in the way. The caller tries again but after FENCED.
   */
  recover(position: LogPosition): Promise<Recovery>;
  /** Resolves when no front end shows by itself what has been sold by now. Rejects where the catalog does not answer soon. */
  recall(): Promise<void>;
  /**
   * Gives the catalog sales that it lacks, oldest first; resolves when they are on its disk.
   *
   * @throws as recover does
   */
  restore(store: string, sales: AsyncIterable<readonly SoldOrder[]>): Promise<void>;
}

/** What of the catalog's results is a refusal, and our own answer too. Throws OrderError PROTOCOL for any other. */
export function refusalOf(result: number): number {
  const isKnown = result === RESULT.UNKNOWN_TOY || result === RESULT.NOT_ENOUGH_STOCK || result === RESULT.NOT_SELLING;
  if (!isKnown) throw new OrderError('PROTOCOL', `the catalog answered a purchase with ${result}`);
  return result;
}
