// One request under one name in the logs of all three processes.

import { setTimeout as delay } from 'node:timers/promises';
import { credentials, Metadata } from '@grpc/grpc-js';
import anyTest, { type TestFn } from 'ava';
import { CatalogClient } from '../../proto/gen/toystore/v1/catalog.js';
import { OrderClient } from '../../proto/gen/toystore/v1/order.js';
import { call } from '../support/store-client.js';
import { ANY_STORE, StoreProcess } from '../support/store-process.js';

const test = anyTest as TestFn<{ store: StoreProcess }>;

test.before(async (t) => {
  t.context.store = await StoreProcess.start(ANY_STORE, { env: { LOG_LEVEL: 'debug', CACHE_TOYS: '0' } });
});

test.after.always(async (t) => {
  await t.context.store?.[Symbol.asyncDispose]();
});

const ORDER = { 'Content-Type': 'application/json' };

/** The log lines with that name: `service: message`, once each, sorted. Waits until there are `count` of them. */
async function linesOf(store: StoreProcess, id: string, count: number): Promise<string[]> {
  const found = (): string[] => {
    const lines = store.logs.filter(({ requestId }) => requestId === id);
    return [...new Set(lines.map(({ service, message }) => `${service}: ${message}`))].sort();
  };
  await store.until(() => found().length >= count, `${count} lines of ${id}`);
  return found();
}

test.serial('a find: front end and catalog', async (t) => {
  const { store } = t.context;
  const answer = await call(store.port, 'GET', '/products/Tux', { headers: { 'X-Request-Id': 'find-1' } });
  t.is(answer.headers['x-request-id'], 'find-1');
  t.deepEqual(await linesOf(store, 'find-1', 2), ['catalog: find', 'frontend: request']);
});

test.serial('finds of one toy at the same time keep their names apart', async (t) => {
  const { store } = t.context;
  const ids = Array.from({ length: 20 }, (_, index) => `many-${index}`);
  const asked = ids.map((id) => call(store.port, 'GET', '/products/Tux', { headers: { 'X-Request-Id': id } }));
  for (const [index, { status, headers }] of (await Promise.all(asked)).entries()) {
    t.deepEqual([status, headers['x-request-id']], [200, ids[index]]);
  }
  for (const id of ids) t.deepEqual(await linesOf(store, id, 2), ['catalog: find', 'frontend: request']);
});

test.serial('an order: all three, sold or refused', async (t) => {
  const { store } = t.context;
  for (const [id, quantity, status] of [
    ['order-1', 1, 200],
    ['order-2', 1_000, 409],
  ] as const) {
    const body = JSON.stringify({ name: 'Tux', quantity });
    const answer = await call(store.port, 'POST', '/orders', { headers: { ...ORDER, 'X-Request-Id': id }, body });
    t.deepEqual([answer.status, answer.headers['x-request-id']], [status, id]);
    t.deepEqual(await linesOf(store, id, 3), ['catalog: purchase', 'frontend: request', 'order: order']);
  }
});

test.serial('an order, asked for: front end and order service', async (t) => {
  const { store } = t.context;
  const answer = await call(store.port, 'GET', '/orders/0', { headers: { 'X-Request-Id': 'get-1' } });
  t.deepEqual([answer.status, answer.headers['x-request-id']], [200, 'get-1']);
  t.deepEqual(await linesOf(store, 'get-1', 2), ['frontend: request', 'order: order asked for']);
});

test.serial('an order without a name gets one, the same everywhere, and its answer does not tell', async (t) => {
  const { store } = t.context;
  const body = JSON.stringify({ name: 'Fox', quantity: 3 });
  const answer = await call(store.port, 'POST', '/orders', { headers: ORDER, body });
  t.deepEqual([answer.status, answer.headers['x-request-id']], [200, undefined]);
  const order = (): Record<string, unknown> | undefined =>
    store.logs.find(({ service, message, name }) => service === 'order' && message === 'order' && name === 'Fox');
  await store.until(order, 'the order');
  t.is((await linesOf(store, String(order()!.requestId), 3)).length, 3);
});

