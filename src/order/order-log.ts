// order-log.ts: what the engine asks of the place that keeps the orders: numbered without a gap, written before anybody is
// told, found by number and by key. It survives restarts, and knows how far it goes.
//
//   open ──► lastTag, store, endedUncleanly      compared with the catalog's book before anything is sold (Recover)
//   begin(store) ──► append, append, …           in the order of their tags; the number is the place in the log
//   close
//
//   state    open ──no room──> full ──room again──> open        open, full ──what is kept is in doubt──> failed
//
// file-order-log.ts keeps it in orders.csv.

import type { JournalStats } from '../storage/index.js';
import type { Tag } from '../store-contract.js';
import type { KeyStats } from './keys/idempotency-keys.js';
import type { OrderError } from './order-error.js';
import type { LoggedOrder, SoldOrder } from './order-types.js';

export interface AppendedOrders {
  /** The number of the first; the others follow it. */
  readonly firstNumber: number;
  /**
   * Resolves when these and all before them are kept, whatever happens: the catalog may be told that they are settled.
   * Rejects with OrderError LOG_FAILED: they may be, or not.
   */
  readonly durable: Promise<void>;
}

export interface OrderLogStats {
  readonly orders: number;
  readonly bytes: number;
  readonly keys: KeyStats;
  /** What was written and synced; for a database, statements and their time. */
  readonly writes: JournalStats;
}

export interface OrderLog {
  readonly orderCount: number;
  /** The tag of the newest order; NO_TAG where there is none. */
  readonly lastTag: Tag;
  /** The store that the orders belong to; '' where there is none yet. */
  readonly store: string;
  /** The last run did not end with a clean stop: what it wrote last may be missing, and that is nobody's doing. */
  readonly endedUncleanly: boolean;
  /** Raised by each order service that takes the log over from another one; undefined where none can. */
  readonly seatEpoch?: number;
  /** What was wrong at the start, and where: one line. What stands behind that place is not among the orders. */
  readonly damage: string | undefined;
  /** `full`: nothing can be written for now. `failed`: nothing more before a new start. Reading goes on in any case. */
  readonly state: 'open' | 'full' | 'failed';
  /** What made it `failed`: one line. */
  readonly failure: OrderError | undefined;

  /**
   * Called before the first append: the catalog agrees with what the log holds. What stands behind a damage is cut off now.
   *
   * @param store the catalog's; the log's own, where that is not ''
   * @throws OrderError LOG_FAILED
   */
  begin(store: string): Promise<void>;

  /**
   * Makes orders of sales: readers see them, and their keys are bound, when this resolves. Waits for as long as there is
   * no room: they have been sold, there is no way back. One call at a time.
   *
   * @param orders in tag order, after all before them; not empty
   * @throws OrderError LOG_FAILED: they may be in the log or not. CLOSED at the end.
   */
  append(orders: readonly SoldOrder[]): Promise<AppendedOrders>;

  /** The order of that number, if there is one. */
  get(number: number): Promise<LoggedOrder | undefined>;

  /** The order that the key is bound to; undefined at once where there certainly is none. */
  findByKey(key: string): undefined | Promise<LoggedOrder | undefined>;

  /** All orders with tags after this one, oldest first, in groups. */
  ordersAfter(tag: Tag): AsyncIterable<readonly LoggedOrder[]>;

  stats(): OrderLogStats;

  /**
   * Ends waiting appends, brings to the disk what was written, and lets go. If all of that goes well it was a clean stop.
   *
   * @throws OrderError LOG_FAILED
   */
  close(): Promise<void>;
}
