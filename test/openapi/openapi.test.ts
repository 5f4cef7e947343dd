// openapi.yaml is a valid description, it is what the store serves, and what the store really answers is what it says.

import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import anyTest, { type TestFn } from 'ava';
import { WATCHERS_MAX } from '../../src/frontend/live/live-streams.js';
import { RawClient } from '../http/served.js';
import { parseAnswer } from '../support/raw-http.js';
import { type CallOptions, call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';
import { ApiDescription } from './api-description.js';

const FILE = new URL('../../../openapi.yaml', import.meta.url);

const test = anyTest as TestFn<{ store: StoreProcess; description: ApiDescription }>;

test.before(async (t) => {
  t.context.description = await ApiDescription.read(FILE);
  // Every find asks the catalog, so that one that stands still is noticed at once.
  t.context.store = await StoreProcess.start('start', { env: { CACHE_TOYS: '0' } });
});

test.after.always(async (t) => {
  await t.context.store?.[Symbol.asyncDispose]();
});

const JSON_TYPE = { 'Content-Type': 'application/json' };

function order(name: string, quantity: number, headers: Record<string, string> = {}): CallOptions {
  return { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ name, quantity }) };
}

const LATIN1 = { 'Content-Type': 'application/json; charset=iso-8859-1' };
const KEY = { 'Idempotency-Key': 'described' };

const exchanges: [what: string, method: string, target: string, status: number, options?: CallOptions][] = [
  ['a toy', 'GET', '/products/Tux', 200],
  ['an unknown toy', 'GET', '/products/Unicorn', 404],
  ['a path with a bad escape', 'GET', '/products/%zz', 400],
  ['a request without sense', 'GET', '/products/Tux', 400, { headers: { 'Content-Length': 'x' } }],
  ['the headers of a toy', 'HEAD', '/products/Tux', 200],
  ['the headers of an unknown toy', 'HEAD', '/products/Unicorn', 404],
  ['what a toy can do', 'OPTIONS', '/products/Tux', 204],
  ['an order', 'POST', '/orders', 200, order('Tux', 1, KEY)],
  ['the same order again', 'POST', '/orders', 200, order('Tux', 1, KEY)],
  ['another order under its key', 'POST', '/orders', 422, order('Tux', 2, KEY)],
  ['an order for an unknown toy', 'POST', '/orders', 404, order('Unicorn', 1)],
  ['an order for too many', 'POST', '/orders', 409, order('Tux', 1000)],
  ['an order for none', 'POST', '/orders', 400, order('Tux', 0)],
  ['an order with a bad key', 'POST', '/orders', 400, order('Tux', 1, { 'Idempotency-Key': 'two words' })],
  ['an order as a form', 'POST', '/orders', 415, { headers: { 'Content-Type': 'text/plain' }, body: 'Tux' }],
  ['an order in a charset that is not UTF-8', 'POST', '/orders', 415, order('Tux', 1, LATIN1)],
  ['an order that is compressed', 'POST', '/orders', 415, order('Tux', 1, { 'Content-Encoding': 'gzip' })],
  ['an order of a megabyte', 'POST', '/orders', 413, { headers: JSON_TYPE, body: ' '.repeat(1_048_576) }],
  ['an order that expects a miracle', 'POST', '/orders', 417, order('Tux', 1, { Expect: 'a-miracle' })],
  ['what orders can do', 'OPTIONS', '/orders', 204],
  ['the order', 'GET', '/orders/0', 200],
  ['no order', 'GET', '/orders/1000000', 404],
  ['no number', 'GET', '/orders/x', 404],
  ['an order, asked for without sense', 'GET', '/orders/0', 400, { headers: { 'Content-Length': 'x' } }],
  ['the headers of the order', 'HEAD', '/orders/0', 200],
  ['the headers of no order', 'HEAD', '/orders/1000000', 404],
  ['what an order can do', 'OPTIONS', '/orders/0', 204],
  ['alive', 'GET', '/healthz', 200],
  ['ready', 'GET', '/readyz', 200],
  ['metrics', 'GET', '/metrics', 200],
  ['the description', 'GET', '/openapi.yaml', 200],
  ['the page', 'GET', '/', 200],
  ['the page, as the browser has it', 'GET', '/', 304, { headers: { 'If-None-Match': '*' } }],
  ['no file of the page', 'GET', '/assets/000000000000/main.js', 404],
];

test.serial('the description is valid OpenAPI', async (t) => {
  const { valid, errors } = await new Validator().validate(await readFile(FILE, 'utf8'));
  t.true(valid, JSON.stringify(errors));
});

