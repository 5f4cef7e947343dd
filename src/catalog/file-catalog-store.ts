// file-catalog-store.ts: the catalog's state in files: catalog.csv and the journal.
//
//   append ──> journal ──one write, one sync──> durable        checkpoint ──> catalog.csv, and now and then a new journal
//
// Both files have a second name, so that nobody can take their content away by the first; and both are looked at now and
// then. What was cut, or lost both names, is written anew from memory. While that does not work nothing is sold.
//
// The journal is the truth, catalog.csv is what people read; after a clean stop it is the other way round. What a start
// makes of the two: catalog-recovery.ts.

import { join } from 'node:path';
import { type Clock, systemClock, type Timer } from '../clock.js';
import {
  type FileSystem,
  GuardedFile,
  isOutOfRoom,
  Journal,
  type JournalState,
  nodeFileSystem,
  StorageError,
  type StorageLog,
  type SyncMode,
  silentLog,
  writeChunks,
} from '../storage/index.js';
import { CatalogCheckpoint } from './catalog-checkpoint.js';
import { CatalogText } from './catalog-file.js';
import { CHECKPOINT_RETRY_MS } from './catalog-limits.js';
import { CatalogRecovery } from './catalog-recovery.js';
import type {
  CatalogState,
  CatalogStore,
  CatalogStoreEvents,
  CatalogStoreStats,
  LoadedCatalog,
  SaleGroup,
} from './catalog-store.js';
import { readToys } from './read-toys.js';
import { encodeBase, encodeLeases, encodeSales, encodeStore, SALES } from './sale-records.js';
import { StockTable } from './stock-table.js';
import { newStoreId } from './store-id.js';

export interface FileStoreOptions {
  /** Where catalog.csv and the journal are; it must exist. */
  readonly directory: string;
  /** Taken for catalog.csv where there is none yet. */
  readonly seedPath: string;
  readonly syncMode: SyncMode;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  readonly log?: StorageLog;
  /** Size at which the journal begins anew, in bytes. */
  readonly journalBytesMax?: number;
  /** Of a store that comes from elsewhere, where the directory has none yet. */
  readonly storeId?: string;
}

/** What a store works with. */
interface Parts {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly log: StorageLog;
  readonly csv: GuardedFile;
  readonly journal: Journal;
  readonly checkpoint: CatalogCheckpoint;
  readonly onState: () => void;
}

/** How often the files are looked at: well within the second in which what happens to them is to be noticed. */
const LOOK_PERIOD_MS = 250;
const CSV_NAME = 'catalog.csv';
const JOURNAL_NAME = 'journal';

export class FileCatalogStore implements CatalogStore {
  readonly loaded: LoadedCatalog;
  readonly #parts: Parts;
  #timer: Timer | undefined;
  #isClosed = false;
  /** What is written would be lost: the files have no names any more, or cannot be written anew. */
  #isCutOff = false;
  /** Writes what a start writes; undefined once that is done. */
  #finish: (() => Promise<void>) | undefined;

  /**
   * Opens the catalog in a directory: reads catalog.csv (or takes the seed), and brings the stock to where the journal says.
   * On a disk without room for what a start writes it is open and `full`, and goes on when there is room.
   *
   * @throws CatalogError BAD_FILE, BAD_JOURNAL; StorageError CORRUPT, INACCESSIBLE, WRITE_FAILED, SYNC_FAILED. Files that
   *   were refused are left as they are.
   */
  static async open(options: FileStoreOptions, events: CatalogStoreEvents): Promise<FileCatalogStore> {
    const { directory, fileSystem = nodeFileSystem, clock = systemClock, log = silentLog } = options;
    const paths = { csv: join(directory, CSV_NAME), journal: join(directory, JOURNAL_NAME) };
    const csv = await GuardedFile.open({ path: paths.csv, fileSystem, log, mode: 'read' });
    let journal: Journal | undefined;
    try {
      const { bytes, rows } = await readToys(csv, options.seedPath, fileSystem);
      const table = StockTable.build(rows);
      const recovery = new CatalogRecovery(table, csv.file !== undefined);
      let store: FileCatalogStore | undefined;
      journal = await Journal.open({
        path: paths.journal,
        fileSystem,
        clock,
        log,
        syncMode: options.syncMode,
        onRecord: (payload) => recovery.onRecord(payload),
        onState: () => {
          if (store !== undefined) store.#onJournalState();
        },
      });
      const loaded = recovery.apply(paths);
      const base = encodeBase(table.fingerprint(table.shown));
      const storeId = recovery.storeId ?? options.storeId ?? newStoreId();
      const opened = journal;
      const finish = async (): Promise<void> => {
        if (csv.file === undefined) await csv.replace((file) => writeChunks(file, [bytes]));
        if (recovery.storeId === undefined) opened.append(encodeStore(storeId));
        if (!recovery.hasMatched) opened.append(base);
        await opened.commit();
        // Also where it is synced now and then: after a power failure the journal must not say that the end was a clean one.
        await opened.synced();
      };
      const mayLackSales = !loaded.endedCleanly && options.syncMode !== 'commit';
      const checkpoint = new CatalogCheckpoint(
        {
          csv,
          csvBytes: bytes.length,
          log,
          text: new CatalogText(rows),
          storeId,
          table,
          journal,
          clock,
          ...(options.journalBytesMax === undefined ? {} : { journalBytesMax: options.journalBytesMax }),
        },
        recovery.changed > 0,
      );
      store = new FileCatalogStore(
        { directory, fileSystem, clock, log, csv, journal, checkpoint, onState: events.onState },
        { ...loaded, storeId, mayLackSales },
        finish,
      );
      await store.#finishOpening();
      return store;
    } catch (error) {
      await journal?.close().catch(() => undefined);
      await csv.close(false).catch(() => undefined);
      throw error;
    }
  }

