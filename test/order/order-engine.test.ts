import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { systemClock } from '../../src/clock.js';
import { Log } from '../../src/log.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import { type FileSystem, nodeFileSystem } from '../../src/storage/index.js';
import { RESULT } from '../../src/store-contract.js';
import { openLog, openShop, removeDirectories, TestCatalog } from './shop.js';

test.after.always(removeDirectories);

/** The real disk, but for syncs that take as long as the test likes. */
class HeldSyncs {
  #held = Promise.resolve();
  release: () => void = () => {};

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  readonly fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      if (file === undefined) return undefined;
      const { datasync } = file;
      return Object.assign(file, { datasync: () => this.#held.then(() => datasync.call(file)) });
    },
  };
}

async function rowsOf(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'orders.csv'), 'utf8');
  return text.split('\n').slice(1, -1);
}

test('orders are numbered from 0, and stand in orders.csv before they are answered', async (t) => {
  const shop = await openShop(new TestCatalog());
  t.is(await shop.buy('Tux', 1), 'number 0');
  t.is(await shop.buy('Whale', 2, 'cart-17'), 'number 1');
  const rows = await rowsOf(shop.directory);
  t.regex(rows[0]!, /^0,Tux,1,,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,testtest-1-1$/);
  t.regex(rows[1]!, /^1,Whale,2,cart-17,[^,]+,testtest-1-2$/);
  t.like(await shop.engine.get(1), { number: 1, name: 'Whale', quantity: 2, key: 'cart-17' });
  t.is(await shop.engine.get(2), undefined);
  await shop.close();
});

test('refusals are answered and leave no order', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  t.is(await shop.buy('Unicorn', 1), 'UNKNOWN_TOY');
  t.is(await shop.buy('Tux', 101), 'NOT_ENOUGH_STOCK');
  t.is(await shop.buy('Tux', 100), 'number 0', 'exactly what is left is sold');
  t.is(await shop.buy('Tux', 1), 'NOT_ENOUGH_STOCK');
  catalog.isSelling = false;
  t.is(await shop.buy('Whale', 1), 'NOT_SELLING');
  t.is(shop.log.orderCount, 1);
  await shop.close();
});

test('a key that is bound gives its number, or KEY_TAKEN to another order', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  t.is(await shop.buy('Tux', 2, 'a'), 'KEY_TAKEN');
  t.is(await shop.buy('Whale', 1, 'a'), 'KEY_TAKEN');
  t.is(await shop.buy('Tux', 1, 'b'), 'number 1');
  t.is(catalog.stock.get('Tux'), 98);
  await shop.close();
});

test('only a sold order binds its key', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  t.is(await shop.buy('Tux', 101, 'a'), 'NOT_ENOUGH_STOCK');
  t.is(await shop.buy('Unicorn', 1, 'a'), 'UNKNOWN_TOY');
  t.is(await shop.buy('Whale', 1, 'a'), 'number 0');
  await shop.close();
});

test('the same key in flight: the same order joins, another waits for the outcome', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  catalog.hold();
  const first = shop.buy('Tux', 1, 'a');
  const joined = shop.buy('Tux', 1, 'a');
  const rival = shop.buy('Tux', 2, 'a');
  await until(() => catalog.heldCount === 1);
  catalog.release();
  t.deepEqual(await Promise.all([first, joined, rival]), ['number 0', 'number 0', 'KEY_TAKEN']);
  t.is(catalog.stock.get('Tux'), 99);

  catalog.hold();
  const refused = shop.buy('Tux', 101, 'b');
  const second = shop.buy('Tux', 2, 'b');
  const third = shop.buy('Tux', 3, 'b');
  await until(() => catalog.heldCount === 1);
  catalog.release();
  t.deepEqual(await Promise.all([refused, second, third]), ['NOT_ENOUGH_STOCK', 'number 1', 'KEY_TAKEN']);
  await shop.close();
});

test('orders without a key are orders of their own', async (t) => {
  const shop = await openShop(new TestCatalog());
  t.deepEqual(await Promise.all([shop.buy('Tux', 1), shop.buy('Tux', 1)]), ['number 0', 'number 1']);
  await shop.close();
});

test('one message: a row for each order, in its order, duplicates included', async (t) => {
  const shop = await openShop(new TestCatalog());
  const order = (name: string, quantity: number, key: string) => ({
    name,
    quantity,
    key,
    requestId: '',
  });
  const { results, numbers } = await shop.engine.place([
    order('Tux', 1, 'k'),
    order('Unicorn', 1, ''),
    order('Tux', 1, 'k'),
    order('Whale', 1, 'k'),
    order('Whale', 1, ''),
  ]);
  t.deepEqual(results, [0, -1, 0, -3, 0]);
  t.deepEqual(numbers, [0, 0, 0, 0, 1]);
  t.deepEqual(await shop.engine.place([]), { results: [], numbers: [] });
  await shop.close();
});

test('numbers follow the tags, whatever the order in which answers come', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { limits: { windowMax: 3, batchOrdersMax: 1 } });
  catalog.hold();
  const orders = ['Tux', 'Whale', 'Tux'].map((name) => shop.buy(name, 1));
  await until(() => catalog.heldCount === 3);
  catalog.release('last first');
  t.deepEqual(await Promise.all(orders), ['number 0', 'number 1', 'number 2']);
  t.deepEqual(
    catalog.batches.map((batch) => [batch.firstSequence, batch.purchases[0]!.name]),
    [
      [1, 'Tux'],
      [2, 'Whale'],
      [3, 'Tux'],
    ],
  );
  await shop.close();
});

