// Catalog and order for everyone: a client that learns all it knows by reflection finds, sells and orders, and the standard
// health service says what works.

import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { freePort } from '../support/free-port.js';
import { type ExploredClient, GrpcExplorer, REFLECTION_VERSIONS } from '../support/grpc-explorer.js';
import { ANY_STORE, StoreProcess } from '../support/store-process.js';

interface Context {
  readonly store: StoreProcess;
  readonly catalog: GrpcExplorer;
  readonly order: GrpcExplorer;
}

const test = anyTest as TestFn<Context>;

test.before(async (t) => {
  const store = await StoreProcess.start(ANY_STORE);
  const explore = (service: string): GrpcExplorer => new GrpcExplorer(store.serviceAddress(service));
  t.context = { store, catalog: explore('catalog'), order: explore('order') };
});

test.after.always(async (t) => {
  t.context.catalog?.[Symbol.dispose]();
  t.context.order?.[Symbol.dispose]();
  await t.context.store?.[Symbol.asyncDispose]();
});

const HEALTH = 'grpc.health.v1.Health';

for (const version of REFLECTION_VERSIONS) {
  test.serial(`reflection ${version} lists the services, and tells enough of each to make a client`, async (t) => {
    for (const [service, own] of [
      ['catalog', 'toystore.v1.Catalog'],
      ['order', 'toystore.v1.Order'],
    ] as const) {
      using explorer = new GrpcExplorer(t.context.store.serviceAddress(service), version);
      const names = await explorer.services();
      t.deepEqual(
        names.filter((name) => !name.startsWith('grpc.reflection.')),
        [HEALTH, 'toystore.v1.Metrics', own].sort(),
      );
      for (const name of names) await t.notThrowsAsync(explorer.client(name), name);
      await t.throwsAsync(explorer.client('toystore.v1.Unknown'));
    }
  });
}

test.serial('FindToy: the toy, or -1', async (t) => {
  const client = await t.context.catalog.client('toystore.v1.Catalog');
  t.deepEqual(await client.call('FindToy', { name: 'Whale' }), {
    result: 0,
    toy: { name: 'Whale', priceCents: 1950, quantity: 100 },
  });
  t.deepEqual(await client.call('FindToy', { name: 'Unicorn' }), { result: -1, toy: null });
});

test.serial('ProcessOrder: done, or a refusal, and the stock is what it says', async (t) => {
  const client = await t.context.catalog.client('toystore.v1.Catalog');
  t.deepEqual(await client.call('ProcessOrder', { name: 'Python', quantity: 40 }), { result: 0 });
  t.deepEqual(await client.call('ProcessOrder', { name: 'Python', quantity: 61 }), { result: -2 });
  t.deepEqual(await client.call('ProcessOrder', { name: 'Unicorn', quantity: 1 }), { result: -1 });
  t.deepEqual(
    await client.call('ProcessOrder', { name: 'Python', quantity: 60 }),
    { result: 0 },
    'exactly what is left',
  );
  t.like(await client.call('FindToy', { name: 'Python' }), { toy: { quantity: 0 } });
  await t.throwsAsync(client.call('ProcessOrder', { name: 'Tux', quantity: 0 }), { code: status.INVALID_ARGUMENT });
});

test.serial('PlaceOrder and GetOrder: the number, or the refusal', async (t) => {
  const client = await t.context.order.client('toystore.v1.Order');
  const place = (name: string, quantity: number, key = '') => client.call('PlaceOrder', { name, quantity, key });
  t.deepEqual(await place('Tux', 2, 'mine'), { result: 0, orderNumber: 0 });
  t.deepEqual(await place('Tux', 2, 'mine'), { result: 0, orderNumber: 0 });
  t.like(await place('Tux', 3, 'mine'), { result: -3 });
  t.like(await place('Unicorn', 1), { result: -1 });
  t.like(await place('Tux', 99), { result: -2 });
  t.deepEqual(await place('Tux', 98), { result: 0, orderNumber: 1 });
  t.deepEqual(await client.call('GetOrder', { number: 1 }), { result: 0, name: 'Tux', quantity: 98 });
  t.like(await client.call('GetOrder', { number: 2 }), { result: -1 });
  await t.throwsAsync(place('', 1), { code: status.INVALID_ARGUMENT });
});

test.serial('the streams that the services use among themselves can be explored as well', async (t) => {
  const client = await t.context.catalog.client('toystore.v1.Catalog');
  const stream = client.stream('FindToys');
  stream.write({ names: [Buffer.from('Fox'), Buffer.from('Unicorn')] });
  const [answer] = await once(stream, 'data');
  stream.end();
  t.deepEqual(answer, { results: [0, -1], pricesCents: [1299, 0], quantities: [100, 0], holdable: [] });
});

