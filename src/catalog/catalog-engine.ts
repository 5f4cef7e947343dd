// catalog-engine.ts: the catalog without sockets, threads and real time: it finds, sells, compares the books with the order
// service, lets front ends hold what they are shown, and closes. The service runs one in its main thread, which alone sells;
// other threads attach to its table and find. A simulation runs one alone on a disk and a clock of its own.
//
//   purchase ──► seller ──► store (journal, catalog.csv)
//                   └─────► holders ──► front ends
//                   └─────► table in shared memory ◄── find, in any thread

import { type Clock, systemClock } from '../clock.js';
import type { StorageLog } from '../storage/index.js';
import type { PurchaseBatch, Result, Tag } from '../store-contract.js';
import { compareBooks, type RecoverRequest } from './books.js';
import { CatalogError } from './catalog-error.js';
import type { FileStoreOptions } from './catalog-files.js';
import { HOLDERS_CLOSE_TIMEOUT_MS } from './catalog-limits.js';
import { CatalogSeller, type Purchase, type SellerStats, type SellingState } from './catalog-seller.js';
import type { CatalogStore, CatalogStoreEvents, CatalogStoreStats, Sale } from './catalog-store.js';
import { FileCatalogStore } from './file-catalog-store.js';
import type { HolderMessage, Watch } from './holder.js';
import { type HolderStats, Holders } from './holders.js';
import { KeptSales } from './kept-sales.js';
import type { OnStoring } from './open-batches.js';
import { PurchaseTags } from './purchase-tags.js';
import type { StockTable } from './stock-table.js';
import { type FoundToys, ToyFinder } from './toy-finder.js';

export interface CatalogEngineOptions {
  readonly clock?: Clock;
  readonly log?: StorageLog;
  /** How long a front end may show what it holds without hearing from the catalog. Milliseconds. */
  readonly leaseMs?: number;
  /** Whether toys are sold has changed. */
  readonly onState?: (state: SellingState) => void;
  /** What is in memory can no longer be trusted: end, and start again. Nothing more is written. */
  readonly onBroken?: (error: Error) => void;
}

/** The catalog's answer to the order service that begins. */
export type Recovered =
  | {
      readonly incarnation: number;
      readonly storeId: string;
      /** What was sold after the newest sale in its log, oldest first. */
      readonly sales: readonly Sale[];
    }
  | {
      /** The catalog's newest sale: it has lost what came after it, and asks for it (restore()). */
      readonly lacking: Tag;
      readonly storeId: string;
    };

export interface CatalogStats extends CatalogStoreStats {
  readonly state: SellingState;
  readonly toys: number;
  readonly seller: SellerStats;
  readonly holders: HolderStats;
}

const LEASE_MS_DEFAULT = 1_000;

export class CatalogEngine {
  readonly table: StockTable;
  readonly holders: Holders;
  readonly #store: CatalogStore;
  readonly #tags: PurchaseTags;
  readonly #kept: KeptSales;
  readonly #seller: CatalogSeller;
  readonly #finder: ToyFinder;
  readonly #clock: Clock;
  readonly #log: StorageLog | undefined;
  readonly #onBroken: (error: Error) => void;
  #isBroken = false;
  /** A power failure may have taken sales that were answered, and no order service has compared the books since. */
  #mayLackSales: boolean;

  /** Opens the catalog in a directory. Throws as FileCatalogStore.open() does. */
  static open(options: CatalogEngineOptions & FileStoreOptions): Promise<CatalogEngine> {
    return CatalogEngine.openOver((events) => FileCatalogStore.open(options, events), options);
  }

  /** Opens the catalog over a store. Throws what opening the store does. */
  static async openOver(
    openStore: (events: CatalogStoreEvents) => Promise<CatalogStore>,
    options: CatalogEngineOptions,
  ): Promise<CatalogEngine> {
    let engine: CatalogEngine | undefined;
    const onState = (): void => {
      if (engine !== undefined) options.onState?.(engine.state);
    };
    engine = new CatalogEngine(await openStore({ onState }), options);
    return engine;
  }

