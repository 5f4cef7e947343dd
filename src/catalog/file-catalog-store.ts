// file-catalog-store.ts: the catalog's state in files: catalog.csv and the journal.
//
//   append ──> journal ──one write, one sync──> durable        checkpoint ──> catalog.csv, and now and then a new journal
//
// Both files have a second name, so that nobody can take their content away by the first; and both are looked at now and
// then. What was cut, or lost both names, is written anew from memory. While that does not work nothing is sold.
//
// The journal is the truth, catalog.csv is what people read; after a clean stop it is the other way round. What a start
// makes of the two: catalog-files.ts.

import { join } from 'node:path';
import type { Timer } from '../clock.js';
import { isOutOfRoom, type JournalState, StorageError } from '../storage/index.js';
import {
  type CatalogFiles,
  closeUnclean,
  type FileStoreOptions,
  JOURNAL_NAME,
  openCatalogFiles,
} from './catalog-files.js';
import { CHECKPOINT_RETRY_MS } from './catalog-limits.js';
import type {
  CatalogState,
  CatalogStore,
  CatalogStoreEvents,
  CatalogStoreStats,
  LoadedCatalog,
  SaleGroup,
} from './catalog-store.js';
import { encodeLeases, encodeSales, SALES } from './sale-records.js';

/** How often the files are looked at: well within the second in which what happens to them is to be noticed. */
const LOOK_PERIOD_MS = 250;

export class FileCatalogStore implements CatalogStore {
  readonly loaded: LoadedCatalog;
  readonly #files: CatalogFiles;
  readonly #onState: () => void;
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
    let store: FileCatalogStore | undefined;
    const files = await openCatalogFiles(options, () => {
      if (store !== undefined) store.#onJournalState();
    });
    try {
      store = new FileCatalogStore(files, events.onState);
      await store.#finishOpening();
      return store;
    } catch (error) {
      await closeUnclean(files);
      throw error;
    }
  }

  private constructor(files: CatalogFiles, onState: () => void) {
    this.loaded = files.loaded;
    this.#files = files;
    this.#onState = onState;
    this.#finish = files.finish;
    files.checkpoint.onFailure = (error) => {
      if (!this.#isCutOff) files.log.error('catalog.csv could not be written; it is tried again', { error });
    };
  }

  get state(): JournalState {
    const { state } = this.#files.journal;
    return state === 'open' && this.#isCutOff ? 'full' : state;
  }

  begin(state: CatalogState): void {
    this.#files.checkpoint.begin(state);
    this.#lookIn(0);
  }

  /** Two order services over one file are kept apart by its lock. */
  async admitOrderSeat(): Promise<void> {}

  append(group: SaleGroup): Promise<void> {
    return this.#append(encodeSales(SALES, group, group.sales), group.sales.length > 0);
  }

  synced(): Promise<void> {
    return this.#files.journal.synced();
  }

  async noteLeases(leaseMs: number): Promise<void> {
    this.#files.checkpoint.leaseMs = leaseMs;
    await this.#append(encodeLeases(leaseMs), false);
    await this.#files.journal.synced();
  }

  ownedUntilMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  checkpoint(): Promise<void> {
    return this.#files.checkpoint.write();
  }

  stats(): CatalogStoreStats {
    const { checkpoints, lastDurationMs } = this.#files.checkpoint.stats();
    return {
      journal: { ...this.#files.journal.stats(), bytes: this.#files.journal.bytes },
      checkpoints,
      lastCheckpointMs: lastDurationMs,
    };
  }

  async close(isClean: boolean, hasLeases: boolean): Promise<void> {
    const { directory, fileSystem, log, csv, journal, checkpoint } = this.#files;
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
    this.#files.checkpoint.abandon();
  }

  async #append(record: Buffer, isSale: boolean): Promise<void> {
    const { directory, journal, checkpoint } = this.#files;
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
    this.#files.checkpoint.onJournalState();
    this.#onState();
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#files.clock.after(delayMs, () => void this.#look());
  }

  #stopLooking(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Looks whether the files are what they were, and writes them anew where they are not. */
  async #look(): Promise<void> {
    const { checkpoint, journal } = this.#files;
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
    const { finding } = await this.#files.journal.check();
    return finding === 'same' || finding === 'returned';
  }

  async #writeAnew(isJournalWhole: boolean): Promise<void> {
    const { directory, log, checkpoint } = this.#files;
    await checkpoint.writeAnew();
    const path = join(directory, JOURNAL_NAME);
    if (!isJournalWhole) log.warn(`${path} was removed or cut while in use, and was written anew`, {});
  }

  #setCutOff(error: unknown): void {
    const { directory, log } = this.#files;
    const isCutOff = error !== undefined;
    if (isCutOff === this.#isCutOff) return;
    this.#isCutOff = isCutOff;
    if (isCutOff) log.error(`the files in ${directory} cannot be written: nothing is sold until they can`, { error });
    this.#onState();
  }
}
