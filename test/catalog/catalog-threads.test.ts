// The catalog's memory under real threads: racing buyers, a thread that dies, and a thread that dies where it hurts.

import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { BELL } from '../../src/catalog/catalog-messages.js';
import type { SellerThreadData, SellerThreadOrder } from './fixtures/seller-thread.js';

const THREAD = new URL('./fixtures/seller-thread.js', import.meta.url);

class ThreadedCatalog {
  readonly threads = new Map<number, Worker>();
  readonly broken: Error[] = [];

  private constructor(
    readonly engine: CatalogEngine,
    readonly directory: string,
  ) {}

  static async open(t: ExecutionContext, csv: string, threads: number): Promise<ThreadedCatalog> {
    const directory = await mkdtemp(join(tmpdir(), 'catalog-threads-'));
    await writeFile(join(directory, 'catalog.csv'), csv);
    const engine = await CatalogEngine.open({
      directory,
      seedPath: '',
      syncMode: 'commit',
      ringSeller: (seller) => catalog.threads.get(seller)?.postMessage(BELL),
      onBroken: (error) => catalog.broken.push(error),
    });
    const catalog = new ThreadedCatalog(engine, directory);
    for (let seller = 1; seller <= threads; seller++) catalog.#start(seller);
    t.teardown(() => catalog.#end());
    return catalog;
  }

  tell(seller: number, order: SellerThreadOrder): void {
    this.threads.get(seller)?.postMessage(order);
  }

  /** What the thread says next that is no bell. */
  async answer(seller: number): Promise<unknown> {
    const thread = this.threads.get(seller)!;
    for (;;) {
      const [message] = await once(thread, 'message');
      if (message !== BELL) return message;
    }
  }

  /** Lets a thread die, and tells the engine as the service does. */
  async die(seller: number, holding: 'read' | 'write' | 'bell'): Promise<void> {
    const thread = this.threads.get(seller)!;
    const { threadId } = thread;
    this.tell(seller, { type: 'die', holding });
    await once(thread, 'exit');
    this.threads.delete(seller);
    this.engine.onThreadExit(threadId);
  }

  #start(seller: number): void {
    const data: SellerThreadData = { memory: this.engine.memory.parts, seller };
    const thread = new Worker(THREAD, { workerData: data });
    thread.on('message', (message) => {
      if (message === BELL) this.engine.wakeKeeper();
    });
    this.threads.set(seller, thread);
  }

  async #end(): Promise<void> {
    await Promise.all([...this.threads.values()].map((thread) => thread.terminate()));
    await this.engine.close();
    await rm(this.directory, { recursive: true });
  }
}

const stock = (engine: CatalogEngine, name: string) => engine.find([Buffer.from(name)]).quantities[0];

/** All threads begin to buy at the same moment; returns what each was told. */
async function race(catalog: ThreadedCatalog, name: string, times: number): Promise<number[][]> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const sellers = [...catalog.threads.keys()];
  const ready = sellers.map((seller) => catalog.answer(seller));
  for (const seller of sellers) catalog.tell(seller, { type: 'buy', name, times, gate });
  await Promise.all(ready);
  const answers = sellers.map((seller) => catalog.answer(seller) as Promise<number[]>);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  return Promise.all(answers);
}

test('two buyers in two threads race for the last unit: one gets it', async (t) => {
  const toys = Array.from({ length: 25 }, (_, index) => `Toy ${index}`);
  const csv = `name,price,quantity\n${toys.map((toy) => `${toy},1,1\n`).join('')}`;
  const catalog = await ThreadedCatalog.open(t, csv, 2);
  for (const toy of toys) {
    const outcomes = (await race(catalog, toy, 1)).flat();
    t.deepEqual(outcomes.sort(), [-2, 0], toy);
    t.is(stock(catalog.engine, toy), 0);
  }
});

test('four threads sell no more than there is, and all of it is on the disk', async (t) => {
  const catalog = await ThreadedCatalog.open(t, 'name,price,quantity\nTux,1,5000\n', 4);
  const outcomes = (await race(catalog, 'Tux', 2_000)).flat();
  t.is(outcomes.filter((outcome) => outcome === 0).length, 5_000);
  t.is(outcomes.filter((outcome) => outcome === -2).length, 3_000);
  // What a kill would leave now. A checkpoint may be running: catalog.csv is copied first, because the journal then holds
  // what this catalog.csv lacks, whether it is the old one or the new.
  const left = await mkdtemp(join(tmpdir(), 'catalog-threads-left-'));
  t.teardown(() => rm(left, { recursive: true }));
  for (const name of ['catalog.csv', 'journal']) await copyFile(join(catalog.directory, name), join(left, name));
  const again = await CatalogEngine.open({ directory: left, seedPath: '', syncMode: 'commit' });
  t.is(stock(again, 'Tux'), 0);
  await again.close();
});

test('a thread that dies while it reads is nothing to the others', async (t) => {
  const catalog = await ThreadedCatalog.open(t, 'name,price,quantity\nTux,1,10\n', 2);
  await catalog.die(1, 'read');
  t.deepEqual(catalog.broken, []);
  t.deepEqual(await race(catalog, 'Tux', 3), [[0, 0, 0]]);
  t.is(stock(catalog.engine, 'Tux'), 7);
});

test('a thread that dies before it has rung leaves nobody waiting', async (t) => {
  const catalog = await ThreadedCatalog.open(t, 'name,price,quantity\nTux,1,10\n', 2);
  await catalog.die(1, 'bell');
  t.deepEqual(catalog.broken, []);
  t.deepEqual(await race(catalog, 'Tux', 3), [[0, 0, 0]]);
  t.is(stock(catalog.engine, 'Tux'), 6, 'what the dead one sold is sold');
});

test('a thread that dies while it sells ends the catalog: nothing more is sold, found or written', async (t) => {
  const catalog = await ThreadedCatalog.open(t, 'name,price,quantity\nTux,1,10\n', 2);
  await catalog.die(1, 'write');
  t.is(catalog.broken.length, 1);
  t.regex(catalog.broken[0]?.message ?? '', /^a thread ended while it sold/);
  t.throws(() => stock(catalog.engine, 'Tux'), { code: 'BROKEN' });
  await t.throwsAsync(catalog.engine.purchaseUntagged(Buffer.from('Tux'), 1), { code: 'BROKEN' });
});
