// The catalog service alone: real threads, real sockets, a real directory, and a stock gRPC client.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { type RunningCatalog, startCatalog } from '../../src/catalog/start-catalog.js';
import { Log } from '../../src/log.js';
import { HealthCheck } from '../../src/rpc/index.js';
import { parseSettings } from '../../src/settings.js';
import { StockClient } from './catalog-client.js';
import { batch } from './engine-fixture.js';

const TOYS = 'name,price,quantity\nTux,15.99,100\nWhale,19.5,100\nFox,12.99,1\n';
const log = new Log('silent');

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'catalog-service-'));
  t.teardown(() => rm(path, { recursive: true }));
  await writeFile(join(path, 'seed.csv'), TOYS);
  return path;
}

function settingsFor(path: string, flags: string[] = []) {
  return parseSettings(['--data-dir', path, '--seed-csv', join(path, 'seed.csv'), '--catalog-port=0', ...flags], {});
}

async function started(
  t: ExecutionContext,
  flags: string[] = ['--threads=1'],
): Promise<{ path: string; catalog: RunningCatalog }> {
  const path = await directory(t);
  const catalog = await startCatalog(settingsFor(path, flags), log);
  let isStopped = false;
  const stop = catalog.stop.bind(catalog);
  catalog.stop = async () => {
    if (!isStopped) await stop();
    isStopped = true;
  };
  t.teardown(() => catalog.stop());
  return { path, catalog };
}

for (const flags of [['--threads=2'], ['--threads=2', '--handoff=ipc'], ['--threads=0'], ['--durability=periodic']]) {
  test(`toys are found and sold: ${flags.join(' ')}`, async (t) => {
    const { path, catalog } = await started(t, flags);
    using client = new StockClient(catalog.address);
    t.deepEqual(await client.find('Tux'), { result: 0, toy: { name: 'Tux', priceCents: 1599, quantity: 100 } });
    t.deepEqual(await client.find('Nemo'), { result: -1, toy: undefined });
    t.is(await client.order('Nemo', 1), -1);
    t.is(await client.order('Tux', 101), -2);
    t.is(await client.order('Tux', 100), 0);
    t.is(await client.order('Tux', 1), -2);
    t.is(await client.quantityOf('Tux'), 0);
    await t.throwsAsync(client.order('Tux', 0), { message: /INVALID_ARGUMENT/ });
    await catalog.stop();
    t.is(await readFile(join(path, 'catalog', 'catalog.csv'), 'utf8'), TOYS.replace('Tux,15.99,100', 'Tux,15.99,0'));
  });
}

test('many look-ups in one message, answered in their order', async (t) => {
  const { catalog } = await started(t);
  using client = new StockClient(catalog.address);
  const stream = client.client.findToys();
  const answers: unknown[] = [];
  const ended = new Promise((resolve) => stream.on('end', resolve));
  stream.on('data', (answer) => answers.push(answer));
  stream.write({
    names: ['Fox', 'Nemo', 'Tux'].map((name) => Buffer.from(name)),
    requestIds: [],
    holder: 0,
    traceparents: [],
  });
  stream.write({ names: [], requestIds: [], holder: 0, traceparents: [] });
  stream.end();
  await ended;
  t.deepEqual(answers, [
    { results: [0, -1, 0], pricesCents: [1299, 0, 1599], quantities: [1, 0, 100], holdable: [] },
    { results: [], pricesCents: [], quantities: [], holdable: [] },
  ]);
});

test('two buyers, one on the main thread and one on another, race for the last unit: one gets it', async (t) => {
  const { catalog } = await started(t, ['--threads=2']);
  const clients = Array.from({ length: 9 }, () => new StockClient(catalog.address));
  t.teardown(() => {
    for (const client of clients) client[Symbol.dispose]();
  });
  // The main thread takes the first eight.
  for (const client of clients) await client.find('Fox');
  t.deepEqual(
    catalog.stats().pool.threads.map(({ sessions }) => sessions),
    [8, 1],
  );
  const one = clients[0]!;
  const other = clients[8]!;
  t.deepEqual((await Promise.all([one.order('Fox', 1), other.order('Fox', 1)])).sort(), [-2, 0]);
  t.is(await one.quantityOf('Fox'), 0);
  t.is(await other.quantityOf('Fox'), 0);
});

test('purchases under tags: recovery, copies on another connection, and who is refused', async (t) => {
  const { catalog } = await started(t);
  using one = new StockClient(catalog.address);
  using other = new StockClient(catalog.address);
  const { incarnation, sales, messages } = await one.recover(0, 0);
  t.deepEqual([incarnation, sales, messages], [1, [], 1]);
  const stream = one.purchases();
  const first = batch(1, 1, ['Fox', 'Fox', 'Tux 3']);
  t.deepEqual(await Promise.all([stream.send(first), stream.send(batch(1, 4, ['Tux 2']))]), [[0, -2, 0], [0]]);
  t.deepEqual(await other.purchases().send(first), [0, -2, 0], 'the tags are known to all threads');
  t.deepEqual(await stream.send(batch(1, 5, ['Nemo'], 4)), [-1]);
  await t.throwsAsync(other.purchases().send(first), { code: status.FAILED_PRECONDITION });
  await t.throwsAsync(other.purchases().send(batch(2, 1, ['Tux'])), { code: status.FAILED_PRECONDITION });
  await t.throwsAsync(other.purchases().send(batch(1, 1_000_000, ['Tux'])), { code: status.RESOURCE_EXHAUSTED });

  const recovered = await other.recover(1, 1);
  t.is(recovered.incarnation, 2);
  t.deepEqual(
    recovered.sales.map(({ incarnation, sequence, name, quantity, key }) => [
      incarnation,
      sequence,
      `${name}`,
      quantity,
      key,
    ]),
    [
      [1, 3, 'Tux', 3, 'key-3'],
      [1, 4, 'Tux', 2, 'key-4'],
    ],
  );
  await t.throwsAsync(stream.send(batch(1, 6, ['Tux'])), { code: status.FAILED_PRECONDITION });
});

