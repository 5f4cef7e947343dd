// file-catalog-store.ts: the catalog's state in files: catalog.csv and the journal.
//
//   append ──> journal ──one write, one sync──> durable        checkpoint ──> catalog.csv, and now and then a new journal
//
// The journal is the truth, catalog.csv is what people read; after a clean stop it is the other way round. What a start
// makes of the two: catalog-recovery.ts.

import { join } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import {
  type FileSystem,
  Journal,
  type JournalState,
  nodeFileSystem,
  readWholeFile,
  replaceFile,
  type StorageLog,
  type SyncMode,
} from '../storage/index.js';
import { CatalogCheckpoint } from './catalog-checkpoint.js';
import { CatalogError } from './catalog-error.js';
import { CatalogText, parseCatalog } from './catalog-file.js';
import { CatalogRecovery } from './catalog-recovery.js';
import type {
  CatalogState,
  CatalogStore,
  CatalogStoreEvents,
  CatalogStoreStats,
  LoadedCatalog,
  SaleGroup,
} from './catalog-store.js';
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

const CSV_NAME = 'catalog.csv';
const JOURNAL_NAME = 'journal';

export class FileCatalogStore implements CatalogStore {
  readonly loaded: LoadedCatalog;
  readonly #journal: Journal;
  readonly #checkpoint: CatalogCheckpoint;
  readonly #log: StorageLog | undefined;

  /**
   * Opens the catalog in a directory: reads catalog.csv (or takes the seed), and brings the stock to where the journal says.
   *
   * @throws CatalogError BAD_FILE, BAD_JOURNAL; StorageError CORRUPT, INACCESSIBLE, WRITE_FAILED, SYNC_FAILED. Files that
   *   were refused are left as they are.
   */
  static async open(options: FileStoreOptions, events: CatalogStoreEvents): Promise<FileCatalogStore> {
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
    const table = StockTable.build(rows);
    const recovery = new CatalogRecovery(table, found !== undefined);
    let checkpoint: CatalogCheckpoint | undefined;
    const journal = await Journal.open({
      path: paths.journal,
      fileSystem,
      clock: options.clock ?? systemClock,
      ...(options.log === undefined ? {} : { log: options.log }),
      syncMode: options.syncMode,
      onRecord: (payload) => recovery.onRecord(payload),
      onState: () => {
        checkpoint?.onJournalState();
        events.onState();
      },
    });
    try {
      const loaded = recovery.apply(paths);
      if (seed !== undefined) await replaceFile(paths.csv, [seed], fileSystem);
      const storeId = recovery.storeId ?? options.storeId ?? newStoreId();
      if (recovery.storeId === undefined) journal.append(encodeStore(storeId));
      if (!recovery.hasMatched) journal.append(encodeBase(table.fingerprint(table.shown)));
      await journal.commit();
      checkpoint = new CatalogCheckpoint(
        {
          csvPath: paths.csv,
          text: new CatalogText(rows),
          storeId,
          table,
          journal,
          fileSystem,
          clock: options.clock ?? systemClock,
          ...(options.journalBytesMax === undefined ? {} : { journalBytesMax: options.journalBytesMax }),
          onFailure: (error) => options.log?.error('catalog.csv could not be written; it is tried again', { error }),
        },
        recovery.changed > 0,
      );
      const mayLackSales = !loaded.endedCleanly && options.syncMode !== 'commit';
      return new FileCatalogStore({ ...loaded, storeId, mayLackSales }, journal, checkpoint, options.log);
    } catch (error) {
      await journal.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    loaded: LoadedCatalog,
    journal: Journal,
    checkpoint: CatalogCheckpoint,
    log: StorageLog | undefined,
  ) {
    this.loaded = loaded;
    this.#journal = journal;
    this.#checkpoint = checkpoint;
    this.#log = log;
  }

  get state(): JournalState {
    return this.#journal.state;
  }

  begin(state: CatalogState): void {
    this.#checkpoint.begin(state);
  }

  append(group: SaleGroup): Promise<void> {
    return this.#append(encodeSales(SALES, group, group.sales), group.sales.length > 0);
  }

  synced(): Promise<void> {
    return this.#journal.synced();
  }

  async noteLeases(leaseMs: number): Promise<void> {
    this.#checkpoint.leaseMs = leaseMs;
    await this.#append(encodeLeases(leaseMs), false);
    await this.#journal.synced();
  }

  ownedUntilMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  checkpoint(): Promise<void> {
    return this.#checkpoint.write();
  }

  stats(): CatalogStoreStats {
    const { checkpoints, lastDurationMs } = this.#checkpoint.stats();
    return {
      journal: { ...this.#journal.stats(), bytes: this.#journal.bytes },
      checkpoints,
      lastCheckpointMs: lastDurationMs,
    };
  }

  async close(isClean: boolean, hasLeases: boolean): Promise<void> {
    try {
      if (!hasLeases) this.#checkpoint.leaseMs = 0;
      if (isClean) await this.#checkpoint.close();
    } catch (error) {
      this.#log?.error('catalog.csv could not be written at the end; the journal has what it lacks', { error });
    }
    this.#checkpoint.abandon();
    await this.#journal.close().catch((error: unknown) => this.#log?.error('closing the journal failed', { error }));
  }

  abandon(): void {
    this.#checkpoint.abandon();
  }

  async #append(record: Buffer, isSale: boolean): Promise<void> {
    this.#journal.append(record);
    this.#checkpoint.onAppended(record, isSale);
    await this.#journal.commit();
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
