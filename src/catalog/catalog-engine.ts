// catalog-engine.ts: the catalog without sockets, threads and real time: opens what is on the disk, finds, sells, recovers,
// keeps catalog.csv fresh, closes. The service runs one in its main thread and attaches more sellers, in other threads, to
// its memory; a simulation runs one alone on a disk and a clock of its own.
//
//   seller (here) ──┐
//   seller (thread) ┴─> shared memory ──> keeper ──> journal ──┐
//                                                    checkpoint ┴─> catalog.csv

import { join } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import {
  type FileSystem,
  Journal,
  type JournalStats,
  nodeFileSystem,
  readWholeFile,
  replaceFile,
  type StorageLog,
  type SyncMode,
} from '../storage/index.js';
import { CatalogCheckpoint } from './catalog-checkpoint.js';
import { CatalogError } from './catalog-error.js';
import { type CatalogRows, CatalogText, parseCatalog } from './catalog-file.js';
import { CatalogMemory, type SellerCounters, type SellingState } from './catalog-memory.js';
import { CatalogRecovery } from './catalog-recovery.js';
import { CatalogSeller, type FoundToys, type PurchaseBatch } from './catalog-seller.js';
import { JournalKeeper, type Recovered } from './journal-keeper.js';
import type { PurchaseOutcome } from './purchase-outcome.js';
import { encodeBase } from './sale-records.js';
import type { Tag } from './unsettled-sales.js';

export interface CatalogEngineOptions {
  /** Where catalog.csv and the journal are; it must exist. */
  readonly directory: string;
  /** Taken for catalog.csv where there is none yet. */
  readonly seedPath: string;
  readonly syncMode: SyncMode;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  readonly log?: StorageLog;
  /** Rings the bell of a seller in another thread; the engine's own seller has index 0. */
  readonly ringSeller?: (seller: number) => void;
  /** Whether toys are sold has changed. */
  readonly onState?: (state: SellingState) => void;
  /** What is in memory can no longer be trusted: end, and start again. Nothing more is written. */
  readonly onBroken?: (error: Error) => void;
  /** Size at which the journal begins anew, in bytes. */
  readonly journalBytesMax?: number;
}

export interface CatalogStats {
  readonly state: SellingState;
  readonly toys: number;
  readonly sellers: SellerCounters;
  readonly journal: JournalStats & { readonly bytes: number };
  readonly checkpoints: number;
  readonly lastCheckpointMs: number;
}

const CSV_NAME = 'catalog.csv';
const JOURNAL_NAME = 'journal';
/** The seller of the engine itself: the index of its bell. */
const OWN_SELLER = 0;

export class CatalogEngine {
  readonly memory: CatalogMemory;
  readonly #journal: Journal;
  readonly #keeper: JournalKeeper;
  readonly #checkpoint: CatalogCheckpoint;
  readonly #seller: CatalogSeller;
  readonly #log: StorageLog | undefined;
  readonly #onBroken: (error: Error) => void;
  #isBroken = false;

  /**
   * Opens the catalog in a directory: reads catalog.csv (or takes the seed), and brings the stock to where the journal says.
   *
   * @throws CatalogError BAD_FILE, BAD_JOURNAL; StorageError CORRUPT, INACCESSIBLE, WRITE_FAILED, SYNC_FAILED. Files that
   *   were refused are left as they are.
   */
  static async open(options: CatalogEngineOptions): Promise<CatalogEngine> {
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    const paths = { csv: join(options.directory, CSV_NAME), journal: join(options.directory, JOURNAL_NAME) };
    const found = await readFile(paths.csv, fileSystem);
    const seed = found === undefined ? await readFile(options.seedPath, fileSystem) : undefined;
    const bytes = found ?? seed;
    if (bytes === undefined) {
      throw new CatalogError(
        'BAD_FILE',
        `${options.seedPath}: no such file, and there is no ${paths.csv}: set SEED_CSV`,
      );
    }
    const rows = parseCatalog(bytes, found === undefined ? options.seedPath : paths.csv);
    const memory = CatalogMemory.create(rows);
    const recovery = new CatalogRecovery(memory.table, found !== undefined);
    let keeper: JournalKeeper | undefined;
    const journal = await Journal.open({
      path: paths.journal,
      fileSystem,
      clock: options.clock ?? systemClock,
      ...(options.log === undefined ? {} : { log: options.log }),
      syncMode: options.syncMode,
      onRecord: (payload) => recovery.onRecord(payload),
      onState: () => keeper?.onJournalState(),
    });
    try {
      const changed = recovery.apply(memory, paths);
      if (seed !== undefined) await replaceFile(paths.csv, [seed], fileSystem);
      if (!recovery.hasMatched) {
        journal.append(encodeBase(memory.table.fingerprint(memory.table.shown)));
        await journal.commit();
      }
      const engine = new CatalogEngine({ options, fileSystem, rows, memory, recovery, journal, paths, changed });
      keeper = engine.#keeper;
      return engine;
    } catch (error) {
      await journal.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(opened: {
    readonly options: CatalogEngineOptions;
    readonly fileSystem: FileSystem;
    readonly rows: CatalogRows;
    readonly memory: CatalogMemory;
    readonly recovery: CatalogRecovery;
    readonly journal: Journal;
    readonly paths: { readonly csv: string };
    /** Toys whose quantity differs from catalog.csv. */
    readonly changed: number;
  }) {
    const { options, memory, journal, fileSystem } = opened;
    const { unsettled } = opened.recovery;
    this.memory = memory;
    this.#journal = journal;
    this.#log = options.log;
    this.#onBroken = options.onBroken ?? (() => undefined);
    this.#keeper = new JournalKeeper({
      memory,
      journal,
      unsettled,
      ringSeller: (seller) => (seller === OWN_SELLER ? this.#seller.ring() : options.ringSeller?.(seller)),
      onSold: () => this.#checkpoint.onSold(),
      onState: (state) => options.onState?.(state),
      onBroken: (error) => this.#break(error),
    });
    this.#checkpoint = new CatalogCheckpoint(
      {
        csvPath: opened.paths.csv,
        text: new CatalogText(opened.rows),
        memory,
        journal,
        keeper: this.#keeper,
        unsettled,
        fileSystem,
        clock: options.clock ?? systemClock,
        syncPeriodMs: options.syncMode === 'commit' ? undefined : options.syncMode.periodMs,
        ...(options.journalBytesMax === undefined ? {} : { journalBytesMax: options.journalBytesMax }),
        onFailure: (error) => this.#log?.error('catalog.csv could not be written; it is tried again', { error }),
      },
      opened.changed > 0,
    );
    // A holder of the lock each: the keeper's sections and the seller's never overlap, but their owners take turns.
    this.#seller = new CatalogSeller(new CatalogMemory(memory.parts), OWN_SELLER, () => this.#keeper.wake());
  }

