// catalog-transfer.ts: a catalog from its files into a database that has none, and back.

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HeldSeat, PostgresError } from '../postgres/index.js';
import { createDirectory, nodeFileSystem, replaceFile, type StorageLog } from '../storage/index.js';
import type { Tag } from '../store-contract.js';
import { compareBooks } from './books.js';
import { CatalogError } from './catalog-error.js';
import { CatalogText } from './catalog-file.js';
import type { LoadedCatalog } from './catalog-store.js';
import { FileCatalogStore } from './file-catalog-store.js';
import { KeptSales } from './kept-sales.js';
import { READ_STORE } from './postgres-catalog-statements.js';
import { fillCatalogTables, PostgresCatalogStore } from './postgres-catalog-store.js';

/** What the order log says of itself. */
export interface LogEnd {
  readonly lastTag: Tag;
  readonly store: string;
}

const NO_EVENTS = { onState: () => undefined };

/**
 * The catalog of a directory. A start leaves its marks in the files, so it is a copy of them that is opened.
 *
 * @throws as FileCatalogStore.open() does, and CatalogError BAD_FILE where the catalog did not stop cleanly
 */
export async function readCatalogFiles(directory: string, log: StorageLog): Promise<LoadedCatalog> {
  const copy = await mkdtemp(join(tmpdir(), 'toystore-import-'));
  try {
    for (const name of ['catalog.csv', 'journal']) await copyIfThere(join(directory, name), join(copy, name));
    const options = { directory: copy, seedPath: join(directory, 'catalog.csv'), syncMode: 'commit', log } as const;
    const store = await FileCatalogStore.open(options, NO_EVENTS);
    await store.close(false, false);
    if (store.loaded.endedCleanly) return store.loaded;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  throw new CatalogError('BAD_FILE', `the catalog in ${directory} did not stop cleanly: start the store, and stop it`);
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if ((await nodeFileSystem.stat(from)) !== undefined) await copyFile(from, to);
}

/** Makes the files of a catalog in a directory that has none. @throws CatalogError BAD_FILE, StorageError */
export async function writeCatalogFiles(directory: string, loaded: LoadedCatalog): Promise<void> {
  const csvPath = join(directory, 'catalog.csv');
  if ((await nodeFileSystem.stat(csvPath)) !== undefined) {
    throw new CatalogError('BAD_FILE', `${csvPath} is there already: export into a directory that has no store`);
  }
  await createDirectory(directory);
  const { table, storeId, marks, sales } = loaded;
  const text = new CatalogText(rowsOf(loaded));
  await replaceFile(csvPath, [text.header, text.render(table.shown, 0, table.toys)], nodeFileSystem);
  const store = await FileCatalogStore.open({ directory, seedPath: csvPath, syncMode: 'commit', storeId }, NO_EVENTS);
  store.begin({ marks, quantities: table.shown, keptSales: () => sales });
  await store.close(true, false);
}

/** The catalog of a database. @throws PostgresError BAD_SCHEMA where there is none */
export async function readCatalogTables(seat: HeldSeat): Promise<LoadedCatalog> {
  const seed = async (): Promise<never> => {
    throw new PostgresError('BAD_SCHEMA', 'the database has no store to export');
  };
  return (await PostgresCatalogStore.open({ seat, seed, ...NO_EVENTS })).loaded;
}

/** Fills the tables of a database that has no store. @throws PostgresError BAD_SCHEMA where it has one */
export async function writeCatalogTables(seat: HeldSeat, loaded: LoadedCatalog): Promise<void> {
  const { storeId, marks, sales } = loaded;
  await fillCatalogTables(seat, { storeId, marks, sales, rows: rowsOf(loaded) });
}

/** Whether there is a store in the database. */
export async function hasCatalogTables(seat: HeldSeat): Promise<boolean> {
  return (await seat.read(READ_STORE)).length > 0;
}

/** Compares both books, which must be of one store and hold the same sales. @throws CatalogError BOOKS_DIFFER */
export function checkBothBooks({ storeId, marks, sales }: LoadedCatalog, { lastTag, store }: LogEnd): void {
  const kept = new KeptSales(sales);
  kept.settle(marks.settled);
  compareBooks({ storeId, endedCleanly: true, kept }, { logged: lastTag, store, endedUncleanly: false });
  const { length } = kept.after(lastTag);
  if (length === 0) return;
  throw new CatalogError(
    'BOOKS_DIFFER',
    `${length} sales are not in the order log yet: start the store as it is, stop it, and try again`,
  );
}

function rowsOf({ table }: LoadedCatalog) {
  return {
    names: Array.from({ length: table.toys }, (_, toy) => `${table.nameOf(toy)}`),
    pricesCents: table.pricesCents,
    quantities: table.shown,
    columns: ['name', 'price', 'quantity'],
    cells: undefined,
  };
}
