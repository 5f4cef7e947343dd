import test from 'ava';
import { type FileSystem, nodeFileSystem, type OpenFile } from '../../src/storage/index.js';
import { openLog, openShop, removeDirectories, TestCatalog } from './shop.js';

test.after.always(removeDirectories);

type Fault = 'write' | 'datasync';

/** The real disk, on which one call on one file can be made to fail. */
class BadDisk {
  fault: { readonly file: string; readonly call: Fault } | undefined;

  readonly fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return file && this.#breakable(path, file);
    },
  };

  #breakable(path: string, file: OpenFile): OpenFile {
    const check = (call: Fault) => {
      if (this.fault?.call === call && path.includes(this.fault.file)) {
        throw Object.assign(new Error('broken by the test'), { code: call === 'write' ? 'ENOSPC' : 'EIO' });
      }
    };
    return {
      size: () => file.size(),
      identity: () => file.identity(),
      read: (target, position) => file.read(target, position),
      truncate: (size) => file.truncate(size),
      sync: () => file.sync(),
      close: () => file.close(),
      write: async (bytes, position) => {
        check('write');
        return file.write(bytes, position);
      },
      datasync: async () => {
        check('datasync');
        return file.datasync();
      },
    };
  }
}

for (const file of ['orders.journal', 'orders.csv']) {
  test(`no room for ${file}: nothing is sold, orders can be read; with room again all goes on`, async (t) => {
    const disk = new BadDisk();
    const catalog = new TestCatalog();
    const shop = await openShop(catalog, { fileSystem: disk.fileSystem });
    t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
    disk.fault = { file, call: 'write' };
    t.is(await shop.buy('Tux', 1, 'b'), 'OPEN', 'the catalog has sold it: it will be an order');
    t.false(shop.engine.isSelling);
    t.is(await shop.buy('Tux', 1, 'c'), 'NOT_SELLING');
    t.is(await shop.buy('Tux', 1, 'b'), 'NOT_SELLING');
    t.is(await shop.buy('Tux', 1, 'a'), 'number 0', 'what is known is answered');
    t.like(await shop.engine.get(0), { name: 'Tux' });
    t.is(catalog.stock.get('Tux'), 98);
    disk.fault = undefined;
    while (!shop.engine.isSelling) await new Promise((resolve) => setTimeout(resolve, 20));
    t.is(await shop.buy('Tux', 1, 'b'), 'number 1');
    t.is(await shop.buy('Tux', 1, 'c'), 'number 2');
    await shop.close();
  });

  test(`no room for ${file}, and the process ends: the next start completes the order`, async (t) => {
    const disk = new BadDisk();
    const catalog = new TestCatalog();
    const shop = await openShop(catalog, { fileSystem: disk.fileSystem });
    t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
    disk.fault = { file, call: 'write' };
    t.is(await shop.buy('Whale', 2, 'b'), 'OPEN');
    await shop.close();
    disk.fault = undefined;
    const next = await openShop(catalog, { directory: shop.directory });
    t.is(await next.buy('Whale', 2, 'b'), 'number 1');
    t.is(catalog.stock.get('Whale'), 98);
    await next.close();
  });
}

test('a sync of the journal fails: nothing more is sold before a restart, which completes the order', async (t) => {
  const disk = new BadDisk();
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { fileSystem: disk.fileSystem });
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  disk.fault = { file: 'orders.journal', call: 'datasync' };
  t.is(await shop.buy('Tux', 1, 'b'), 'number 1', 'the catalog has it on disk, and keeps it');
  t.like(await shop.engine.failed, { code: 'SYNC_FAILED' });
  disk.fault = undefined;
  t.is(await shop.buy('Tux', 1, 'c'), 'NOT_SELLING');
  t.like(await shop.engine.get(0), { name: 'Tux' });
  await shop.engine.stop();
  await t.throwsAsync(shop.log.close(), { message: /sync/ });
  const next = await openShop(catalog, { directory: shop.directory });
  t.is(await next.buy('Tux', 1, 'b'), 'number 1');
  await next.close();
});

test('a sync of orders.csv fails at a checkpoint: the journal is kept, and mends it at the next start', async (t) => {
  const disk = new BadDisk();
  const catalog = new TestCatalog();
  const shop = await openShop(catalog, { fileSystem: disk.fileSystem, checkpointBytes: 1 });
  disk.fault = { file: 'orders.csv', call: 'datasync' };
  t.is(await shop.buy('Tux', 1, 'a'), 'number 0');
  // The checkpoint is made after one of the next orders.
  while (shop.engine.isSelling) {
    await shop.buy('Whale', 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.is(await shop.buy('Tux', 1, 'b'), 'NOT_SELLING');
  await shop.close();
  const log = await openLog(shop.directory);
  t.like(await log.get(0), { name: 'Tux', key: 'a' });
  await log.close();
});
