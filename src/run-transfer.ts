// run-transfer.ts: `npm run import` and `npm run export`: a store from its files into a database, and back. Nothing may
// serve meanwhile: the files are locked, and both seats of the database are taken.
//
//   read one side ──► the books of that side agree? ──► the other side is empty? ──► orders, then the catalog

import { join } from 'node:path';
import {
  checkBothBooks,
  hasCatalogTables,
  readCatalogFiles,
  readCatalogTables,
  writeCatalogFiles,
  writeCatalogTables,
} from './catalog/catalog-transfer.js';
import { systemClock } from './clock.js';
import { UsageError, wantsHelp } from './flags.js';
import { Log } from './log.js';
import { exportOrders, importOrders, openOrdersFile } from './order/order-transfer.js';
import { PostgresOrderLog } from './order/postgres-order-log.js';
import { type Database, type HeldSeat, Reader, takeSeat } from './postgres/index.js';
import { EXIT_OK } from './process-end.js';
import { openDatabase } from './seated-service.js';
import { parseSettings } from './settings.js';
import { StartError } from './start-error.js';
import { createDirectory, lockDirectory } from './storage/index.js';

const HELP = {
  import: `Usage: npm run import -- --data-dir PATH --database-url URL

Copies the store of a data directory, which must be stopped, into a database that has none yet. The files stay as they are.
`,
  export: `Usage: npm run export -- --data-dir PATH --database-url URL

Copies the store of a database, which must be stopped, into a data directory that has none yet. The tables stay as they are.
`,
} as const;

/** What both commands work on. */
interface Transfer {
  readonly directories: { readonly catalog: string; readonly order: string };
  readonly seats: { readonly catalog: HeldSeat; readonly order: HeldSeat };
  readonly reader: Reader;
  readonly log: Log;
}

/** Runs the command; returns the exit code. @throws whatever stands in the way, with one line that says so */
export async function runTransfer(command: 'import' | 'export', argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(HELP[command]);
    return EXIT_OK;
  }
  const { databaseUrl, dataDir, logLevel } = parseSettings(argv, process.env);
  if (databaseUrl === undefined) throw new UsageError(`${command} needs a database: set DATABASE_URL`);
  const log = new Log(logLevel, { service: command });
  const database = await openDatabase(databaseUrl, command, log);
  const directories = { catalog: join(dataDir, 'catalog'), order: join(dataDir, 'order') };
  const releases: (() => Promise<void>)[] = [];
  try {
    for (const directory of Object.values(directories)) {
      await createDirectory(directory);
      const lock = await lockDirectory(directory);
      releases.push(() => lock.release());
    }
    const seats = { catalog: await seatOf(database, 'catalog'), order: await seatOf(database, 'order') };
    const reader = new Reader(database, systemClock);
    releases.push(
      () => seats.catalog.leave(),
      () => seats.order.leave(),
      () => reader.close(),
    );
    const transfer = { directories, seats, reader, log };
    const count = command === 'import' ? await importStore(transfer) : await exportStore(transfer);
    process.stdout.write(`${command}ed ${count} orders and the catalog: the books agree\n`);
    return EXIT_OK;
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

async function importStore({ directories, seats, reader, log }: Transfer): Promise<number> {
  const catalog = await readCatalogFiles(directories.catalog, log);
  const orders = await openOrdersFile(directories.order, log);
  const { lastTag, store } = orders;
  await orders.close();
  checkBothBooks(catalog, { lastTag, store });
  if (await hasCatalogTables(seats.catalog)) {
    throw new StartError('the database has a store already: import into one that has none');
  }
  const count = await importOrders(directories.order, seats.order, reader, store);
  await writeCatalogTables(seats.catalog, catalog);
  return count;
}

async function exportStore({ directories, seats, reader, log }: Transfer): Promise<number> {
  const catalog = await readCatalogTables(seats.catalog);
  const orders = await PostgresOrderLog.open({ seat: seats.order, reader, clock: systemClock, keySeed: 0 });
  const { lastTag, store } = orders;
  checkBothBooks(catalog, { lastTag, store });
  await writeCatalogFiles(directories.catalog, catalog);
  return exportOrders(seats.order, directories.order, store, log);
}

/** The seat, now; whoever has it serves, and must be stopped first. */
async function seatOf(database: Database, name: 'catalog' | 'order'): Promise<HeldSeat> {
  const closing = new AbortController();
  let why = '';
  const onWaiting = (reason: string): void => {
    why = reason;
    closing.abort();
  };
  const seat = await takeSeat({ database, clock: systemClock, name, closing: closing.signal, onWaiting });
  if (seat === undefined) throw new StartError(`nothing is copied: ${why}`);
  return seat;
}
