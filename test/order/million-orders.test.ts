import test from 'ava';
import type { FileOrderLog } from '../../src/order/file-order-log.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

const ORDERS = 1_000_000;
const GROUP = 5000;
/** Of resident memory that the start of a million orders may take: their rows are 90 MB, their objects would be 300. */
const MEMORY_BYTES_MAX = 200e6;

async function fill(log: FileOrderLog): Promise<void> {
  await log.begin('testtest');
  for (let first = 0; first < ORDERS; first += GROUP) {
    await log.append(
      Array.from({ length: GROUP }, (_, index) => ({
        tag: { incarnation: 1, sequence: first + index + 1 },
        name: 'Elephant',
        quantity: 1,
        key: `${index % 2 === 0 ? ' ' : ''}0b3a6a1c-93f2-4f8b-${first + index}`,
      })),
    );
  }
}

test('a start with a million orders', async (t) => {
  t.timeout(180_000);
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log);
  await log.close();
  const before = process.memoryUsage.rss();
  const startMs = performance.now();
  const again = await openLog(directory);
  const tookMs = performance.now() - startMs;
  const tookBytes = process.memoryUsage.rss() - before;
  t.log(`${tookMs.toFixed(0)} ms, ${(tookBytes / 1e6).toFixed(0)} MB`);
  t.is(again.orderCount, ORDERS);
  t.true(tookBytes < MEMORY_BYTES_MAX);
  t.like(await again.get(123_457), { number: 123_457, name: 'Elephant' });
  t.like(await again.findByKey('0b3a6a1c-93f2-4f8b-654321'), { number: 654_321 });
  t.like(await again.findByKey(' 0b3a6a1c-93f2-4f8b-999998'), { number: 999_998 });
  await again.close();
});