test('what comes while the window is full leaves together, under consecutive tags', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { limits: { windowMax: 1, batchOrdersMax: 3 } });
  catalog.hold();
  const orders = [shop.buy('Tux', 1)];
  await until(() => catalog.heldCount === 1);
  for (let count = 0; count < 4; count++) orders.push(shop.buy('Whale', 1));
  catalog.release();
  t.deepEqual(await Promise.all(orders), ['number 0', 'number 1', 'number 2', 'number 3', 'number 4']);
  t.deepEqual(
    catalog.batches.map((batch) => [batch.firstSequence, batch.purchases.length]),
    [
      [1, 1],
      [2, 3],
      [5, 1],
    ],
  );
  await shop.close();
});

test('a number is told before the sync of the log; settled waits for it, refusals included', async (t) => {
  const catalog = new TestCatalog();
  const syncs = new HeldSyncs();
  const shop = await openShop(catalog, { limits: { windowMax: 1 }, fileSystem: syncs.fileSystem });
  const settled = () => catalog.batches.at(-1)!.settledSequence;
  await shop.buy('Unicorn', 1);
  syncs.hold();
  t.is(await shop.buy('Tux', 1), 'number 0');
  t.is(settled(), 1, 'the refusal before it needs no record');
  await shop.buy('Unicorn', 1);
  await shop.buy('Unicorn', 1);
  t.is(settled(), 1, 'the sale is not on disk yet');
  syncs.release();
  await until(() => shop.engine.stats().unsettled === 0);
  await shop.buy('Unicorn', 1);
  t.is(settled(), 4);
  await shop.close();
});

test('a full queue refuses at once; those in it are sold in their turn', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { limits: { windowMax: 1, queueMax: 2 } });
  catalog.hold();
  const sent = shop.buy('Tux', 1);
  await until(() => catalog.heldCount === 1);
  const waiting = [shop.buy('Tux', 1), shop.buy('Tux', 1)];
  t.is(await shop.buy('Tux', 1), 'NOT_SELLING');
  catalog.release();
  t.deepEqual(await Promise.all([sent, ...waiting]), ['number 0', 'number 1', 'number 2']);
  await shop.close();
});

test('time-out: what was never sent is given up, what was sent stays open and is driven to its outcome', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { limits: { windowMax: 1, timeoutMs: 400 } });
  catalog.hold();
  const sent = shop.buy('Tux', 1, 'sent');
  await until(() => catalog.heldCount === 1);
  const unsent = shop.buy('Whale', 1, 'unsent');
  t.is(await unsent, 'NOT_SELLING');
  t.is(await sent, 'OPEN');
  t.false(shop.engine.isSelling);
  t.is(await shop.buy('Tux', 1, 'sent'), 'NOT_SELLING', 'nobody new waits for a catalog that is away');
  catalog.release();
  await until(() => shop.engine.isSelling && shop.log.orderCount === 1);
  t.is(await shop.buy('Tux', 1, 'sent'), 'number 0');
  t.is(await shop.buy('Whale', 1, 'unsent'), 'number 1');
  t.is(catalog.stock.get('Whale'), 99);
  await shop.close();
});

test('a catalog of another incarnation ends selling; what is open stays open', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  const successor = await openShop(catalog);
  t.is(await shop.buy('Tux', 1), 'OPEN');
  t.like(await shop.engine.failed, { name: 'OrderError', code: 'FENCED' });
  t.is(await shop.buy('Tux', 1), 'NOT_SELLING');
  await shop.close();
  await successor.close();
});

test('without a catalog the engine waits, answers what it knows and sells nothing', async (t) => {
  const catalog = new TestCatalog();
  const before = await openShop(catalog);
  await before.buy('Tux', 1, 'known');
  await before.close();
  catalog.isAway = true;
  const starting = openShop(catalog, { directory: before.directory });
  setTimeout(() => {
    catalog.isAway = false;
  }, 200);
  const shop = await starting;
  t.is(await shop.buy('Tux', 1, 'known'), 'number 0');
  t.is(await shop.buy('Tux', 1), 'number 1');
  await shop.close();
});

test('an order sent again that cannot be answered before the catalog is there: one warning, not a line for each', async (t) => {
  const catalog = new TestCatalog();
  const before = await openShop(catalog);
  await before.buy('Tux', 1, 'known');
  await before.close();
  catalog.isAway = true;
  const lines: { level: string; message: string; error: string }[] = [];
  const logger = new Log('warn', {}, (line) => lines.push(JSON.parse(line)));
  const log = await openLog(before.directory);
  const engine = new OrderEngine({ link: catalog.link(), log, clock: systemClock, logger });
  const selling = engine.start();
  const again = { name: 'Tux', quantity: 1, key: 'known', requestId: '' };
  for (let tries = 0; tries < 5; tries++) t.deepEqual((await engine.place([again])).results, [RESULT.NOT_SELLING]);
  t.deepEqual(
    lines.map(({ level, message }) => `${level}: ${message}`),
    ['warn: cannot recover yet, trying on', 'warn: orders sent again cannot be answered before the catalog answers'],
  );
  t.regex(lines[1]!.error, /the catalog does not answer.*: no connection/);
  catalog.isAway = false;
  await selling;
  t.deepEqual(await engine.place([again]), { results: [RESULT.DONE], numbers: [0] });
  await engine.stop();
  await log.close();
});

test('stop: what waits is refused, what is in flight gets its number', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { limits: { windowMax: 1 } });
  catalog.hold();
  const sent = shop.buy('Tux', 1);
  await until(() => catalog.heldCount === 1);
  const waiting = shop.buy('Whale', 1);
  const stopped = shop.close();
  t.is(await waiting, 'NOT_SELLING');
  // Longer than the engine looks after those who wait.
  await new Promise((resolve) => setTimeout(resolve, 300));
  catalog.release();
  t.is(await sent, 'number 0');
  await stopped;
});

/** Waits for something that another turn of the event loop brings about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
