// made-files.ts: data directories as a crash leaves them, with a million of everything, made without running a store.
//
//   order/     orders.journal with every order since the store was opened, or orders.csv and a young journal
//   catalog/   catalog.csv with a million toys; and a journal of a million sales that are not yet in it

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { encodeBase, encodeSales, SALES } from '../../src/catalog/sale-records.js';
import { StockTable } from '../../src/catalog/stock-table.js';
import { systemClock } from '../../src/clock.js';
import { Log } from '../../src/log.js';
import { FileOrderLog } from '../../src/order/file-order-log.js';
import { Journal, nodeFileSystem } from '../../src/storage/index.js';

export const MILLION = 1_000_000;
/** Orders, or sales, that one write takes. */
const GROUP = 5000;
const STOCK = 4_294_967_295;
/** As the catalog calls it. */
const JOURNAL_NAME = 'journal';
/** What the toys are called. */
const nameOf = (index: number): string => `Toy number ${index}`;

/** `count` different names among `toys` toys, spread over all of them. */
export function toyNames(toys: number, count: number): string[] {
  const stride = 7919;
  return Array.from({ length: Math.min(count, toys) }, (_, index) => nameOf((index * stride) % toys));
}

/** The text of a toys.csv. */
export function toysCsv(toys: number): string {
  const rows = Array.from({ length: toys }, (_, index) => `${nameOf(index)},19.5,${STOCK}\n`);
  return `name,price,quantity\n${rows.join('')}`;
}

/**
 * @param inJournal a folder that gets `order/` with a million orders in the journal
 * @param inFile the same with all of them in orders.csv, after a checkpoint
 */
export async function makeOrders(inJournal: string, inFile: string): Promise<void> {
  const directory = path.join(inFile, 'order');
  const crashed = path.join(inJournal, 'order');
  for (const folder of [directory, crashed]) await mkdir(folder, { recursive: true });
  const log = await FileOrderLog.open({
    directory,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    logger: new Log('silent'),
    syncPeriodMs: 20,
    keySeed: 1,
    checkpointBytes: Number.POSITIVE_INFINITY,
  });
  for (let first = 0; first < MILLION; first += GROUP) {
    const orders = Array.from({ length: GROUP }, (_, index) => ({
      tag: { incarnation: 1, sequence: first + index + 1 },
      name: 'Elephant',
      quantity: 1,
      key: `0b3a6a1c-93f2-4f8b-${first + index}`,
      transient: false,
    }));
    await log.append(orders);
  }
  for (const name of ['orders.csv', 'orders.journal']) {
    await copyFile(path.join(directory, name), path.join(crashed, name));
  }
  await log.close();
}

/** Puts `catalog/` with a million toys into `folder`, as one does by hand before the first start. */
export async function makeToys(folder: string): Promise<void> {
  const directory = path.join(folder, 'catalog');
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'catalog.csv'), toysCsv(MILLION));
}

/** What a catalog that was made has to say. */
export interface MadeCatalog {
  readonly lastToy: string;
  readonly stock: number;
  readonly stockAfterSales: number;
}

/** Puts `catalog/` with a million toys and, in its journal, a sale of each of them into `folder`. */
export async function makeCatalog(folder: string): Promise<MadeCatalog> {
  const directory = path.join(folder, 'catalog');
  await mkdir(directory, { recursive: true });
  const csv = Buffer.from(toysCsv(MILLION));
  await writeFile(path.join(directory, 'catalog.csv'), csv);
  const table = StockTable.build(parseCatalog(csv, 'catalog.csv'));
  const journal = await Journal.open({
    path: path.join(directory, JOURNAL_NAME),
    syncMode: 'commit',
    onRecord: () => undefined,
  });
  journal.append(encodeBase(table.fingerprint(table.shown)));
  const key = 'a-key-of-a-customer';
  for (let sequence = 1; sequence <= MILLION; sequence++) {
    const sale = { incarnation: 1, sequence, quantity: 1, name: Buffer.from(nameOf(sequence - 1)), key };
    const settled = { incarnation: 1, sequence: sequence - 1 };
    journal.append(encodeSales(SALES, { incarnation: 1, settled }, [sale]));
    if (sequence % GROUP === 0) await journal.commit();
  }
  await journal.close();
  return { lastToy: nameOf(MILLION - 1), stock: STOCK, stockAfterSales: STOCK - 1 };
}
