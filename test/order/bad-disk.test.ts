// A disk that fails: without room the order log waits and nothing is sold; after a failed sync nothing more is.

import test from 'ava';
import { FaultyFileSystem } from '../support/simulated-faults.js';
import { openLog, openShop, removeDirectories, TestCatalog } from './shop.js';

test.after.always(removeDirectories);

const ALWAYS = Number.POSITIVE_INFINITY;

test('no room: nothing is sold, orders can be read; with room again all goes on', async (t) => {
  const disk = new FaultyFileSystem();
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { fileSystem: disk });
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  disk.fail('write', 'ENOSPC', ALWAYS);
  t.is(await shop.buy('Tux', 1, 'b'), 'OPEN', 'the catalog has sold it: it will be an order');
  t.false(shop.engine.isSelling);
  t.is(await shop.buy('Tux', 1, 'c'), 'NOT_SELLING');
  t.is(await shop.buy('Tux', 1, 'b'), 'NOT_SELLING');
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0', 'what is known is answered');
  t.like(await shop.engine.get(0), { name: 'Tux' });
  t.is(catalog.stock.get('Tux'), 98);
  disk.heal();
  while (!shop.engine.isSelling) await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(await shop.buy('Tux', 1, 'b'), 'number 1');
  t.is(await shop.buy('Tux', 1, 'c'), 'number 2');
  await shop.close();
});

test('no room, and the process ends: the next start completes the order', async (t) => {
  const disk = new FaultyFileSystem();
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { fileSystem: disk });
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  disk.fail('write', 'ENOSPC', ALWAYS);
  t.is(await shop.buy('Whale', 2, 'b'), 'OPEN');
  await shop.close();
  const next = await openShop(catalog, { directory: shop.directory });
  t.is(await next.buy('Whale', 2, 'b'), 'number 1');
  t.is(catalog.stock.get('Whale'), 98);
  await next.close();
});

test('a sync fails: nothing more is sold before a restart, which writes the newest rows again', async (t) => {
  const disk = new FaultyFileSystem();
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { fileSystem: disk });
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  while (shop.engine.stats().unsettled > 0) await new Promise((resolve) => setImmediate(resolve));
  disk.fail('datasync', 'EIO');
  t.is(await shop.buy('Tux', 1, 'b'), 'number 1', 'the catalog has it on disk, and keeps it');
  t.like(await shop.engine.failed, { code: 'LOG_FAILED' });
  t.is(await shop.buy('Tux', 1, 'c'), 'NOT_SELLING');
  t.like(await shop.engine.get(0), { name: 'Tux' });
  await shop.engine.stop();
  await t.throwsAsync(shop.log.close(), { message: /sync/ });
  const again = new FaultyFileSystem();
  const log = await openLog(shop.directory, { fileSystem: again });
  t.true(log.endedUncleanly);
  t.true(
    again.calls.indexOf('write') < again.calls.indexOf('datasync'),
    'what may be in the cache alone is dirty again',
  );
  await log.close();
  const next = await openShop(catalog, { directory: shop.directory });
  t.is(await next.buy('Tux', 1, 'b'), 'number 1');
  await next.close();
});

test('a start after a crash on a disk that cannot be synced: orders can be read, nothing is sold', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  await shop.crash();
  const disk = new FaultyFileSystem();
  disk.fail('datasync', 'EIO', ALWAYS);
  const next = await openShop(catalog, { directory: shop.directory, fileSystem: disk });
  t.like(await next.engine.get(0), { name: 'Tux' });
  t.is(await next.buy('Tux', 1, 'b'), 'NOT_SELLING');
  t.like(await next.engine.failed, { code: 'LOG_FAILED' });
  await next.engine.stop();
  await t.throwsAsync(next.log.close());
});
