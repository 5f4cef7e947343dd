// catalog-files.ts: catalog.csv and the journal as a start finds them: both opened and read, and what is to be written before
// anything is sold. Nothing is written here yet. What their content means for the stock: catalog-recovery.ts.

import { join } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import {
  type FileSystem,
  GuardedFile,
  Journal,
  nodeFileSystem,
  type StorageLog,
  type SyncMode,
  silentLog,
  writeChunks,
} from '../storage/index.js';
import { CatalogCheckpoint } from './catalog-checkpoint.js';
import { CatalogText } from './catalog-file.js';
import { CatalogRecovery } from './catalog-recovery.js';
import type { LoadedCatalog } from './catalog-store.js';
import { readToys } from './read-toys.js';
import { encodeBase, encodeStore } from './sale-records.js';
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

export interface CatalogFiles {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly log: StorageLog;
  readonly csv: GuardedFile;
  readonly journal: Journal;
  readonly checkpoint: CatalogCheckpoint;
  readonly loaded: LoadedCatalog;
  /** Writes what a start writes, and may be tried again. Throws StorageError. */
  readonly finish: () => Promise<void>;
}

export const JOURNAL_NAME = 'journal';
const CSV_NAME = 'catalog.csv';

/** @throws as FileCatalogStore.open() does */
export async function openCatalogFiles(options: FileStoreOptions, onJournalState: () => void): Promise<CatalogFiles> {
  const { directory, syncMode, fileSystem = nodeFileSystem, clock = systemClock, log = silentLog } = options;
  const paths = { csv: join(directory, CSV_NAME), journal: join(directory, JOURNAL_NAME) };
  const csv = await GuardedFile.open({ path: paths.csv, fileSystem, log, mode: 'read' });
  let opened: Journal | undefined;
  try {
    const { bytes, rows } = await readToys(csv, options.seedPath, fileSystem);
    const table = StockTable.build(rows);
    const recovery = new CatalogRecovery(table, csv.file !== undefined);
    const journal = await Journal.open({
      path: paths.journal,
      fileSystem,
      clock,
      log,
      syncMode,
      onRecord: (payload) => recovery.onRecord(payload),
      onState: onJournalState,
    });
    opened = journal;
    const found = recovery.apply(paths);
    const base = encodeBase(table.fingerprint(table.shown));
    const storeId = recovery.storeId ?? options.storeId ?? newStoreId();
    const finish = async (): Promise<void> => {
      if (csv.file === undefined) await csv.replace((file) => writeChunks(file, [bytes]));
      if (recovery.storeId === undefined) journal.append(encodeStore(storeId));
      if (!recovery.hasMatched) journal.append(base);
      await journal.commit();
      // Also where it is synced now and then: after a power failure the journal must not say that the end was a clean one.
      await journal.synced();
    };
    const { journalBytesMax } = options;
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
        ...(journalBytesMax === undefined ? {} : { journalBytesMax }),
      },
      recovery.changed > 0,
    );
    const loaded = { ...found, storeId, mayLackSales: !found.endedCleanly && syncMode !== 'commit' };
    return { directory, fileSystem, clock, log, csv, journal, checkpoint, loaded, finish };
  } catch (error) {
    await closeUnclean({ csv, journal: opened });
    throw error;
  }
}

/** The next start sees that this one came to nothing. */
export async function closeUnclean({
  csv,
  journal,
}: {
  csv: GuardedFile;
  journal: Journal | undefined;
}): Promise<void> {
  await journal?.close().catch(() => undefined);
  await csv.close(false).catch(() => undefined);
}