  private constructor(parts: Parts, loaded: LoadedCatalog, finish: () => Promise<void>) {
    this.loaded = loaded;
    this.#parts = parts;
    this.#finish = finish;
    parts.checkpoint.onFailure = (error) => {
      if (!this.#isCutOff) parts.log.error('catalog.csv could not be written; it is tried again', { error });
    };
  }

  get state(): JournalState {
    const { state } = this.#parts.journal;
    return state === 'open' && this.#isCutOff ? 'full' : state;
  }

  begin(state: CatalogState): void {
    this.#parts.checkpoint.begin(state);
    this.#lookIn(0);
  }

  /** Two order services over one file are kept apart by its lock. */
  async admitOrderSeat(): Promise<void> {}

  append(group: SaleGroup): Promise<void> {
    return this.#append(encodeSales(SALES, group, group.sales), group.sales.length > 0);
  }

  synced(): Promise<void> {
    return this.#parts.journal.synced();
  }

  async noteLeases(leaseMs: number): Promise<void> {
    this.#parts.checkpoint.leaseMs = leaseMs;
    await this.#append(encodeLeases(leaseMs), false);
    await this.#parts.journal.synced();
  }

  ownedUntilMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  checkpoint(): Promise<void> {
    return this.#parts.checkpoint.write();
  }

  stats(): CatalogStoreStats {
    const { checkpoints, lastDurationMs } = this.#parts.checkpoint.stats();
    return {
      journal: { ...this.#parts.journal.stats(), bytes: this.#parts.journal.bytes },
      checkpoints,
      lastCheckpointMs: lastDurationMs,
    };
  }

  async close(isClean: boolean, hasLeases: boolean): Promise<void> {
    const { directory, fileSystem, log, csv, journal, checkpoint } = this.#parts;
    this.#stopLooking();
    const failures: unknown[] = [];
    const note = (message: string) => (error: unknown) => {
      failures.push(error);
      log.error(message, { error });
    };
    try {
      if (!hasLeases) checkpoint.leaseMs = 0;
      if (isClean) {
        await fileSystem.createDirectory(directory);
        const isCsvWhole = await checkpoint.isCsvWhole();
        const isJournalWhole = await this.#isJournalWhole();
        if (!isCsvWhole || !isJournalWhole || this.#isCutOff) await this.#writeAnew(isJournalWhole);
        await checkpoint.close();
      }
    } catch (error) {
      note('catalog.csv could not be written at the end; the journal has what it lacks')(error);
    }
    checkpoint.abandon();
    await journal.close().catch(note('closing the journal failed'));
    await csv.close(isClean && failures.length === 0).catch(note('closing catalog.csv failed'));
    if (failures.length > 0) throw failures[0];
  }

  abandon(): void {
    this.#stopLooking();
    this.#parts.checkpoint.abandon();
  }

  async #append(record: Buffer, isSale: boolean): Promise<void> {
    const { directory, journal, checkpoint } = this.#parts;
    if (this.#isCutOff) {
      throw new StorageError('WRITE_FAILED', `the files in ${directory} are gone or cannot be written`, {
        path: directory,
      });
    }
    journal.append(record);
    checkpoint.onAppended(record, isSale);
    await journal.commit();
  }

  /** Throws what is no want of room. */
  async #finishOpening(): Promise<void> {
    try {
      await this.#finish?.();
      this.#finish = undefined;
    } catch (error) {
      if (!isOutOfRoom(error)) throw error;
      this.#setCutOff(error);
    }
  }

  #onJournalState(): void {
    this.#parts.checkpoint.onJournalState();
    this.#parts.onState();
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#parts.clock.after(delayMs, () => void this.#look());
  }

  #stopLooking(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Looks whether the files are what they were, and writes them anew where they are not. */
  async #look(): Promise<void> {
    const { checkpoint, journal } = this.#parts;
    if (journal.state === 'failed') return;
    try {
      await this.#finishOpening();
      if (this.#finish !== undefined) return this.#lookIn(CHECKPOINT_RETRY_MS);
      const isCsvWhole = await checkpoint.isCsvWhole();
      const isJournalWhole = await this.#isJournalWhole();
      if (this.#isClosed) return;
      if (!isCsvWhole || !isJournalWhole || this.#isCutOff) await this.#writeAnew(isJournalWhole);
      this.#setCutOff(undefined);
    } catch (error) {
      this.#setCutOff(error);
    }
    this.#lookIn(this.#isCutOff ? CHECKPOINT_RETRY_MS : LOOK_PERIOD_MS);
  }

  async #isJournalWhole(): Promise<boolean> {
    const { finding } = await this.#parts.journal.check();
    return finding === 'same' || finding === 'returned';
  }

  async #writeAnew(isJournalWhole: boolean): Promise<void> {
    const { directory, log, checkpoint } = this.#parts;
    await checkpoint.writeAnew();
    const path = join(directory, JOURNAL_NAME);
    if (!isJournalWhole) log.warn(`${path} was removed or cut while in use, and was written anew`, {});
  }

  #setCutOff(error: unknown): void {
    const { directory, log, onState } = this.#parts;
    const isCutOff = error !== undefined;
    if (isCutOff === this.#isCutOff) return;
    this.#isCutOff = isCutOff;
    if (isCutOff) log.error(`the files in ${directory} cannot be written: nothing is sold until they can`, { error });
    onState();
  }
}
