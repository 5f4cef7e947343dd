// Closing the order log while it is busy: what it leaves is what the next start can go on from.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import type { SoldOrder } from '../../src/order/order-types.js';
import { Deferred } from '../../src/pool/deferred.js';
import { type FileSystem, nodeFileSystem } from '../../src/storage/index.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

/** A sync that waits for `end`, and fails if that does. */
interface Hold {
  readonly file: string;
  readonly end: Promise<void>;
  hasBegun: boolean;
}

/** The real disk, on which one sync of one file can be held up. */
class SlowDisk {
  #hold: Hold | undefined;

  /** @param end settles when the sync may go on */
  hold(file: string, end: Promise<void>): Hold {
    this.#hold = { file, end, hasBegun: false };
    return this.#hold;
  }

  readonly fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      if (file === undefined) return undefined;
      const sync = file.datasync.bind(file);
      file.datasync = async () => {
        await this.#pass(path);
        await sync();
      };
      return file;
    },
  };

  async #pass(path: string): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined || !path.includes(hold.file)) return;
    this.#hold = undefined;
    hold.hasBegun = true;
    await hold.end;
  }
}

function sale(sequence: number): SoldOrder {
  const tag = { incarnation: 1, sequence };
  return { tag, name: 'Tux', quantity: sequence, key: `key-${sequence}`, transient: false };
}

test('a group that waits behind a slow sync at the close is logged once, under its tag', async (t) => {
  const disk = new SlowDisk();
  const directory = await makeDirectory();
  const log = await openLog(directory, { fileSystem: disk.fileSystem });
  const slowSync = new Deferred<void>();
  const sync = disk.hold('orders.journal', slowSync.promise);
  await log.append([sale(1)]);
  while (!sync.hasBegun) await nextTurn();
  const second = log.append([sale(2)]);
  while (!(await readFile(join(directory, 'orders.csv'), 'utf8')).includes('key-2')) await nextTurn();
  const closed = log.close();
  await nextTurn();
  slowSync.resolve();
  await Promise.all([second, closed]);
  const again = await openLog(directory);
  t.is(again.orderCount, 2);
  t.deepEqual(again.lastTag, sale(2).tag, 'the catalog is asked for what comes after it');
  await again.close();
});

test('a sync of orders.csv that fails beside the last checkpoint: the journal is kept', async (t) => {
  const disk = new SlowDisk();
  const directory = await makeDirectory();
  const log = await openLog(directory, { fileSystem: disk.fileSystem, checkpointBytes: 100 });
  const slowSync = new Deferred<void>();
  const sync = disk.hold('orders.csv', slowSync.promise);
  const { durable } = await log.append([sale(1), sale(2)]);
  let isDurable = false;
  void durable.then(() => {
    isDurable = true;
  });
  while (!sync.hasBegun || !isDurable) await nextTurn();
  const journal = join(directory, 'orders.journal');
  const { size } = await stat(journal);
  const closed = t.throwsAsync(log.close(), { code: 'SYNC_FAILED' });
  await nextTurn();
  slowSync.reject(new Error('EIO'));
  await closed;
  t.is((await stat(journal)).size, size);
  const again = await openLog(directory);
  t.deepEqual([again.orderCount, again.lastTag], [2, sale(2).tag]);
  await again.close();
});
