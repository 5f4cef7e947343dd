// The two books, the catalog's and the order log, after people have put one of them back from a copy, or removed it. A
// difference that no crash explains stops selling with one line; what a crash explains is completed.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { stockOf } from '../support/store-client.js';
import { TouchedStore } from '../support/touched-store.js';

// One after the other: each starts up to five processes.
const test = ava.serial;

/** What is done to the data directory after a clean stop with five orders, and what the line says then. */
const swaps: readonly { readonly name: string; readonly command: string; readonly line: RegExp }[] = [
  {
    name: 'an older catalog',
    command: 'rm -r catalog && cp -r ../old/catalog .',
    line: /catalog is behind the order log/,
  },
  {
    name: 'an older order log',
    command: 'rm -r order && cp -r ../old/order .',
    line: /order log is behind .* lacks 3 orders/,
  },
  { name: 'no catalog', command: 'rm -r catalog', line: /order log belongs to the store/ },
  { name: 'no order log', command: 'rm -r order', line: /order log is behind .* lacks 5 orders/ },
  {
    name: 'the catalog of another store',
    command: 'rm -r catalog && cp -r ../other/catalog .',
    line: /order log belongs to the store/,
  },
  {
    name: 'the order log of another store',
    command: 'rm -r order && cp -r ../other/order .',
    line: /order log belongs to the store/,
  },
];

interface Books {
  /** Data directories after a clean stop: `old` with two orders, `right` with three more, `other` of another store. */
  readonly folder: string;
  readonly sold: ReadonlyMap<number, string>;
}

let books: Promise<Books> | undefined;
ava.after.always(async () => books && rm((await books).folder, { recursive: true }));

async function makeBooks(t: ExecutionContext): Promise<Books> {
  const folder = await mkdtemp(join(tmpdir(), 'toystore-books-'));
  const store = await TouchedStore.create(t);
  for (const [name, orders] of Object.entries({ other: 1, old: 2, right: 3 })) {
    await store.start();
    t.deepEqual(await store.buy(orders), Array(orders).fill(200));
    await store.stop();
    await cp(store.dataDir, join(folder, name), { recursive: true });
    if (name !== 'other') continue;
    await rm(store.dataDir, { recursive: true });
    store.sold.clear();
  }
  return { folder, sold: store.sold };
}

/** A store that was stopped after five orders, with the other books beside it. */
async function stoppedStore(t: ExecutionContext): Promise<TouchedStore> {
  books ??= makeBooks(t);
  const { folder, sold } = await books;
  const store = await TouchedStore.create(t);
  await cp(folder, store.parent, { recursive: true });
  await cp(join(folder, 'right'), store.dataDir, { recursive: true });
  for (const [number, toy] of sold) store.sold.set(number, toy);
  return store;
}

test('a book that was put back or removed after a clean stop: nothing is sold, and one line says why', async (t) => {
  const store = await stoppedStore(t);
  for (const { name, command, line } of swaps) {
    store.shell(command);
    t.regex(await store.start(), line, name);
    t.is(store.refusal().split('\n').length, 1);
    t.is(await store.status('/readyz'), 503, name);
    t.is(await store.status('/healthz'), 200, name);
    t.is(await store.status('/products/Tux'), 200, name);
    await store.stop();
    await rm(store.dataDir, { recursive: true });
    await cp(join(store.parent, 'right'), store.dataDir, { recursive: true });
  }
  t.is(await store.start(), '', 'with the right books all goes on');
  await store.checkBooks();
  t.deepEqual(await store.buy(1), [200]);
});

test('orders can be read while the catalog refuses to sell', async (t) => {
  const store = await stoppedStore(t);
  store.shell('rm -r catalog');
  t.not(await store.start(), '');
  t.is(await store.status('/orders/1'), 200);
  t.deepEqual(await store.buy(1), [503]);
});

test('stock and prices that were edited after a clean stop are taken', async (t) => {
  const store = await stoppedStore(t);
  const path = join(store.dataDir, 'catalog/catalog.csv');
  await writeFile(path, (await readFile(path, 'utf8')).replace(/^Tux,.*$/m, 'Tux,1.50,7'));
  t.is(await store.start(), '');
  t.is(await stockOf(store.port, 'Tux'), 7);
  t.deepEqual(await store.buy(1), [200]);
});

test('after a kill the order log is completed from the catalog, even where its newest rows are gone', async (t) => {
  const store = await TouchedStore.create(t);
  await store.start();
  t.deepEqual(await store.buy(5), [200, 200, 200, 200, 200]);
  await store.kill();
  store.shell('truncate -s -100 order/orders.csv');
  t.is(await store.start(), '');
  await store.checkBooks();
  t.deepEqual(await store.buy(1), [200]);
});