test.serial('the store serves the description as it stands in the repository', async (t) => {
  const answer = await call(t.context.store.port, 'GET', '/openapi.yaml');
  t.is(Buffer.from(answer.body, 'latin1').toString(), await readFile(FILE, 'utf8'));
});

for (const [what, method, target, status, options] of exchanges) {
  test.serial(`${status} as described: ${method} ${target}: ${what}`, async (t) => {
    const answer = await call(t.context.store.port, method, target, options);
    t.is(answer.status, status, answer.body);
    t.deepEqual(t.context.description.check(method, target, answer), []);
    t.is(answer.headers['x-request-id'], undefined);
  });
}

for (const [what, method, target, status, options] of exchanges) {
  // A head that is refused before its end is not read for names.
  const { 'Content-Length': length, Expect: expectation } = options?.headers ?? {};
  if (target.includes('%zz') || length === 'x' || expectation !== undefined) continue;
  test.serial(`${status} and the request's id: ${method} ${target}: ${what}`, async (t) => {
    const headers = { 'X-Request-Id': 'described', ...options?.headers };
    const answer = await call(t.context.store.port, method, target, { ...options, headers });
    t.is(answer.headers['x-request-id'], 'described');
    t.deepEqual(t.context.description.check(method, target, answer), []);
  });
}

test.serial('200 and 304 as described: what the page loads', async (t) => {
  const { store, description } = t.context;
  const page = (await call(store.port, 'GET', '/')).body;
  for (const [, path = ''] of page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
    const asset = await call(store.port, 'GET', path);
    t.is(asset.status, 200);
    t.deepEqual(description.check('GET', path, asset), []);
    const again = await call(store.port, 'GET', path, { headers: { 'If-None-Match': '*' } });
    t.is(again.status, 304);
    t.deepEqual(description.check('GET', path, again), []);
  }
});

test.serial('200 and 503 as described: one who watches, and one too many', async (t) => {
  const { store, description } = t.context;
  const watching: RawClient[] = [];
  try {
    // Each thread of the front end has room for so many.
    for (;;) {
      const watcher = new RawClient(store.port);
      watching.push(watcher);
      watcher.write('GET /live HTTP/1.1\r\nHost: store\r\n\r\n');
      while (!watcher.received.includes('\r\n\r\n')) await watcher.more();
      const answer = watcher.received.startsWith('HTTP/1.1 200')
        ? parseAnswer(watcher.received)
        : await watcher.answer();
      t.deepEqual(description.check('GET', '/live', answer), []);
      if (answer.status === 503) break;
    }
    t.true(watching.length > WATCHERS_MAX);
  } finally {
    for (const watcher of watching) watcher.socket.destroy();
  }
});

test.serial('504 as described: the catalog and the order service stand still', async (t) => {
  const { store, description } = t.context;
  const stopped = [store.servicePid('catalog'), store.servicePid('order')];
  for (const pid of stopped) process.kill(pid, 'SIGSTOP');
  try {
    const late: [method: string, target: string, options?: CallOptions][] = [
      ['GET', '/products/Tux'],
      ['GET', '/orders/0'],
      ['POST', '/orders', order('Tux', 1)],
    ];
    await Promise.all(
      late.map(async ([method, target, options]) => {
        const answer = await call(store.port, method, target, options);
        t.is(answer.status, 504, `${method} ${target}: ${answer.body}`);
        t.deepEqual(description.check(method, target, answer), []);
      }),
    );
  } finally {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
  }
});

test.serial('503 as described: a front end without its backends', async (t) => {
  const { description } = t.context;
  // Port 1 is nobody's: connections to it are refused at once.
  const env = { CATALOG_ADDRESS: '127.0.0.1:1', ORDER_ADDRESS: '127.0.0.1:1' };
  await using frontend = await StoreProcess.start('frontend', { env });
  const refused: [method: string, target: string, options?: CallOptions][] = [
    ['GET', '/products/Tux'],
    ['GET', '/orders/0'],
    ['POST', '/orders', order('Tux', 1)],
    ['GET', '/readyz'],
  ];
  for (const [method, target, options] of refused) {
    const answer = await call(frontend.port, method, target, options);
    t.is(answer.status, 503, `${method} ${target}: ${answer.body}`);
    t.deepEqual(description.check(method, target, answer), []);
  }
  const alive = await call(frontend.port, 'GET', '/healthz');
  t.deepEqual(description.check('GET', '/healthz', alive), []);
});

test.serial('every answer that is described was seen', (t) => {
  t.deepEqual(t.context.description.unseen(), []);
});