  /** The toys of those names; see CatalogSeller.find(). */
  find(names: readonly Uint8Array[]): FoundToys {
    return this.#seller.find(names);
  }

  /** Executes purchases under tags; see CatalogSeller.purchase(). */
  purchase(batch: PurchaseBatch): Promise<PurchaseOutcome[]> {
    return this.#seller.purchase(batch);
  }

  /** Sells without a tag; see CatalogSeller.purchaseUntagged(). */
  purchaseUntagged(name: Uint8Array, quantity: number): Promise<PurchaseOutcome> {
    return this.#seller.purchaseUntagged(name, quantity);
  }

  /** Begins a new incarnation of the order service; see JournalKeeper.recover(). */
  recover(logged: Tag): Promise<Recovered> {
    return this.#keeper.recover(logged);
  }

  /** Tells that a seller in another thread has put something into the ring. */
  wakeKeeper(): void {
    this.#keeper.wake();
  }

  /** To be called after the end of each thread that had a seller. Ends the catalog if it died while it sold. */
  onThreadExit(threadId: number): void {
    this.memory.repairAfter(threadId);
    if (this.memory.isBroken) {
      this.#break(new CatalogError('BROKEN', 'a thread ended while it sold: the stock in memory may be half written'));
      return;
    }
    // It may have sold without having rung, or its bell may be lost with it; nobody else rings for what is rung for.
    this.#keeper.wake();
  }

  /** Brings catalog.csv up to date now. Throws StorageError; nothing is lost then. */
  checkpoint(): Promise<void> {
    return this.#checkpoint.write();
  }

  get state(): SellingState {
    return this.memory.state;
  }

  /** What there is to measure, at this moment. Stock by toy: memory.table. */
  stats(): CatalogStats {
    const { checkpoints, lastDurationMs } = this.#checkpoint.stats();
    return {
      state: this.state,
      toys: this.memory.table.toys,
      sellers: this.memory.counters(),
      journal: { ...this.#journal.stats(), bytes: this.#journal.bytes },
      checkpoints,
      lastCheckpointMs: lastDurationMs,
    };
  }

  /**
   * Sells no more, brings everything to the disk, and writes catalog.csv, which then is the truth. What cannot be written
   * is logged and left to the next start. Never rejects.
   */
  async close(): Promise<void> {
    try {
      if (!this.#isBroken) await this.#keeper.close();
      if (this.state === 'closed') await this.#checkpoint.close();
    } catch (error) {
      this.#log?.error('catalog.csv could not be written at the end; the journal has what it lacks', { error });
    }
    this.#checkpoint.abandon();
    await this.#journal.close().catch((error: unknown) => this.#log?.error('closing the journal failed', { error }));
  }

  #break(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#checkpoint.abandon();
    this.#onBroken(error);
  }
}

/** The content of a file, or undefined if there is none. Throws CatalogError BAD_FILE that names it. */
async function readFile(path: string, fileSystem: FileSystem): Promise<Buffer | undefined> {
  try {
    return await readWholeFile(path, fileSystem);
  } catch (cause) {
    throw new CatalogError('BAD_FILE', `${path} cannot be read`, { cause });
  }
}
