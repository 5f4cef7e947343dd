import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { FileOrderLog } from '../../src/order/file-order-log.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

const ORDERS = 1_000_000;
const GROUP = 5000;
/** Of resident memory that the start of a million orders may take: their rows are 75 MB, their objects would be 300. */
const MEMORY_BYTES_MAX = 200e6;

async function fill(log: FileOrderLog): Promise<void> {
  for (let first = 0; first < ORDERS; first += GROUP) {
    await log.append(
      Array.from({ length: GROUP }, (_, index) => ({
        tag: { incarnation: 1, sequence: first + index + 1 },
        name: 'Elephant',
        quantity: 1,
        key: `0b3a6a1c-93f2-4f8b-${first + index}`,
        transient: index % 2 === 0,
      })),
    );
  }
}

test('a start with a million orders: all in the journal, and all in orders.csv', async (t) => {
  t.timeout(60_000);
  const directory = await makeDirectory();
  const log = await openLog(directory, { checkpointBytes: Number.POSITIVE_INFINITY });
  await fill(log);
  const crashed = await makeDirectory();
  for (const name of ['orders.csv', 'orders.journal']) await copyFile(join(directory, name), join(crashed, name));
  await log.close();
  for (const [what, left] of [
    ['journal', crashed],
    ['orders.csv', directory],
  ] as const) {
    const before = process.memoryUsage.rss();
    const startMs = performance.now();
    const again = await openLog(left);
    const tookMs = performance.now() - startMs;
    const tookBytes = process.memoryUsage.rss() - before;
    t.log(`${what}: ${tookMs.toFixed(0)} ms, ${(tookBytes / 1e6).toFixed(0)} MB`);
    t.is(again.orderCount, ORDERS);
    t.true(tookBytes < MEMORY_BYTES_MAX);
    t.like(await again.get(123_457), { number: 123_457, name: 'Elephant' });
    t.like(await again.findByKey('0b3a6a1c-93f2-4f8b-654321'), { number: 654_321 });
    await again.close();
  }
});
