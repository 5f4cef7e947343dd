// A catalog of a million toys, and a journal of a million sales (a quarter of that where time is short): both open in
// seconds, and a look-up costs what it costs among six. The bounds are far above what this takes, so that a slow machine
// passes, and far below what a scan would take.

import test from 'ava';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { SETTLED_SALES_KEPT } from '../../src/catalog/catalog-limits.js';
import { CatalogRecovery } from '../../src/catalog/catalog-recovery.js';
import { encodeBase, encodeSales, SALES } from '../../src/catalog/sale-records.js';
import { StockTable } from '../../src/catalog/stock-table.js';
import { isThorough } from '../support/effort.js';

/** A quarter shows as well what takes the square of it, or a scan for each look-up. */
const MANY = isThorough ? 1_000_000 : 250_000;
const LIMIT_MS = 60_000;
const LOOK_UPS = MANY / 5;

function csvOf(toys: number): Buffer {
  const rows = Array.from({ length: toys }, (_, index) => `Toy number ${index},19.5,100\n`);
  return Buffer.from(`name,price,quantity\n${rows.join('')}`);
}

test.serial(`${MANY} toys are read within ${LIMIT_MS / 1000} s and found as fast as six`, (t) => {
  const csv = csvOf(MANY);
  const startMs = performance.now();
  const table = StockTable.build(parseCatalog(csv, 'toys.csv'));
  const readMs = performance.now() - startMs;
  t.is(table.toys, MANY);
  t.true(readMs < LIMIT_MS, `${readMs} ms`);

  const small = StockTable.build(parseCatalog(csvOf(6), 'toys.csv'));
  const smallNs = nsPerLookUp(small, 6);
  const largeNs = nsPerLookUp(table, MANY);
  t.log(
    `read ${Math.round(readMs)} ms; look-up ${Math.round(smallNs)} ns among six, ${Math.round(largeNs)} ns among ${MANY}`,
  );
  t.true(largeNs < smallNs * 100 + 5_000);
});

test.serial(`a journal of ${MANY} sales is replayed within ${LIMIT_MS / 1000} s`, (t) => {
  const table = StockTable.build(parseCatalog(Buffer.from(`name,price,quantity\nTux,1,${4 * MANY}\n`), 'toys.csv'));
  const recovery = new CatalogRecovery(table, true);
  const startMs = performance.now();
  recovery.onRecord(encodeBase(table.fingerprint(table.shown)));
  const name = Buffer.from('Tux');
  for (let sequence = 1; sequence <= MANY; sequence++) {
    const settled = { incarnation: 1, sequence: Math.max(0, sequence - 100) };
    const sale = { incarnation: 1, sequence, quantity: 2, name, key: 'key' };
    recovery.onRecord(encodeSales(SALES, { incarnation: 1, settled }, [sale]));
  }
  const { sales } = recovery.apply({ csv: 'catalog.csv', journal: 'journal' });
  const replayMs = performance.now() - startMs;
  t.is(table.shown[0], 2 * MANY);
  t.is(sales.length, SETTLED_SALES_KEPT + 100);
  t.log(`replayed in ${Math.round(replayMs)} ms`);
  t.true(replayMs < LIMIT_MS, `${replayMs} ms`);
});

function nsPerLookUp(table: StockTable, toys: number): number {
  const names = Array.from({ length: LOOK_UPS }, (_, index) => Buffer.from(`Toy number ${(index * 7919) % toys}`));
  const startMs = performance.now();
  let found = 0;
  for (const name of names) if (table.find(name) !== -1) found++;
  const elapsedMs = performance.now() - startMs;
  if (found !== LOOK_UPS) throw new Error(`${found} of ${LOOK_UPS} toys were found`);
  return (elapsedMs * 1e6) / LOOK_UPS;
}
