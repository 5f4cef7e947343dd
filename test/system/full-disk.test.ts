// A start on a disk that is full already: what is known is shown, nothing is sold, nothing is lost.

import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ava from 'ava';
import { STOP_MS } from '../../src/stop-budgets.js';
import { booksOf, stopTimed } from '../support/stopped-store.js';
import { buy, call, stockOf } from '../support/store-client.js';
import { ANY_STORE, StoreProcess } from '../support/store-process.js';

// One after the other: each starts up to five processes.
const test = ava.serial;

const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
const testWithMount = mayMount ? test : test.skip;
const titleEnd = mayMount ? '' : ' (skipped: no file system can be mounted here)';

/** A small file system of its own under `directory`. */
function mountSmall(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]);
}

/** Writes until the file system that `path` is on has no room. */
async function fillUp(path: string): Promise<void> {
  const zeros = Buffer.alloc(4096);
  const write = async (): Promise<void> => {
    for (;;) await appendFile(path, zeros);
  };
  await write().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  });
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  testWithMount(
    `a disk that is full at a start after ${signal}: toys are found, and sold while there is room; nothing is lost${titleEnd}`,
    async (t) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'toystore-full-'));
      mountSmall(dataDir);
      t.teardown(() => execFileSync('umount', [dataDir]));
      {
        await using store = await StoreProcess.start(ANY_STORE, { dataDir });
        t.is((await buy(store.port, 'Tux', 3)).status, 200);
        await store.stop(signal);
      }
      await fillUp(join(dataDir, 'filler'));
      let sold = 3;
      {
        await using full = await StoreProcess.start('start', { dataDir });
        t.is(await stockOf(full.port, 'Tux'), 97);
        t.is((await call(full.port, 'GET', '/healthz')).status, 200);
        // Pages that were begun take a few more.
        let answer = await buy(full.port, 'Tux', 1);
        for (; answer.status === 200; answer = await buy(full.port, 'Tux', 1)) sold++;
        t.is(answer.status, 503);
        t.regex(answer.headers['retry-after'] ?? '', /^\d+$/);
        t.is((await call(full.port, 'GET', '/readyz')).status, 503);
        const { seconds } = await stopTimed(full);
        t.true(seconds < STOP_MS / 1_000, `${seconds} s`);
      }
      await rm(join(dataDir, 'filler'));
      const { stock, nextOrder } = await booksOf(dataDir);
      // The one that was refused may have been carried out, if nobody could know: then both books say so.
      t.true([100 - sold, 99 - sold].includes(stock), `${stock} left of 100 - ${sold}`);
      t.is(nextOrder, `{"data":{"order_number":${100 - stock - 2}}}`);
    },
  );
}

test('a first start on a full disk: the toys of the seed are found, nothing is sold', async (t) => {
  await using full = await StoreProcess.start(ANY_STORE, { ulimit: '-f 0' });
  t.is(await stockOf(full.port, 'Tux'), 100);
  t.is((await buy(full.port, 'Tux', 1)).status, 503);
  t.is((await call(full.port, 'GET', '/readyz')).status, 503);
});
