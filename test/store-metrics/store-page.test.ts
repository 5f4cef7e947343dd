// The page of a real store: what docs/operations.md lists and nothing else, by Prometheus's conventions, and right across
// threads and processes.

import { readFile } from 'node:fs/promises';
import anyTest, { type TestFn } from 'ava';
import { ClientConnection } from '../../src/http/index.js';
import { MetricsPage } from '../support/metrics-page.js';
import { call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

const DOCUMENT = new URL('../../../docs/operations.md', import.meta.url);
const THREADS = 2;
const CONNECTIONS = 6;
const FINDS = 25;
const ORDERS = 4;
const SCRAPES_MAX = 200;

const test = anyTest as TestFn<{ store: StoreProcess; page: MetricsPage; text: string }>;

/** Finds, orders and refusals on connections that stay open while the page is read. */
test.before(async (t) => {
  const store = await StoreProcess.start('start', { env: { THREADS: String(THREADS), PACKED_SESSIONS: '1' } });
  const shop = async (): Promise<ClientConnection> => {
    const connection = new ClientConnection({ host: '127.0.0.1', port: store.port });
    const order = { headers: { 'Content-Type': 'application/json' }, body: '{"name":"Tux","quantity":1}' };
    for (let index = 0; index < FINDS; index++) await connection.request('GET', '/products/Fox');
    for (let index = 0; index < ORDERS; index++) await connection.request('POST', '/orders', order);
    await connection.request('GET', '/products/Unicorn');
    return connection;
  };
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, shop));
  await call(store.port, 'GET', '/products/Tux', { headers: { 'Content-Length': 'x' } });
  let text = '';
  // The order service syncs ten times a second; no test goes on for ever without.
  const synced = /^toystore_journal_sync_seconds_count\{service="order"\} [1-9]/m;
  for (let tries = 0; tries < SCRAPES_MAX && !synced.test(text); tries++) {
    text = (await call(store.port, 'GET', '/metrics')).body;
  }
  for (const connection of connections) connection.close();
  t.context = { store, text, page: new MetricsPage(text) };
});

test.after.always(async (t) => {
  await t.context.store?.[Symbol.asyncDispose]();
});

test('it has exactly the metrics of the store that are documented', async (t) => {
  const shown = [...t.context.page.families.keys()].filter((name) => name.startsWith('toystore_')).sort();
  const table = [...(await readFile(DOCUMENT, 'utf8')).matchAll(/^\| `(toystore_\w+)` +\|/gm)];
  t.deepEqual(shown, table.map(([, name]) => name).sort());
});

test('form and names are as Prometheus wants them', (t) => {
  t.deepEqual(t.context.page.check(), []);
});

test('every row says of which service it is, and every service is up', (t) => {
  const { page } = t.context;
  const rows = [...page.families.values()].flatMap(({ samples }) => samples);
  t.deepEqual([...new Set(rows.map(({ labels }) => labels.service))].sort(), ['catalog', 'frontend', 'order']);
  for (const service of ['frontend', 'catalog', 'order']) {
    t.is(page.value('toystore_up', { service }), 1);
    t.is(page.value('toystore_pool_threads', { service }), THREADS);
    t.true(page.value('process_cpu_seconds_total', { service }) > 0);
  }
});

test('requests by route and status, with their times, over all threads', (t) => {
  const { page } = t.context;
  const count = (route: string, status: number): number =>
    page.value('toystore_http_request_duration_seconds_count', { route, status: String(status) });
  t.is(count('/products/:name', 200), CONNECTIONS * FINDS);
  t.is(count('/products/:name', 404), CONNECTIONS);
  t.is(count('/orders', 200), CONNECTIONS * ORDERS);
  t.true(page.value('toystore_http_request_duration_seconds_sum', { route: '/orders', status: '200' }) > 0);
  t.is(page.value('toystore_http_refused_total', { status: '400' }), 1);
});

test('sessions of the pool by thread, and those that wait', (t) => {
  const { page } = t.context;
  const sessions = page.samples('toystore_pool_sessions', { service: 'frontend' });
  t.is(sessions.length, THREADS);
  // Beside these there is the one that asks for the page, and perhaps one that is not quite gone.
  t.true(sessions.reduce((sum, { value }) => sum + value, 0) > CONNECTIONS);
  for (const { value } of sessions) t.true(value > 0);
  t.is(page.value('toystore_pool_queue_length', { service: 'frontend' }), 0);
  t.true(page.value('toystore_pool_wait_seconds_count', { service: 'frontend' }) > CONNECTIONS);
});

test('stock, sales, waits for the lock, sizes of batches, syncs', (t) => {
  const { page } = t.context;
  const sold = CONNECTIONS * ORDERS;
  t.is(page.value('toystore_toys'), 6);
  t.is(page.value('toystore_stock', { toy: 'Tux' }), 100 - sold);
  t.is(page.value('toystore_stock', { toy: 'Fox' }), 100);
  t.is(page.value('toystore_orders_total'), sold);
  t.is(page.value('toystore_catalog_sold_total'), sold);
  for (const mode of ['read', 'write']) t.true(page.value('toystore_lock_waits_total', { mode }) >= 0);
  const asked = page.value('toystore_held_misses_total');
  t.is(asked + page.value('toystore_held_hits_total'), CONNECTIONS * (FINDS + 1));
  t.is(page.value('toystore_batch_calls_total', { stream: 'find' }), asked);
  t.is(page.value('toystore_batch_calls_total', { stream: 'order' }), sold);
  t.is(page.samples('toystore_batch_size_count', { stream: 'find' }).length, THREADS);
  const items = page.value('toystore_catalog_items_total', { kind: 'find' });
  t.is(
    items,
    page.value('toystore_batch_items_total', { stream: 'find' }),
    'sent by all threads, answered by all threads',
  );
  for (const service of ['catalog', 'order']) {
    t.true(page.value('toystore_journal_records_total', { service }) > 0);
    t.true(page.value('toystore_journal_sync_seconds_count', { service }) > 0);
    t.true(page.value('toystore_journal_sync_seconds_sum', { service }) > 0);
  }
});

const faulty: [text: string, complaint: RegExp][] = [
  ['# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n', /_total and is no counter/],
  ['# HELP a A.\n# TYPE a counter\na 1\n', /does not end in _total/],
  ['# TYPE a gauge\na 1\n', /no HELP/],
  ['# HELP a A.\na 1\n', /no TYPE/],
  ['# HELP a A.\n# TYPE a gauge\n# HELP a A.\na 1\n', /HELP twice/],
  ['# HELP a A.\n# TYPE a gauge\na 1\na 1\n', /series twice/],
  ['# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n', /base unit/],
  ['# HELP a_count A.\n# TYPE a_count gauge\na_count 1\n', /kept for histograms/],
  ['# HELP a A.\n# TYPE a gauge\nb 1\n', /not of the family/],
  ['# HELP aB A.\n# TYPE aB gauge\naB 1\n', /snake_case/],
  ['# HELP a A.\n# TYPE a gauge\na{b=c} 1\n', /no line/],
  ['# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n', /holds less/],
  ['# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n', /no bucket \+Inf/],
  ['# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\n# HELP a A.\n', /two places/],
];

for (const [text, complaint] of faulty) {
  test(`the judge finds: ${complaint.source}`, (t) => {
    t.regex(new MetricsPage(text).check().join('; '), complaint);
  });
}
