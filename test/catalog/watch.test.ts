// Watch over gRPC: front ends that hold toys, on the main thread and on others, and a catalog that is killed and comes back.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { startCatalog } from '../../src/catalog/start-catalog.js';
import { Log } from '../../src/log.js';
import { parseSettings } from '../../src/settings.js';
import { StockClient } from './catalog-client.js';

const PROCESS = fileURLToPath(new URL('./fixtures/catalog-process.js', import.meta.url));
const TOYS = 'name,price,quantity\nTux,15.99,100\nFox,12.99,100\n';
/** Connections that the main thread serves. */
const ACCEPTOR_SESSIONS = 8;

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'catalog-watch-'));
  t.teardown(() => rm(path, { recursive: true }));
  await writeFile(join(path, 'seed.csv'), TOYS);
  return path;
}

for (const { where, others } of [
  { where: 'the main thread', others: 0 },
  { where: 'another thread', others: ACCEPTOR_SESSIONS },
]) {
  test(`a front end on ${where} is told before an order is answered`, async (t) => {
    const path = await directory(t);
    const flags = ['--data-dir', path, '--seed-csv', join(path, 'seed.csv'), '--catalog-port=0', '--threads=2'];
    const catalog = await startCatalog(parseSettings([...flags, '--lease-ms=2000'], {}), new Log('silent'));
    t.teardown(() => catalog.stop());
    const clients = Array.from({ length: others + 1 }, () => new StockClient(catalog.address));
    t.teardown(() => {
      for (const client of clients) client[Symbol.dispose]();
    });
    for (const client of clients) await client.find('Fox');
    const watch = await clients.at(-1)!.watch();
    t.like(watch.messages[0], { leaseMs: 2_000, renewed: 1, invalidation: 0, names: [] });
    t.deepEqual((await watch.find('Tux', 'Nemo')).holdable, [true, false]);
    let isAnswered = false;
    const order = clients[0]!.order('Tux', 3).finally(() => {
      isAnswered = true;
    });
    const told = await watch.next();
    t.deepEqual([told.invalidation, told.names.map(String)], [1, ['Tux']]);
    t.like(await watch.find('Tux'), { quantities: [100], holdable: [false] });
    t.false(isAnswered);
    watch.send(1);
    t.is(await order, 0);
    t.like(await watch.find('Tux'), { quantities: [97], holdable: [true] });
    const { holders, invalidations, leasesRunOut } = catalog.stats().holders;
    t.deepEqual([holders, invalidations, leasesRunOut], [1, 1, 0]);
    watch.send(0, true);
    t.is(await clients[0]!.order('Tux', 1), 0, 'whoever has gone is not waited for');
  });
}

test('a stream that is cut leaves its holder to be waited for', async (t) => {
  const path = await directory(t);
  const flags = ['--data-dir', path, '--seed-csv', join(path, 'seed.csv'), '--catalog-port=0', '--threads=1'];
  const catalog = await startCatalog(parseSettings([...flags, '--lease-ms=300'], {}), new Log('silent'));
  t.teardown(() => catalog.stop());
  using client = new StockClient(catalog.address);
  const watch = await client.watch();
  const startMs = performance.now();
  await watch.find('Tux');
  watch.cut();
  t.is(await client.order('Tux', 1), 0);
  t.true(performance.now() - startMs >= 300);
  t.is(catalog.stats().holders.leasesRunOut, 1);
});

class CatalogProcess {
  #process: ChildProcess | undefined;
  #port = '0';

  constructor(
    readonly path: string,
    readonly flags: readonly string[],
  ) {}

  async start(): Promise<string> {
    const args = [PROCESS, this.path, join(this.path, 'seed.csv'), this.#port, ...this.flags];
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(this.#process.stdout!, 'data')) as [Buffer];
    const address = line.toString().trim();
    this.#port = address.split(':').at(-1)!;
    return address;
  }

  async kill(): Promise<void> {
    const exited = once(this.#process!, 'exit');
    this.#process!.kill('SIGKILL');
    await exited;
  }
}

test('after a kill, finds wait until what was held is over; with long leases they are refused within two seconds', async (t) => {
  for (const { leaseMs, outcome } of [
    { leaseMs: 1_000, outcome: 99 },
    { leaseMs: 10_000, outcome: status.UNAVAILABLE },
  ]) {
    const catalog = new CatalogProcess(await directory(t), [`--lease-ms=${leaseMs}`]);
    t.teardown(() => catalog.kill());
    using client = new StockClient(await catalog.start());
    await client.order('Tux', 1);
    const watch = await client.watch();
    await watch.find('Tux');
    const heldMs = performance.now();
    await catalog.kill();
    using again = new StockClient(await catalog.start());
    const askedMs = performance.now();
    const answer = await again.quantityOf('Tux').catch(({ code }) => code);
    t.is(answer, outcome, `${leaseMs} ms`);
    t.true(performance.now() - askedMs < 2_000);
    if (outcome === 99) t.true(performance.now() - heldMs >= leaseMs);
  }
});