test.serial('health: SERVING for the server, the services and the sale; NOT_FOUND for what is not there', async (t) => {
  for (const [explorer, own] of [
    [t.context.catalog, 'toystore.v1.Catalog'],
    [t.context.order, 'toystore.v1.Order'],
  ] as const) {
    const client = await explorer.client(HEALTH);
    for (const service of ['', own, 'toystore.v1.Metrics', `${own}/sell`]) {
      t.deepEqual(await client.call('Check', { service }), { status: 'SERVING' }, service);
    }
    await t.throwsAsync(client.call('Check', { service: 'toystore.v1.Unknown' }), { code: status.NOT_FOUND });
  }
});

/** Follows a service's health from now on. */
class Watch {
  readonly #seen: string[] = [];
  readonly #call: ReturnType<ExploredClient['listen']>;
  #wake: () => void = () => {};

  constructor(client: ExploredClient, service: string) {
    this.#call = client.listen('Watch', { service });
    this.#call.on('data', ({ status: now }: { status: string }) => {
      this.#seen.push(now);
      this.#wake();
    });
    // A server that ends ends its watchers too.
    this.#call.on('error', () => {});
  }

  /** The next change; waits for it. */
  async next(): Promise<string> {
    while (this.#seen.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#seen.shift()!;
  }

  cancel(): void {
    this.#call.cancel();
  }
}

async function check(client: ExploredClient, service: string): Promise<unknown> {
  return (await client.call('Check', { service })).status;
}

test.serial('the order service without its catalog: it serves and does not sell, until there is one', async (t) => {
  const env = { CATALOG_ADDRESS: `127.0.0.1:${await freePort()}`, CATALOG_PORT: '' };
  env.CATALOG_PORT = env.CATALOG_ADDRESS.split(':')[1]!;
  await using order = await StoreProcess.start('order', { env });
  using explorer = new GrpcExplorer(order.address);
  const health = await explorer.client(HEALTH);
  const watch = new Watch(health, 'toystore.v1.Order/sell');
  t.is(await watch.next(), 'NOT_SERVING');
  t.is(await check(health, 'toystore.v1.Order'), 'SERVING');
  const place = (await explorer.client('toystore.v1.Order')).call('PlaceOrder', { name: 'Tux', quantity: 1 });
  await t.throwsAsync(place, { code: status.UNAVAILABLE });

  const dataDir = order.dataDir;
  {
    await using _catalog = await StoreProcess.start('catalog', { env, dataDir });
    t.is(await watch.next(), 'SERVING');
  }
  t.is(await watch.next(), 'NOT_SERVING', 'the catalog has gone, and nobody has to place an order to see it');
  await using _again = await StoreProcess.start('catalog', { env, dataDir });
  t.is(await watch.next(), 'SERVING');
  watch.cancel();
});

/** Files of 4 KiB at most: the journal is soon full. */
const FULL_SOON = '-f 8';

async function buyUntilRefused(t: ExecutionContext, buy: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const error = await buy().then(
      () => undefined,
      (reason: { code: number }) => reason,
    );
    if (error === undefined) continue;
    t.is(error.code, status.UNAVAILABLE);
    return;
  }
}

test.serial('a catalog whose disk takes no more: it is looked at, and does not sell', async (t) => {
  await using catalog = await StoreProcess.start('catalog', { ulimit: FULL_SOON });
  using explorer = new GrpcExplorer(catalog.address);
  const health = await explorer.client(HEALTH);
  const client = await explorer.client('toystore.v1.Catalog');
  const watch = new Watch(health, 'toystore.v1.Catalog/sell');
  t.is(await watch.next(), 'SERVING');
  await buyUntilRefused(t, () => client.call('ProcessOrder', { name: 'Tux', quantity: 1 }));
  t.is(await watch.next(), 'NOT_SERVING');
  t.is(await check(health, 'toystore.v1.Catalog'), 'SERVING');
  t.like(await client.call('FindToy', { name: 'Whale' }), { result: 0 });
  watch.cancel();
});

test.serial('an order service whose disk takes no more: orders are looked up, and not taken', async (t) => {
  await using catalog = await StoreProcess.start('catalog');
  const env = { CATALOG_ADDRESS: catalog.address };
  await using order = await StoreProcess.start('order', { env, ulimit: FULL_SOON });
  using explorer = new GrpcExplorer(order.address);
  const health = await explorer.client(HEALTH);
  const client = await explorer.client('toystore.v1.Order');
  const watch = new Watch(health, 'toystore.v1.Order/sell');
  while ((await watch.next()) !== 'SERVING');
  await buyUntilRefused(t, () => client.call('PlaceOrder', { name: 'Tux', quantity: 1 }));
  t.is(await watch.next(), 'NOT_SERVING');
  t.is(await check(health, 'toystore.v1.Order'), 'SERVING');
  t.like(await client.call('GetOrder', { number: 0 }), { result: 0, name: 'Tux' });
  watch.cancel();
});
