// Traces of the running store, received as a collector receives them: one order followed through three services.
//
//   POST /orders ◄─┬─ order batch                         front end
//                  └─ order ◄─┬─ purchase batch           order service
//                             ├─ purchase ◄── journal sync    catalog
//                             └─ order rows                   order service
//
// Arrows point to parents. What is done for several at once (the three batches, the sync) is linked with each of them.

import { credentials, Metadata } from '@grpc/grpc-js';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { CatalogClient } from '../../proto/gen/toystore/v1/catalog.js';
import { OrderClient } from '../../proto/gen/toystore/v1/order.js';
import { hasOpenTelemetry, WITHOUT_OPEN_TELEMETRY } from '../support/optional-packages.js';
import { type CollectedSpan, OtlpCollector } from '../support/otlp-collector.js';
import { call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

interface Context {
  store: StoreProcess;
  collector: OtlpCollector;
}

const test = anyTest as TestFn<Context>;
const traced = (title: string, body: (t: ExecutionContext<Context>) => Promise<void>): void => {
  if (hasOpenTelemetry) test.serial(title, body);
  else test.serial.skip(`${title} (${WITHOUT_OPEN_TELEMETRY})`, body);
};

test.before(async (t) => {
  if (!hasOpenTelemetry) return;
  t.context.collector = await OtlpCollector.listen();
  t.context.store = await StoreProcess.start('start', {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: t.context.collector.url,
      // Only what comes with a traceparent that says so.
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      LOG_LEVEL: 'debug',
      CACHE_TOYS: '0',
      THREADS: '2',
    },
  });
});

test.after.always(async (t) => {
  await t.context.store?.[Symbol.asyncDispose]();
  await t.context.collector?.[Symbol.asyncDispose]();
});

const CALLER = 'b7ad6b7169203331';
let traceCount = 0;

/** A trace that nobody has used yet, and the header that says so. */
function newTrace(flags = '01'): { traceId: string; traceparent: string } {
  const traceId = (++traceCount).toString(16).padStart(32, 'a');
  return { traceId, traceparent: `00-${traceId}-${CALLER}-${flags}` };
}

async function order(port: number, traceparent: string | undefined, name: string, quantity = 1): Promise<number> {
  const headers = { 'Content-Type': 'application/json', ...(traceparent === undefined ? {} : { traceparent }) };
  return (await call(port, 'POST', '/orders', { headers, body: JSON.stringify({ name, quantity }) })).status;
}

/** The spans of a trace by `service: name`, once there are as many as that. */
async function spansOf(collector: OtlpCollector, traceId: string, count: number): Promise<Map<string, CollectedSpan>> {
  await collector.until(() => collector.trace(traceId).length >= count);
  return new Map(collector.trace(traceId).map((span) => [`${span.service}: ${span.name}`, span]));
}

/** Each span with the one that it is a part of. */
function parentsOf(spans: ReadonlyMap<string, CollectedSpan>): Record<string, string> {
  const names = new Map([...spans].map(([name, { spanId }]) => [spanId, name]));
  return Object.fromEntries([...spans].map(([name, { parentId }]) => [name, names.get(parentId) ?? parentId]));
}

function linksOf(spans: ReadonlyMap<string, CollectedSpan>): Record<string, string[]> {
  const names = new Map([...spans].map(([name, { spanId }]) => [spanId, name]));
  return Object.fromEntries([...spans].map(([name, { links }]) => [name, links.map((id) => names.get(id) ?? id)]));
}

const CLOCK_NS = 1_000_000n;

const REQUEST = 'toystore-frontend: POST /orders';
const ORDER_BATCH = 'toystore-frontend: order batch';
const ORDER = 'toystore-order: order';
const PURCHASE_BATCH = 'toystore-order: purchase batch';
const PURCHASE = 'toystore-catalog: purchase';
const SYNC = 'toystore-catalog: journal sync';
const ROWS = 'toystore-order: order rows';