  private constructor(store: CatalogStore, options: CatalogEngineOptions) {
    const { loaded } = store;
    const { clock = systemClock, leaseMs = LEASE_MS_DEFAULT } = options;
    this.#clock = clock;
    this.#log = options.log;
    this.#onBroken = options.onBroken ?? (() => undefined);
    this.#store = store;
    this.table = loaded.table;
    this.#finder = new ToyFinder(this.table);
    const sellable = this.table.shown.slice();
    this.#kept = new KeptSales(loaded.sales);
    this.#kept.settle(loaded.marks.settled);
    this.#tags = PurchaseTags.load(loaded.marks, this.#kept);
    // An order service that goes on selling would never notice what is missing: it has to compare the books first.
    this.#mayLackSales = loaded.mayLackSales;
    if (loaded.mayLackSales) this.#tags.begin(this.#tags.incarnation + 1);
    this.holders = new Holders({
      table: this.table,
      clock,
      leaseMs,
      earlierLeaseMs: loaded.leaseMs,
      noteLeases: () => store.noteLeases(leaseMs),
      ownedUntilMs: () => store.ownedUntilMs(),
    });
    this.#seller = new CatalogSeller({
      table: this.table,
      sellable,
      tags: this.#tags,
      kept: this.#kept,
      store,
      holders: this.holders,
      onBroken: (error) => this.break(error),
    });
    store.begin({ marks: this.#tags, quantities: sellable, keptSales: () => this.#kept.all() });
  }

  /** The toys of those names; see ToyFinder.find(). Not before `holders.isEarlierOver`. */
  find(names: readonly Uint8Array[], holder = 0): FoundToys {
    return this.#finder.find(names, holder);
  }

  /** Takes toys back from the front end that they are delegated to; resolves when none of them is. */
  async recall(toys: readonly number[]): Promise<void> {
    await this.#seller.delegations.recall(toys);
  }

  /** Resolves when no front end shows by itself what has been sold by now. */
  async recallAll(): Promise<void> {
    await Promise.all([this.holders.earlierOver, this.#seller.delegations.recallAll()]);
  }

  /** Executes purchases under tags; see CatalogSeller.purchase(). */
  purchase(batch: PurchaseBatch<Purchase>, onStoring?: OnStoring): Promise<Result[]> {
    return this.#seller.purchase(batch, onStoring);
  }

  /** Sells without a tag; see CatalogSeller.purchaseUntagged(). */
  purchaseUntagged(name: Uint8Array, quantity: number, onStoring?: OnStoring): Promise<Result> {
    return this.#seller.purchaseUntagged(name, quantity, onStoring);
  }

  /**
   * The order service begins: compares the books, ends the incarnation before and begins a new one, which is on disk when
   * the promise resolves.
   *
   * @throws CatalogError BOOKS_DIFFER where nothing can mend the difference by itself; REPLACED, NOT_JOURNALED, STOPPED
   */
  async recover(request: RecoverRequest): Promise<Recovered> {
    const { storeId, endedCleanly } = this.#store.loaded;
    const { logged, seatEpoch } = request;
    // Nothing is waited for from here to the new incarnation: who is admitted later begins later.
    if (seatEpoch !== undefined) await this.#store.admitOrderSeat(seatEpoch);
    const catalog = { storeId, endedCleanly, kept: this.#kept };
    if (compareBooks(catalog, request) === 'catalog-lacks') return { lacking: this.#kept.newest, storeId };
    const incarnation = Math.max(this.#tags.incarnation, logged.incarnation) + 1;
    await this.#seller.begin(incarnation);
    this.#mayLackSales = false;
    return { incarnation, storeId, sales: this.#kept.after(logged) };
  }

  /**
   * Takes in sales of the order service's log that the catalog lost in a crash, after recover() has said so; on disk when
   * the promise resolves.
   *
   * @throws CatalogError BOOKS_DIFFER, NOT_JOURNALED, STOPPED: none of them is taken
   */
  async restore(storeId: string, sales: readonly Omit<Sale, 'toy'>[]): Promise<void> {
    const { loaded } = this.#store;
    if (storeId !== loaded.storeId || loaded.endedCleanly) {
      throw new CatalogError('BOOKS_DIFFER', `nothing is restored: the store ${loaded.storeId} lacks no sales`);
    }
    await this.#seller.restore(sales);
  }

  /** A front end wants to hold what it is shown; see Holders.watch(). */
  watch(send: (message: HolderMessage) => void): Watch {
    return this.holders.watch(send);
  }

  /** Brings catalog.csv up to date now. Throws StorageError; nothing is lost then. */
  checkpoint(): Promise<void> {
    return this.#store.checkpoint();
  }

  /** The newest incarnation of the order service; 0: it has never begun. */
  get incarnation(): number {
    return this.#tags.incarnation;
  }

  /** Whether no other process can have taken over what this one shows and sells. */
  get isOwner(): boolean {
    return this.#clock.monotonicMs() < this.#store.ownedUntilMs();
  }

  get state(): SellingState {
    return this.#seller.state;
  }

  /** What there is to measure, at this moment. */
  stats(): CatalogStats {
    return {
      ...this.#store.stats(),
      state: this.state,
      toys: this.table.toys,
      seller: this.#seller.stats(),
      holders: this.holders.stats(),
    };
  }

  /**
   * Asks the front ends to give back what they hold, so that the next start need not wait for them. Resolves when they
   * have, or when they have had time to.
   */
  async releaseHolders(): Promise<void> {
    let timer: ReturnType<Clock['after']> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = this.#clock.after(HOLDERS_CLOSE_TIMEOUT_MS, resolve);
    });
    await Promise.race([this.holders.close(), timeout]);
    timer?.cancel();
  }

  /**
   * Sells no more, brings everything to the disk, and writes catalog.csv, which then is the truth. What cannot be written
   * is logged and left to the next start.
   *
   * @throws StorageError: the end was not a clean one; all is closed, and nothing is lost
   */
  async close(): Promise<void> {
    if (this.#isBroken) return this.#store.abandon();
    if (this.holders.hasLeases) await this.releaseHolders();
    await this.#seller.close();
    const { hasLeases } = this.holders;
    this.holders.abandon();
    const isStored = this.state === 'closed';
    try {
      if (isStored && this.#mayLackSales) await this.#store.checkpoint();
    } finally {
      // An end that counts as clean would hide from the next start what this one has not found out.
      await this.#store.close(isStored && !this.#mayLackSales, hasLeases);
    }
  }

  /** To be called after the end of each thread that has looked into the table. */
  onThreadExit(threadId: number): void {
    this.table.repairAfter(threadId);
  }

  /** Ends the catalog: what is in memory cannot be trusted. */
  break(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#log?.error('the catalog has to end', { error });
    this.#store.abandon();
    this.holders.abandon();
    this.#onBroken(error);
  }
}
