// A start on a disk that is full already: what is known is shown, nothing is sold, nothing is lost.

import ava from 'ava';
import { STOP_MS } from '../../src/stop-budgets.js';
import { buy, call, stockOf } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

// One after the other: each starts up to five processes.
const test = ava.serial.failing;

async function stopTimed(store: StoreProcess): Promise<{ code: number | null; seconds: number }> {
  const startMs = performance.now();
  const { code } = await store.stop('SIGTERM');
  return { code, seconds: (performance.now() - startMs) / 1_000 };
}

/** An order for which the catalog answers, after a start over the same directory: the books are whole. */
async function booksOf(dataDir: string): Promise<{ stock: number; nextOrder: string }> {
  await using store = await StoreProcess.start('start', { dataDir });
  let answer = await buy(store.port, 'Whale', 1);
  while (answer.status === 503) answer = await buy(store.port, 'Whale', 1);
  return { stock: await stockOf(store.port, 'Tux'), nextOrder: answer.body };
}

test('a disk that was full before the start: finds are answered, nothing is sold, nothing is lost', async (t) => {
  await using store = await StoreProcess.start('start');
  t.is((await buy(store.port, 'Tux', 3)).status, 200);
  t.deepEqual(await store.stop('SIGKILL'), { code: null, signal: 'SIGKILL' });
  {
    // No file may grow: what a full disk does to files that are there.
    await using full = await StoreProcess.start('start', { dataDir: store.dataDir, ulimit: '-f 0' });
    t.is(await stockOf(full.port, 'Tux'), 97);
    const refused = await buy(full.port, 'Tux', 1);
    t.is(refused.status, 503);
    t.regex(refused.headers['retry-after'] ?? '', /^\d+$/);
    t.is((await call(full.port, 'GET', '/readyz')).status, 503);
    t.is((await call(full.port, 'GET', '/healthz')).status, 200);
    const { seconds } = await stopTimed(full);
    t.true(seconds < STOP_MS / 1_000, `${seconds} s`);
  }
  t.deepEqual(await booksOf(store.dataDir), { stock: 97, nextOrder: '{"data":{"order_number":1}}' });
});

test('a first start on a full disk: the toys of the seed are found, nothing is sold', async (t) => {
  await using full = await StoreProcess.start('start', { ulimit: '-f 0' });
  t.is(await stockOf(full.port, 'Tux'), 100);
  t.is((await buy(full.port, 'Tux', 1)).status, 503);
  t.is((await call(full.port, 'GET', '/readyz')).status, 503);
});