traced('an order is one trace through three services: request, batches, purchase, sync, row', async (t) => {
  const { store, collector } = t.context;
  const { traceId, traceparent } = newTrace();
  t.is(await order(store.port, traceparent, 'Tux'), 200);
  const spans = await spansOf(collector, traceId, 7);
  t.deepEqual(parentsOf(spans), {
    [REQUEST]: CALLER,
    [ORDER_BATCH]: REQUEST,
    [ORDER]: REQUEST,
    [PURCHASE_BATCH]: ORDER,
    [PURCHASE]: ORDER,
    [SYNC]: PURCHASE,
    [ROWS]: ORDER,
  });
  t.deepEqual(linksOf(spans), {
    [REQUEST]: [ORDER_BATCH],
    [ORDER_BATCH]: [REQUEST],
    [ORDER]: [PURCHASE_BATCH, ROWS],
    [PURCHASE_BATCH]: [ORDER],
    [PURCHASE]: [SYNC],
    [SYNC]: [PURCHASE],
    [ROWS]: [ORDER],
  });
  t.deepEqual(spans.get(REQUEST)!.attributes, {
    'http.request.method': 'POST',
    'http.route': '/orders',
    'url.path': '/orders',
    'url.scheme': 'http',
    'http.response.status_code': 200,
  });
  t.deepEqual(spans.get(PURCHASE)!.attributes, { 'purchase.result': 'DONE' });
  t.like(spans.get(ORDER)!.attributes, { 'order.result': 'DONE' });
  const kinds = [...spans].map(([name, { kind }]) => [name, kind]);
  t.like(Object.fromEntries(kinds), {
    [REQUEST]: 'server',
    [PURCHASE_BATCH]: 'client',
    [PURCHASE]: 'server',
    [SYNC]: 'internal',
  });
  // In the order of the work: nothing is answered before it is on disk. A span begins at a whole millisecond.
  t.true(spans.get(SYNC)!.endNs <= spans.get(PURCHASE)!.endNs + CLOCK_NS);
  t.true(spans.get(ROWS)!.startNs + CLOCK_NS >= spans.get(PURCHASE_BATCH)!.startNs);
  t.false(collector.trace(traceId).some(({ isError }) => isError));
});

traced('the log lines of all three services name the trace, and each its own span', async (t) => {
  const { store, collector } = t.context;
  const { traceId, traceparent } = newTrace();
  await order(store.port, traceparent, 'Tux');
  const spans = await spansOf(collector, traceId, 7);
  const lines = (): string[] =>
    store.logs
      .filter(({ trace_id }) => trace_id === traceId)
      .map((line) => `${line.service}: ${line.message} ${line.span_id}`);
  await store.until(() => lines().length >= 3, 'three lines of the trace');
  t.deepEqual(lines().sort(), [
    `catalog: purchase ${spans.get(PURCHASE)!.spanId}`,
    `frontend: request ${spans.get(REQUEST)!.spanId}`,
    `order: order ${spans.get(ORDER)!.spanId}`,
  ]);
});

const MANY = 40;

traced(
  'orders that share their batches: each has its own trace, and the batches are linked with all of them',
  async (t) => {
    const { store, collector } = t.context;
    const before = new Set(collector.spans);
    const traces = Array.from({ length: MANY }, () => newTrace());
    // Two that are recorded and two that are not, in turn: connections are dealt out between two threads.
    const asked = traces
      .flatMap(({ traceparent }, index) => (index % 2 === 0 ? [undefined, traceparent] : [traceparent, undefined]))
      .map((traceparent) => order(store.port, traceparent, 'Whale'));
    for (const status of await Promise.all(asked)) t.is(status, 200);

    const named = (name: string): CollectedSpan[] =>
      collector.spans.filter((span) => !before.has(span) && `${span.service}: ${span.name}` === name);
    const PAIRS: [item: string, batches: string[]][] = [
      [REQUEST, [ORDER_BATCH]],
      [ORDER, [PURCHASE_BATCH, ROWS]],
      [PURCHASE, [SYNC]],
    ];
    const linkCount = (batch: string): number => named(batch).reduce((sum, { links }) => sum + links.length, 0);
    await collector.until(() =>
      PAIRS.every(
        ([item, batches]) => named(item).length === MANY && batches.every((batch) => linkCount(batch) === MANY),
      ),
    );
    for (const [item, batches] of PAIRS) {
      t.deepEqual(
        named(item)
          .map(({ traceId }) => traceId)
          .sort(),
        traces.map(({ traceId }) => traceId).sort(),
      );
      for (const span of named(item)) {
        const linked = batches.map((batch) => named(batch).find(({ links }) => links.includes(span.spanId))!.spanId);
        t.deepEqual(span.links, linked);
      }
    }
    t.true(named(ORDER_BATCH).length < MANY, 'some batches had more than one order');
    t.true(named(PURCHASE_BATCH).some(({ links, attributes }) => Number(attributes['batch.items']) > links.length));
    // Nothing of those that were not sampled.
    const ids = new Set(traces.map(({ traceId }) => traceId));
    t.true(collector.spans.every((span) => before.has(span) || ids.has(span.traceId)));
  },
);

