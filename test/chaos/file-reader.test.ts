// The reader of files that change: whatever is not whole, or cannot be, is found.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { keepReading } from './file-reader.js';

const SHELF = [
  { name: 'Tux', stock: 10 },
  { name: 'Bear, brown', stock: 3 },
];
const CATALOG = 'name,price,quantity\nTux,9.99,8\n"Bear, brown",9.99,3\n';
const ORDERS = 'order_number,name,quantity,key,ordered_at,retry_key\n';

const wrong: [what: string, catalog: string, orders: string, violation: RegExp][] = [
  ['a catalog cut short', 'name,price,quantity\nTux,9', ORDERS, /could not be read: Invalid Record Length/],
  ['a toy without its row', 'name,price,quantity\nTux,9.99,8\n', ORDERS, /Bear, brown: catalog.csv says NaN after 3/],
  ['stock that rises', CATALOG.replace('99,8', '99,11'), ORDERS, /Tux: catalog.csv says 11 after 10/],
  ['a row cut short', CATALOG, `${ORDERS}0,Tux`, /could not be read: Invalid Record Length/],
  ['a name cut short', CATALOG, `${ORDERS}0,"Bear, b`, /could not be read: Quote Not Closed/],
  ['a gap', CATALOG, `${ORDERS}0,Tux,1,a,,\n2,Tux,1,b,,\n`, /row 1 of orders.csv has number 2/],
  ['more sold than there was', CATALOG, `${ORDERS}0,Tux,11,a,,\n`, /Tux: 11 in orders.csv, but there were 10/],
];

for (const [what, catalog, orders, violation] of wrong) {
  test(`while selling: ${what}`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'toystore-files-'));
    await mkdir(join(dataDir, 'catalog'));
    await mkdir(join(dataDir, 'order'));
    await writeFile(join(dataDir, 'catalog', 'catalog.csv'), catalog);
    await writeFile(join(dataDir, 'order', 'orders.csv'), orders);
    const closing = new AbortController();
    const found: string[] = [];
    const onViolation = (what: string): void => {
      found.push(what);
      closing.abort();
    };
    await keepReading({ dataDir, shelf: SHELF, closing: closing.signal, onViolation, isDisturbed: false });
    t.regex(found.join('\n'), violation);
    await rm(dataDir, { recursive: true });
  });
}
