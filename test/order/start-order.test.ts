import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import {
  type GetOrderResponse,
  OrderClient,
  type PlaceOrderRequest,
  type PlaceOrderResponse,
  type PlaceOrdersResponse,
} from '../../proto/gen/toystore/v1/order.js';
import { type RunningOrderService, startOrder } from '../../src/order/start-order.js';
import { HealthCheck } from '../../src/rpc/index.js';
import { parseSettings } from '../../src/settings.js';
import { StorageError } from '../../src/storage/index.js';
import { GrpcCatalog } from './grpc-catalog.js';
import { makeDirectory, removeDirectories, silent, TestCatalog } from './shop.js';

test.after.always(removeDirectories);

interface Running {
  readonly catalog: TestCatalog;
  readonly remote: GrpcCatalog;
  readonly dataDir: string;
  readonly service: RunningOrderService;
  readonly client: OrderClient;
  readonly health: HealthCheck;
}

async function run(
  t: ExecutionContext,
  env: Record<string, string> = {},
  given: { catalog?: TestCatalog; dataDir?: string; isAway?: boolean } = {},
): Promise<Running> {
  const catalog = given.catalog ?? new TestCatalog();
  const remote = new GrpcCatalog(catalog);
  await remote.start();
  if (given.isAway === true) remote.leave();
  const dataDir = given.dataDir ?? (await makeDirectory());
  const settings = parseSettings([], {
    DATA_DIR: dataDir,
    ORDER_PORT: '0',
    CATALOG_ADDRESS: remote.address,
    THREADS: '2',
    ...env,
  });
  const service = await startOrder(settings, silent);
  const client = new OrderClient(service.address, credentials.createInsecure());
  const health = new HealthCheck(service.address);
  t.teardown(async () => {
    client.close();
    health.close();
    await service.stop();
    remote.close();
  });
  const running = { catalog, remote, dataDir, service, client, health };
  if (given.isAway !== true) await untilSelling(running);
  return running;
}