const FIND = 'toystore-frontend: GET /products/:name';

traced('a find: request, batch, and what the catalog found', async (t) => {
  const { store, collector } = t.context;
  const { traceId, traceparent } = newTrace();
  await call(store.port, 'GET', '/products/Tux?secret=1', { headers: { traceparent } });
  const spans = await spansOf(collector, traceId, 3);
  const [BATCH, FOUND] = ['toystore-frontend: find batch', 'toystore-catalog: find'];
  t.deepEqual(parentsOf(spans), { [FIND]: CALLER, [BATCH]: FIND, [FOUND]: FIND });
  t.deepEqual(linksOf(spans), { [FIND]: [BATCH], [BATCH]: [FIND], [FOUND]: [] });
  t.like(spans.get(FIND)!.attributes, { 'http.route': '/products/:name', 'url.path': '/products/Tux' });
  t.deepEqual(spans.get(FOUND)!.attributes, { 'find.result': 'DONE' });
});

traced('finds that share a message keep their traces apart', async (t) => {
  const { store, collector } = t.context;
  const finds = Array.from({ length: MANY }, (_, index) => ({
    ...newTrace(),
    ...(index % 3 === 0
      ? { name: 'Nobody', status: 404, result: 'UNKNOWN_TOY' }
      : { name: 'Fox', status: 200, result: 'DONE' }),
  }));
  const asked = finds.flatMap(({ traceparent, name }) => [
    call(store.port, 'GET', `/products/${name}`, { headers: { traceparent } }),
    call(store.port, 'GET', `/products/${name}`),
    call(store.port, 'GET', '/products/Fox'),
  ]);
  const answers = await Promise.all(asked);
  const [REQUEST_NAME, FOUND] = ['GET /products/:name', 'find'];
  for (const [index, { traceId, status, result }] of finds.entries()) {
    // On a machine that is busy with other things a find may have run out of time.
    if (answers[3 * index]!.status !== status) continue;
    const named = (name: string): CollectedSpan | undefined =>
      collector.trace(traceId).find((span) => span.name === name);
    await collector.until(() => named(REQUEST_NAME) && named(FOUND));
    t.is(named(FOUND)!.parentId, named(REQUEST_NAME)!.spanId);
    t.deepEqual(named(FOUND)!.attributes, { 'find.result': result });
    t.like(named(REQUEST_NAME)!.attributes, { 'http.response.status_code': status });
  }
});