type Answered = (error: Error | null, response: { readonly result: number }) => void;

function resultOf(ask: (answered: Answered) => unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    ask((error, response) => (error === null ? resolve(response.result) : reject(error)));
  });
}

function named(id: string): Metadata {
  const metadata = new Metadata();
  metadata.set('x-request-id', id);
  return metadata;
}

test.serial('unary calls of gRPC bring it in their metadata', async (t) => {
  const { store } = t.context;
  const catalog = new CatalogClient(store.serviceAddress('catalog'), credentials.createInsecure());
  const order = new OrderClient(store.serviceAddress('order'), credentials.createInsecure());
  const toy = { name: 'Whale', quantity: 1 };
  const nameless = { ...toy, key: '', requestId: '' };
  const inMessage = { ...nameless, requestId: 'u-message' };
  t.is(await resultOf((answered) => catalog.findToy(toy, named('u-find'), answered)), 0);
  t.is(await resultOf((answered) => catalog.processOrder(toy, named('u-process'), answered)), 0);
  t.is(await resultOf((answered) => order.placeOrder(nameless, named('u-place'), answered)), 0);
  t.is(await resultOf((answered) => order.placeOrder(inMessage, named('u-metadata'), answered)), 0);
  t.is(await resultOf((answered) => order.getOrder({ number: 0 }, named('u-get'), answered)), 0);
  catalog.close();
  order.close();

  t.deepEqual(await linesOf(store, 'u-find', 1), ['catalog: find']);
  t.deepEqual(await linesOf(store, 'u-process', 1), ['catalog: purchase']);
  t.deepEqual(await linesOf(store, 'u-place', 2), ['catalog: purchase', 'order: order']);
  t.deepEqual(await linesOf(store, 'u-message', 2), ['catalog: purchase', 'order: order']);
  t.deepEqual(await linesOf(store, 'u-get', 1), ['order: order asked for']);
  t.false(
    store.logs.some(({ requestId }) => requestId === 'u-metadata'),
    'what the message says goes before what the metadata says',
  );
});

test.serial('what took long is a line with the name at every level, at front end and order service', async (t) => {
  await using store = await StoreProcess.start('start');
  const catalog = store.servicePid('catalog');
  process.kill(catalog, 'SIGSTOP');
  const body = JSON.stringify({ name: 'Tux', quantity: 1 });
  const buying = call(store.port, 'POST', '/orders', { headers: { ...ORDER, 'X-Request-Id': 'slow-order' }, body });
  const isOnItsWay = async (): Promise<boolean> =>
    (await call(store.port, 'GET', '/metrics')).body.includes('{service="order",stage="at-catalog"} 1');
  while (!(await isOnItsWay())) await delay(20);
  // Given up when the catalog has not answered in time: by then the order is slow as well.
  const found = await call(store.port, 'GET', '/products/Tux', { headers: { 'X-Request-Id': 'slow-find' } });
  process.kill(catalog, 'SIGCONT');
  t.deepEqual([found.status, found.headers['x-request-id']], [504, 'slow-find']);
  t.is((await buying).status, 200);

  const slow = (id: string): Record<string, unknown>[] =>
    store.logs.filter(
      ({ message, requestId, requestIds }) =>
        message === 'slow request' && (requestId === id || (requestIds as string[] | undefined)?.includes(id)),
    );
  await store.until(() => slow('slow-find').length === 1 && slow('slow-order').length === 2, 'three slow requests');
  t.like(slow('slow-find')[0], { service: 'frontend', route: '/products/:name', status: 504 });
  for (const line of slow('slow-order')) {
    t.like(line, line.service === 'order' ? { call: 'PlaceOrders', requests: 1 } : { route: '/orders', status: 200 });
  }
});
