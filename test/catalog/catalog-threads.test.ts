// The catalog's table under real threads: finds while the main thread sells, and a thread that dies while it reads.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { batch, begin, stock } from './engine-fixture.js';
import type { FinderThreadOrder } from './fixtures/finder-thread.js';

const THREAD = new URL('./fixtures/finder-thread.js', import.meta.url);

async function openEngine(t: ExecutionContext, csv: string): Promise<CatalogEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'catalog-threads-'));
  await writeFile(join(directory, 'catalog.csv'), csv);
  const engine = await CatalogEngine.open({ directory, seedPath: '', syncMode: 'commit' });
  t.teardown(async () => {
    await engine.close();
    await rm(directory, { recursive: true });
  });
  return engine;
}

async function startThread(t: ExecutionContext, engine: CatalogEngine): Promise<Worker> {
  const thread = new Worker(THREAD, { workerData: engine.table.memory });
  await once(thread, 'message');
  t.teardown(() => thread.terminate());
  return thread;
}

function tell(thread: Worker, order: FinderThreadOrder): void {
  thread.postMessage(order);
}

test('finds in other threads see every batch whole or not at all', async (t) => {
  const rounds = 200;
  const engine = await openEngine(t, `name,price,quantity\nTux,1,${rounds}\nFox,1,${2 * rounds}\n`);
  const { incarnation } = await begin(engine);
  const threads = await Promise.all([startThread(t, engine), startThread(t, engine)]);
  const answers = threads.map((thread) => once(thread, 'message') as Promise<[string[]]>);
  for (const thread of threads) tell(thread, { type: 'watch', names: ['Tux', 'Fox'] });
  for (let round = 0; round < rounds; round++) {
    t.deepEqual(await engine.purchase(batch(incarnation, 1 + 2 * round, ['Tux', 'Fox 2'])), [0, 0]);
  }
  for (const [seen] of await Promise.all(answers)) {
    t.true(seen.length > 1);
    for (const quantities of seen) {
      const [tux, fox] = quantities.split(',').map(Number);
      t.is(fox, 2 * tux!, quantities);
    }
  }
});

test('a thread that dies while it reads is nothing to the others', async (t) => {
  const engine = await openEngine(t, 'name,price,quantity\nTux,1,10\n');
  const thread = await startThread(t, engine);
  const { threadId } = thread;
  tell(thread, { type: 'die' });
  await once(thread, 'exit');
  engine.onThreadExit(threadId);
  t.is(await engine.purchaseUntagged(Buffer.from('Tux'), 3), 0);
  t.deepEqual(stock(engine, 'Tux'), [7]);
});