traced('an order that is asked for, and requests that go no further than the front end', async (t) => {
  const { store, collector } = t.context;
  const asked = newTrace();
  await call(store.port, 'GET', '/orders/0', { headers: { traceparent: asked.traceparent } });
  const spans = await spansOf(collector, asked.traceId, 2);
  const [GET, LOOKED_UP] = ['toystore-frontend: GET /orders/:number', 'toystore-order: find order'];
  t.deepEqual(parentsOf(spans), { [GET]: CALLER, [LOOKED_UP]: GET });

  const OWN: [method: string, target: string, status: number, name: string, attributes: Record<string, string>][] = [
    ['GET', '/healthz', 200, 'GET /healthz', { 'http.route': '/healthz' }],
    ['GET', '/nowhere?x=1', 404, 'GET', { 'url.path': '/nowhere' }],
    ['GET', 'http://store/products/', 404, 'GET /products/:name', { 'url.path': '/products/' }],
    ['DELETE', '/orders', 405, 'DELETE /orders', {}],
    [
      'BREW',
      '/orders',
      501,
      'HTTP /orders',
      { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    ],
  ];
  for (const [method, target, status, name, attributes] of OWN) {
    const { traceId, traceparent } = newTrace();
    await call(store.port, method, target, { headers: { traceparent } });
    const own = [...(await spansOf(collector, traceId, 1)).values()];
    t.deepEqual(
      own.map((span) => span.name),
      [name],
    );
    t.like(own[0]!.attributes, { ...attributes, 'http.response.status_code': status });
    t.is(own[0]!.isError, status >= 500);
  }
});

traced('an order that is refused shows why, and no disk', async (t) => {
  const { store, collector } = t.context;
  const { traceId, traceparent } = newTrace();
  t.is(await order(store.port, traceparent, 'Tux', 4_000_000), 409);
  const spans = await spansOf(collector, traceId, 5);
  t.deepEqual([...spans.keys()].sort(), [PURCHASE, ORDER_BATCH, REQUEST, ORDER, PURCHASE_BATCH].sort());
  t.deepEqual(spans.get(PURCHASE)!.attributes, { 'purchase.result': 'NOT_ENOUGH_STOCK' });
  t.like(spans.get(REQUEST)!.attributes, { 'http.response.status_code': 409 });
});

type Answered = (error: Error | null, response: { readonly result: number }) => void;

function resultOf(ask: (answered: Answered) => unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    ask((error, response) => (error === null ? resolve(response.result) : reject(error)));
  });
}

traced('unary calls of gRPC bring it in their metadata', async (t) => {
  const { store, collector } = t.context;
  const catalog = new CatalogClient(store.serviceAddress('catalog'), credentials.createInsecure());
  const orders = new OrderClient(store.serviceAddress('order'), credentials.createInsecure());
  const toy = { name: 'Dolphin', quantity: 1 };
  const CALLS: [ask: (metadata: Metadata, answered: Answered) => unknown, names: string[]][] = [
    [(...more) => catalog.findToy(toy, ...more), ['find']],
    [(...more) => catalog.processOrder(toy, ...more), ['journal sync', 'purchase']],
    [(...more) => orders.getOrder({ number: 0 }, ...more), ['find order']],
    [
      (...more) => orders.placeOrder({ ...toy, key: '', requestId: '' }, ...more),
      ['journal sync', 'order', 'order rows', 'purchase', 'purchase batch'],
    ],
  ];
  for (const [ask, names] of CALLS) {
    const { traceId, traceparent } = newTrace();
    const metadata = new Metadata();
    metadata.set('traceparent', traceparent);
    t.is(await resultOf((answered) => ask(metadata, answered)), 0);
    await collector.until(() => collector.trace(traceId).length >= names.length);
    t.deepEqual(
      collector
        .trace(traceId)
        .map(({ name }) => name)
        .sort(),
      names,
    );
    t.is(collector.trace(traceId).filter(({ parentId }) => parentId === CALLER).length, 1);
  }
  catalog.close();
  orders.close();
});

traced(
  'nothing is recorded of a request whose caller records nothing, or that brings no traceparent, or a malformed one',
  async (t) => {
    const { store, collector } = t.context;
    const before = collector.spans.length;
    const silent = newTrace('00').traceparent;
    const malformed = `${newTrace().traceparent}-more`;
    for (const traceparent of [undefined, silent, malformed]) {
      t.is(await order(store.port, traceparent, 'Elephant'), 200);
      const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
      t.is((await call(store.port, 'GET', '/products/Tux', { headers })).status, 200);
    }
    // What came later is there: so would be what came before.
    const { traceId, traceparent } = newTrace();
    await order(store.port, traceparent, 'Elephant');
    await spansOf(collector, traceId, 7);
    t.true(collector.spans.slice(before).every((span) => span.traceId === traceId));
    t.false(store.logs.some(({ trace_id }) => trace_id === silent.slice(3, 35)));
  },
);