test('recovery tells more sales than fit into one message', async (t) => {
  const { catalog, path } = await started(t);
  await catalog.stop();
  await writeFile(join(path, 'catalog', 'catalog.csv'), 'name,price,quantity\nTux,1,100000\n');
  const again = await startCatalog(settingsFor(path), log);
  t.teardown(() => again.stop());
  using client = new StockClient(again.address);
  await client.recover(0, 0);
  const stream = client.purchases();
  const tuxes = new Array<string>(4_000).fill('Tux');
  await Promise.all([0, 1, 2].map((part) => stream.send(batch(1, 1 + part * 4_000, tuxes))));
  const { sales, messages } = await client.recover(1, 10);
  t.deepEqual(
    sales.map(({ sequence }) => sequence),
    Array.from({ length: 11_990 }, (_, index) => index + 11),
  );
  t.is(messages, 2);
});

test('the health service tells that toys can be looked at, and that they are sold', async (t) => {
  const { catalog } = await started(t);
  const health = new HealthCheck(catalog.address);
  t.teardown(() => health.close());
  for (const name of ['', 'toystore.v1.Catalog', 'toystore.v1.Catalog/sell'])
    t.true(await health.isServing(name, 2_000), name);
  t.false(await health.isServing('toystore.v1.Order', 2_000));
});

test('a second catalog on the same directory is refused, and the first goes on', async (t) => {
  const { path, catalog } = await started(t);
  await t.throwsAsync(startCatalog(settingsFor(path), log), { code: 'LOCKED' });
  using client = new StockClient(catalog.address);
  t.is(await client.order('Tux', 1), 0);
});

test('a start that fails leaves nothing behind: the next one finds the directory free', async (t) => {
  const path = await directory(t);
  const seed = join(path, 'seed.csv');
  await writeFile(seed, 'name,price,quantity\nTux,15.99,100\nTux,1,1\n');
  const error = await t.throwsAsync(startCatalog(settingsFor(path), log), { code: 'BAD_FILE' });
  t.is(error?.message, `${seed}, line 3: name "Tux" stands in the file twice`);
  t.is(await readFile(seed, 'utf8'), 'name,price,quantity\nTux,15.99,100\nTux,1,1\n');
  await writeFile(seed, TOYS);
  const catalog = await startCatalog(settingsFor(path), log);
  await t.throwsAsync(
    startCatalog(settingsFor(path, ['--data-dir', join(path, 'other'), `--catalog-port=${portOf(catalog)}`]), log),
    {
      code: 'EADDRINUSE',
    },
  );
  await catalog.stop();
});

test('a directory that cannot be written is one clear line', async (t) => {
  if (process.getuid?.() === 0) {
    t.pass('root may write everywhere');
    return;
  }
  const path = await directory(t);
  await mkdir(join(path, 'catalog'));
  await chmod(join(path, 'catalog'), 0o555);
  const error = await t.throwsAsync(startCatalog(settingsFor(path), log), { code: 'INACCESSIBLE' });
  t.false(error?.message.includes('\n'));
  t.true(error?.message.includes(join(path, 'catalog')));
});

test('what there is to measure', async (t) => {
  const { catalog } = await started(t);
  using client = new StockClient(catalog.address);
  await client.order('Tux', 1);
  await client.find('Tux');
  const { state, toys, seller, journal, pool } = catalog.stats();
  t.deepEqual(
    [state, toys, seller],
    ['selling', 3, { batches: 1, purchases: 1, sold: 1, delegated: { sales: 0, recalls: 0 } }],
  );
  t.true(journal.syncs >= 1 && journal.bytes > 0);
  t.is(pool.sessions, 1);
  t.deepEqual(catalog.stock(1), [{ name: 'Tux', quantity: 99 }]);
});

function portOf(catalog: RunningCatalog): number {
  return Number(catalog.address.split(':').at(-1));
}

test('toys are listed: the first ones of the file as they are now, and how many there are', async (t) => {
  const { catalog } = await started(t);
  using client = new StockClient(catalog.address);
  await client.order('Tux', 30);
  const tux = { name: 'Tux', priceCents: 1599, quantity: 70 };
  const whale = { name: 'Whale', priceCents: 1950, quantity: 100 };
  const fox = { name: 'Fox', priceCents: 1299, quantity: 1 };
  t.deepEqual(await client.list(2), { toys: [tux, whale], total: 3 });
  t.deepEqual(await client.list(1_000), { toys: [tux, whale, fox], total: 3 });
  t.deepEqual(await client.list(0), { toys: [], total: 3 });
});

test('a list has a thousand toys at most, whatever is asked for', async (t) => {
  const path = await directory(t);
  const many = Array.from({ length: 1_500 }, (_, index) => `Toy ${index},1.5,${index}\n`);
  await writeFile(join(path, 'seed.csv'), `name,price,quantity\n${many.join('')}`);
  const catalog = await startCatalog(settingsFor(path, ['--threads=1']), log);
  t.teardown(() => catalog.stop());
  using client = new StockClient(catalog.address);
  const { toys, total } = await client.list(4_294_967_295);
  t.is(total, 1_500);
  t.deepEqual([toys.length, toys[999]?.name], [1_000, 'Toy 999']);
});
