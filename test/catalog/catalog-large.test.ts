// A catalog of a million toys, and a journal of a million sales: both open in seconds, and a look-up costs what it costs
// among six. The bounds are far above what this takes, so that a slow machine passes, and far below what a scan would take.

import test from 'ava';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { SETTLED_SALES_KEPT } from '../../src/catalog/catalog-limits.js';
import { CatalogRecovery } from '../../src/catalog/catalog-recovery.js';
import { encodeBase, encodeSales, SALES } from '../../src/catalog/sale-records.js';
import { StockTable } from '../../src/catalog/stock-table.js';

const MILLION = 1_000_000;
const LOOK_UPS = 200_000;

function csvOf(toys: number): Buffer {
  const rows = Array.from({ length: toys }, (_, index) => `Toy number ${index},19.5,100\n`);
  return Buffer.from(`name,price,quantity\n${rows.join('')}`);
}

test.serial('a million toys are read within 60 s and found as fast as six', (t) => {
  const csv = csvOf(MILLION);
  const startMs = performance.now();
  const table = StockTable.build(parseCatalog(csv, 'toys.csv'));
  const readMs = performance.now() - startMs;
  t.is(table.toys, MILLION);
  t.true(readMs < 60_000, `${readMs} ms`);

  const small = StockTable.build(parseCatalog(csvOf(6), 'toys.csv'));
  const smallNs = nsPerLookUp(small, 6);
  const largeNs = nsPerLookUp(table, MILLION);
  t.log(
    `read ${Math.round(readMs)} ms; look-up ${Math.round(smallNs)} ns among six, ${Math.round(largeNs)} ns among a million`,
  );
  t.true(largeNs < smallNs * 100 + 5_000);
});

test.serial('a journal of a million sales is replayed within 60 s', (t) => {
  const table = StockTable.build(parseCatalog(Buffer.from(`name,price,quantity\nTux,1,${4 * MILLION}\n`), 'toys.csv'));
  const recovery = new CatalogRecovery(table, true);
  const startMs = performance.now();
  recovery.onRecord(encodeBase(table.fingerprint(table.shown)));
  const name = Buffer.from('Tux');
  for (let sequence = 1; sequence <= MILLION; sequence++) {
    const settled = { incarnation: 1, sequence: Math.max(0, sequence - 100) };
    const sale = { incarnation: 1, sequence, quantity: 2, name, key: 'key' };
    recovery.onRecord(encodeSales(SALES, { incarnation: 1, settled }, [sale]));
  }
  const { sales } = recovery.apply({ csv: 'catalog.csv', journal: 'journal' });
  const replayMs = performance.now() - startMs;
  t.is(table.shown[0], 2 * MILLION);
  t.is(sales.length, SETTLED_SALES_KEPT + 100);
  t.log(`replayed in ${Math.round(replayMs)} ms`);
  t.true(replayMs < 60_000, `${replayMs} ms`);
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
