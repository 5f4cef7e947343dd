// catalog-store.ts: what the engine asks of the place that keeps its state across restarts. The engine decides in memory and
// hands every effect to its store; nothing is shown or answered before the store says that it is durable.
//
//   open ──► loaded: toys, marks, kept sales      at the start, once
//   append(group) ──► durable                     one batch of purchases, or marks alone; several may be in flight
//   close                                         everything is durable, and the next start knows that the end was clean
//
//   state    open ──a write fails──> full ──writing works again──> open        open, full ──the outcome is unknown──> failed
//
// file-catalog-store.ts keeps it in a journal and catalog.csv.

import type { JournalState, JournalStats } from '../storage/index.js';
import type { Tag } from '../store-contract.js';
import type { StockTable } from './stock-table.js';

/** One purchase that was sold. Incarnation 0: without a tag, nobody asks for it again. */
export interface Sale extends Tag {
  /** Index of the toy in the table that was loaded; -1: a toy that is no longer there. */
  readonly toy: number;
  /** The toy's name, in UTF-8. */
  readonly name: Buffer;
  /** 1 to 4294967295. */
  readonly quantity: number;
  /** The order's idempotency key, in ASCII; '' if there is none. */
  readonly key: string;
}

/** How far the catalog and the order service have come. */
export interface CatalogMarks {
  /** Newest incarnation of the order service; purchases of earlier ones are refused. 0: it has never called. */
  readonly incarnation: number;
  /** All purchases up to this tag are on the order service's disk, as it said itself. */
  readonly settled: Tag;
}

/** What is stored as one: the sales of one batch, oldest first, with the marks as they were then. */
export interface SaleGroup extends CatalogMarks {
  /** Empty where only the marks have changed. */
  readonly sales: readonly Sale[];
}

/** What a store held when it was opened. */
export interface LoadedCatalog {
  /** The store's id: 8 lower-case letters and digits, made at the first start and never changed. */
  readonly storeId: string;
  /** The toys (StockTable.build); what is shown is what is left after every sale that is stored. */
  readonly table: StockTable;
  readonly marks: CatalogMarks;
  /**
   * The newest tagged sales, oldest first: every one after `marks.settled`, and of those up to it the newest
   * SETTLED_SALES_KEPT, or as many as there are.
   */
  readonly sales: readonly Sale[];
  /** Whether the last run ended in order (so that nothing it had written can be missing), or there was none. */
  readonly endedCleanly: boolean;
  /** Whether sales that were answered may be missing: the last run ended otherwise, and syncs only now and then. */
  readonly mayLackSales: boolean;
  /**
   * Milliseconds for which front ends may still show what a process before this one let them hold, counted from the end
   * of that process. 0: nobody holds anything.
   */
  readonly leaseMs: number;
}

/** What the engine has in memory: the state after every group that it has appended. A store may look at any time. */
export interface CatalogState {
  readonly marks: CatalogMarks;
  /** What is left, by toy. Changes with each sale: copy what is to be kept. */
  readonly quantities: Uint32Array;
  /** The sales that a new start must find, oldest first; see LoadedCatalog.sales. A list of this moment. */
  keptSales(): readonly Sale[];
}

export interface CatalogStoreStats {
  /** What was written and synced; for a database, statements and their time. */
  readonly journal: JournalStats & { readonly bytes: number };
  readonly checkpoints: number;
  readonly lastCheckpointMs: number;
}

export interface CatalogStore {
  readonly loaded: LoadedCatalog;
  /** `open`: takes groups. `full`: a write failed, and none is taken now. `failed`: none will be before a restart. */
  readonly state: JournalState;

  /** Called once, before the first group: where the store may look up what the engine has. */
  begin(state: CatalogState): void;

  /**
   * Resolves, in the order of the calls, where no other order service has taken over from the one that asks.
   *
   * @param seatEpoch raised by each that takes over
   * @throws CatalogError REPLACED; NOT_JOURNALED where that cannot be found out now
   */
  admitOrderSeat(seatEpoch: number): Promise<void>;

  /**
   * Stores a group after all that were appended before. The engine has put it into its memory already. Resolves when it
   * is durable (with DURABILITY=periodic: written), in the order of the calls.
   *
   * @throws StorageError WRITE_FAILED: neither this group nor any appended after it is stored, nor will be; the state
   *   is `full` from then on, or until it was. Any other error: whether it is stored is unknown; the state is `failed`.
   *   Rejects, and does not throw, where the state is not `open`.
   */
  append(group: SaleGroup): Promise<void>;

  /**
   * Resolves when all that append() has resolved for is durable in the `periodic` mode too.
   *
   * @throws StorageError SYNC_FAILED
   */
  synced(): Promise<void>;

  /**
   * Stores that front ends may hold what they are shown, for this long after the process has ended. On disk when it
   * resolves; called before the first lease is given.
   *
   * @param leaseMs milliseconds
   * @throws StorageError
   */
  noteLeases(leaseMs: number): Promise<void>;

  /**
   * Until when nobody else can change what is stored, on the engine's monotonic clock in milliseconds: no lease is given
   * beyond it. Infinity where the process alone has the store for as long as it runs.
   */
  ownedUntilMs(): number;

  /** Brings what people read (catalog.csv) up to date now, where the store has such a thing. @throws StorageError */
  checkpoint(): Promise<void>;

  stats(): CatalogStoreStats;

  /**
   * Ends in order, after the last group. What cannot be written is logged and left to the next start.
   *
   * @throws StorageError: the end was not a clean one; all is closed
   * @param isClean everything appended was stored, and the next start may count this end as a clean one
   * @param hasLeases whether a front end may still hold something
   */
  close(isClean: boolean, hasLeases: boolean): Promise<void>;

  /** Stops all work of its own (timers, checkpoints) without writing: the process is about to end. */
  abandon(): void;
}

/** What a store tells the engine by itself. */
export interface CatalogStoreEvents {
  /** Called after each change of the state. */
  readonly onState: () => void;
}