async function untilSelling({ health }: Running): Promise<void> {
  while (!(await health.isServing('toystore.v1.Order/sell', 1000)))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

const noOrder: PlaceOrderRequest = { name: 'Tux', quantity: 1, key: '', requestId: '' };

function placeOrder(client: OrderClient, order: Partial<PlaceOrderRequest>): Promise<PlaceOrderResponse> {
  return unary(client, (done) => client.placeOrder({ ...noOrder, ...order }, done));
}

function getOrder(client: OrderClient, number: number): Promise<GetOrderResponse> {
  return unary(client, (done) => client.getOrder({ number }, done));
}

function unary<T>(
  _client: Client,
  call: (done: (error: ServiceError | null, response: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) =>
    call((error, response) => (error === null ? resolve(response) : reject(error))),
  );
}

for (const [name, env] of [
  ['on two threads', {}],
  ['on the main thread', { THREADS: '0' }],
  ['on a thread, flushed periodically', { THREADS: '1', DURABILITY: 'periodic' }],
] as const) {
  test(`unary calls ${name}: numbers, refusals, look-ups`, async (t) => {
    const { client } = await run(t, env);
    t.deepEqual(await placeOrder(client, { name: 'Tux' }), { result: 0, orderNumber: 0 });
    t.deepEqual(await placeOrder(client, { name: 'Whale', quantity: 3, key: 'a' }), { result: 0, orderNumber: 1 });
    t.deepEqual(await placeOrder(client, { name: 'Whale', quantity: 3, key: 'a' }), { result: 0, orderNumber: 1 });
    t.deepEqual(await placeOrder(client, { name: 'Whale', quantity: 4, key: 'a' }), { result: -3, orderNumber: 0 });
    t.deepEqual(await placeOrder(client, { name: 'Unicorn' }), { result: -1, orderNumber: 0 });
    t.deepEqual(await placeOrder(client, { name: 'Tux', quantity: 4_294_967_295 }), { result: -2, orderNumber: 0 });
    t.deepEqual(await getOrder(client, 1), { result: 0, name: 'Whale', quantity: 3 });
    t.deepEqual(await getOrder(client, 2), { result: -1, name: '', quantity: 0 });
  });
}

const bad: [string, Partial<PlaceOrderRequest>][] = [
  ['no name', { name: '' }],
  ['a name of 65 bytes', { name: `${'ü'.repeat(32)}x` }],
  ['no quantity', { quantity: 0 }],
  ['a key of 65 characters', { key: 'k'.repeat(65) }],
  ['a key with a space', { key: 'a b' }],
  ['a key with a line break', { key: 'a\n' }],
  ['a key beyond ASCII', { key: 'ü' }],
  ['a key that begins with a space and is not made up', { key: ' a b' }],
];

test('an order out of bounds: INVALID_ARGUMENT alone, INVALID in a batch', async (t) => {
  const { client } = await run(t);
  for (const [name, order] of bad) {
    await t.throwsAsync(placeOrder(client, order), { message: /INVALID_ARGUMENT/ }, name);
  }
  const orders = [...bad.map(([, order]) => order), {}].map((order) => ({ ...noOrder, ...order }));
  const stream = client.placeOrders();
  stream.write({ orders, holder: 0 });
  const { results, orderNumbers } = await new Promise<PlaceOrdersResponse>((resolve) => stream.once('data', resolve));
  stream.cancel();
  stream.on('error', () => {});
  t.deepEqual(results, [...bad.map(() => -6), 0]);
  t.deepEqual(orderNumbers, [...bad.map(() => 0), 0]);
});

test('a stream is answered message by message, in order', async (t) => {
  const { client, remote } = await run(t);
  const stream = client.placeOrders();
  const answers: PlaceOrdersResponse[] = [];
  stream.on('data', (answer: PlaceOrdersResponse) => answers.push(answer));
  const ended = new Promise((resolve) => stream.on('end', resolve));
  stream.write({
    orders: [
      { ...noOrder, requestId: 'r-1' },
      { ...noOrder, name: 'Unicorn' },
    ],
    holder: 0,
  });
  stream.write({ orders: [], holder: 0 });
  stream.write({
    orders: [{ ...noOrder, name: 'Duck, "yellow"\nand wet', quantity: 100, requestId: 'r-2' }],
    holder: 0,
  });
  stream.end();
  await ended;
  t.deepEqual(answers, [
    { results: [0, -1], orderNumbers: [0, 0] },
    { results: [], orderNumbers: [] },
    { results: [0], orderNumbers: [1] },
  ]);
  t.deepEqual(await getOrder(client, 1), { result: 0, name: 'Duck, "yellow"\nand wet', quantity: 100 });
  t.true(remote.requestIds.includes('r-1') && remote.requestIds.includes('r-2'), 'request ids go through');
});

test('a stream to the catalog that breaks between sale and answer: the same tags again, one sale', async (t) => {
  const { client, remote, catalog, service } = await run(t);
  remote.breaksLeft = 3;
  t.deepEqual(await placeOrder(client, { name: 'Tux' }), { result: 0, orderNumber: 0 });
  t.is(catalog.stock.get('Tux'), 99);
  t.is(service.stats().engine.purchases, 1);
});

test('a catalog that is killed and comes back: orders in between wait for it', async (t) => {
  const { client, remote, catalog } = await run(t);
  await placeOrder(client, {});
  remote.leave();
  const orders = Promise.all([placeOrder(client, { key: 'a' }), placeOrder(client, { key: 'b' })]);
  remote.comeBack();
  t.deepEqual(
    (await orders).map(({ result }) => result),
    [0, 0],
  );
  t.is(catalog.stock.get('Tux'), 97);
});

test('without a catalog: listens, is healthy, sells nothing; sells when the catalog comes', async (t) => {
  const running = await run(t, {}, { isAway: true });
  const { client, remote, health } = running;
  t.true(await health.isServing('toystore.v1.Order', 10_000));
  t.false(await health.isServing('toystore.v1.Order/sell', 10_000));
  await t.throwsAsync(placeOrder(client, {}), { message: /UNAVAILABLE/ });
  t.deepEqual(await getOrder(client, 0), { result: -1, name: '', quantity: 0 });
  remote.comeBack();
  await untilSelling(running);
  t.deepEqual(await placeOrder(client, {}), { result: 0, orderNumber: 0 });
});

test('sales of which the log knows nothing become orders at the start, with their keys', async (t) => {
  const catalog = new TestCatalog();
  const before = await run(t, {}, { catalog });
  await placeOrder(before.client, { key: 'a' });
  await before.service.stop();
  for (const [sequence, key] of [
    [7, 'b'],
    [9, 'c'],
  ] as const) {
    catalog.sales.push({ tag: { incarnation: 1, sequence }, name: 'Whale', quantity: 2, key });
  }
  const after = await run(t, {}, { catalog, dataDir: before.dataDir });
  t.deepEqual(await placeOrder(after.client, { name: 'Whale', quantity: 2, key: 'c' }), { result: 0, orderNumber: 2 });
  t.deepEqual(await getOrder(after.client, 1), { result: 0, name: 'Whale', quantity: 2 });
  t.deepEqual(await placeOrder(after.client, {}), { result: 0, orderNumber: 3 });
  const csv = await readFile(join(after.dataDir, 'order', 'orders.csv'), 'utf8');
  t.deepEqual(
    csv.split('\n').map((row) => row.split(',').slice(0, 4).join(',')),
    ['order_number,name,quantity,key', '0,Tux,1,a', '1,Whale,2,b', '2,Whale,2,c', '3,Tux,1,', ''],
  );
});

test('a second service on the same directory is refused', async (t) => {
  const { dataDir, remote } = await run(t);
  const settings = parseSettings([], { DATA_DIR: dataDir, ORDER_PORT: '0', CATALOG_ADDRESS: remote.address });
  const error = await t.throwsAsync(startOrder(settings, silent), { instanceOf: StorageError });
  t.is(error?.code, 'LOCKED');
});

test('a port in use ends the start, and leaves the directory free for the next one', async (t) => {
  const { service } = await run(t);
  const dataDir = await makeDirectory();
  const port = service.address.split(':')[1]!;
  const settings = parseSettings([], { DATA_DIR: dataDir, ORDER_PORT: port, CATALOG_ADDRESS: '127.0.0.1:1' });
  await t.throwsAsync(startOrder(settings, silent), { code: 'EADDRINUSE' });
  await run(t, {}, { dataDir });
});

test('fenced by another order service: says that it must be started again', async (t) => {
  const { client, catalog, service, health } = await run(t);
  await run(t, {}, { catalog });
  const error = await t.throwsAsync(placeOrder(client, {}));
  t.is((error as ServiceError).code, status.UNAVAILABLE);
  t.like(await service.failed, { code: 'FENCED' });
  t.false(await health.isServing('toystore.v1.Order/sell', 10_000));
});
