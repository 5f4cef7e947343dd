// The HTTP table of the contract against the real store: three processes, real sockets.

import anyTest, { type TestFn } from 'ava';
import { exchangeUntilClose, parseAnswer } from '../support/raw-http.js';
import { buy, type CallOptions, call, stockOf } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

const test = anyTest as TestFn<{ store: StoreProcess }>;

test.before(async (t) => {
  t.context.store = await StoreProcess.start('start');
});

test.after.always(async (t) => {
  await t.context.store?.[Symbol.asyncDispose]();
});

const JSON_BODY = { 'Content-Type': 'application/json' };

function errorJson(code: number, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

test.serial('a product: its name, price and quantity, in this order', async (t) => {
  const answer = await call(t.context.store.port, 'GET', '/products/Tux');
  t.is(answer.status, 200);
  t.is(answer.body, '{"data":{"name":"Tux","price":15.99,"quantity":100}}');
  t.is(answer.headers['content-type'], 'application/json');
  t.is(answer.headers['content-length'], String(answer.body.length));
});

test.serial('every toy of toys.csv is there, its price in the shortest form', async (t) => {
  const prices = { Tux: '15.99', Whale: '19.5', Elephant: '23.49', Dolphin: '17.25', Fox: '12.99', Python: '21.75' };
  for (const [name, price] of Object.entries(prices)) {
    const answer = await call(t.context.store.port, 'GET', `/products/${name}`);
    t.is(answer.body, `{"data":{"name":"${name}","price":${price},"quantity":100}}`);
  }
});

test.serial('the first order has the number 0, and the stock falls at once', async (t) => {
  const { port } = t.context.store;
  const answer = await buy(port, 'Tux', 1);
  t.is(answer.status, 200);
  t.is(answer.body, '{"data":{"order_number":0}}');
  t.is(await stockOf(port, 'Tux'), 99);
  const order = await call(port, 'GET', '/orders/0');
  t.is(order.status, 200);
  t.is(order.body, '{"data":{"number":0,"name":"Tux","quantity":1}}');
});

test.serial('an order of exactly the stock left is sold; the next is refused and takes no number', async (t) => {
  const { port } = t.context.store;
  t.is((await buy(port, 'Python', 101)).status, 409);
  t.is((await buy(port, 'Python', 100)).body, '{"data":{"order_number":1}}');
  t.is(await stockOf(port, 'Python'), 0);
  t.is((await buy(port, 'Python', 1)).status, 409);
  t.is((await buy(port, 'Fox', 1)).body, '{"data":{"order_number":2}}');
});

test.serial('of many buyers that race for the last unit one wins', async (t) => {
  const { port } = t.context.store;
  t.is((await buy(port, 'Dolphin', 99)).status, 200);
  const answers = await Promise.all(Array.from({ length: 20 }, () => buy(port, 'Dolphin', 1)));
  t.deepEqual(answers.map((answer) => answer.status).sort(), [200, ...Array(19).fill(409)]);
  t.is(await stockOf(port, 'Dolphin'), 0);
});

test.serial('the same key and body get the same number, another body 422, a refusal binds nothing', async (t) => {
  const { port } = t.context.store;
  const first = await buy(port, 'Whale', 2, 'key-1');
  t.is(first.status, 200);
  t.is((await buy(port, 'Whale', 2, 'key-1')).body, first.body);
  t.is((await buy(port, 'Whale', 3, 'key-1')).status, 422);
  t.is((await buy(port, 'Fox', 2, 'key-1')).status, 422);
  t.is(await stockOf(port, 'Whale'), 98);
  t.is((await buy(port, 'Whale', 99, 'key-2')).status, 409);
  t.is((await buy(port, 'Whale', 1, 'key-2')).status, 200);
});

test.serial('twenty calls with one key at the same time are one order', async (t) => {
  const { port } = t.context.store;
  const before = await stockOf(port, 'Elephant');
  const answers = await Promise.all(Array.from({ length: 20 }, () => buy(port, 'Elephant', 1, 'together')));
  t.is(new Set(answers.map((answer) => answer.body)).size, 1);
  t.is(answers[0]?.status, 200);
  t.is(await stockOf(port, 'Elephant'), before - 1);
});

const errors: [what: string, method: string, target: string, options: CallOptions, status: number, message: RegExp][] =
  [
    ['an unknown toy', 'GET', '/products/Unicorn', {}, 404, /^product not found$/],
    ['another case', 'GET', '/products/tux', {}, 404, /^product not found$/],
    ['an empty name', 'GET', '/products/', {}, 404, /^product not found$/],
    ['a name of 65 bytes', 'GET', `/products/${'x'.repeat(65)}`, {}, 404, /^product not found$/],
    ['no order of that number', 'GET', '/orders/1000000', {}, 404, /^order not found$/],
    ['not a number', 'GET', '/orders/x', {}, 404, /^order not found$/],
    ['a negative number', 'GET', '/orders/-1', {}, 404, /^order not found$/],
    ['a number past 2^53', 'GET', '/orders/99999999999999999999', {}, 404, /^order not found$/],
    ['a bad escape', 'GET', '/products/%zz', {}, 400, /'%zz' at character 11/],
    ['a bad escape in the query', 'GET', '/products/Tux?q=%4', {}, 400, /'%4' at character 17/],
    ['not UTF-8', 'GET', '/products/%ff', {}, 400, /UTF-8/],
    ['no such path', 'GET', '/toys', {}, 404, /./],
    ['the wrong method', 'DELETE', '/products/Tux', {}, 405, /./],
    ['malformed JSON', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":' }, 400, /JSON/],
    ['a missing name', 'POST', '/orders', { headers: JSON_BODY, body: '{"quantity":1}' }, 400, /name/],
    ['a missing quantity', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":"Tux"}' }, 400, /quantity/],
    ['half a toy', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":"Tux","quantity":0.5}' }, 400, /quantity/],
    ['no quantity', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":"Tux","quantity":0}' }, 400, /quantity/],
    [
      'too many',
      'POST',
      '/orders',
      { headers: JSON_BODY, body: '{"name":"Tux","quantity":4294967296}' },
      400,
      /quantity/,
    ],
    ['an empty name', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":"","quantity":1}' }, 400, /name/],
    [
      'an unknown toy',
      'POST',
      '/orders',
      { headers: JSON_BODY, body: '{"name":"Unicorn","quantity":1}' },
      404,
      /^product not found$/,
    ],
    ['more than the stock', 'POST', '/orders', { headers: JSON_BODY, body: '{"name":"Tux","quantity":101}' }, 409, /./],
    ['no Content-Type', 'POST', '/orders', { body: '{"name":"Tux","quantity":1}' }, 415, /json/],
    [
      'a form',
      'POST',
      '/orders',
      { headers: { 'Content-Type': 'text/plain' }, body: '{"name":"Tux","quantity":1}' },
      415,
      /json/,
    ],
    [
      'another charset',
      'POST',
      '/orders',
      { headers: { 'Content-Type': 'application/json; charset=latin1' }, body: '{"name":"Tux","quantity":1}' },
      415,
      /latin1/,
    ],
    [
      'a compressed body',
      'POST',
      '/orders',
      { headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' }, body: '{"name":"Tux","quantity":1}' },
      415,
      /Content-Encoding/,
    ],
    [
      'a key of 65 characters',
      'POST',
      '/orders',
      { headers: { ...JSON_BODY, 'Idempotency-Key': 'x'.repeat(65) }, body: '{"name":"Tux","quantity":1}' },
      400,
      /Idempotency-Key/,
    ],
  ];

for (const [what, method, target, options, status, message] of errors) {
  test.serial(`${status}: ${method} ${target.slice(0, 40)}: ${what}`, async (t) => {
    const answer = await call(t.context.store.port, method, target, options);
    t.is(answer.status, status);
    const { error } = JSON.parse(answer.body);
    t.regex(error.message, message);
    t.is(answer.body, errorJson(status, error.message));
    t.is(answer.headers['content-type'], 'application/json');
  });
}

test.serial('an order whose headers decide the answer is not asked for its body', async (t) => {
  const { port } = t.context.store;
  const rows: [start: string, headers: string, status: number][] = [
    ['POST /nope', '', 404],
    ['PUT /orders', '', 405],
    ['POST /orders', 'Content-Type: text/plain\r\n', 415],
    ['POST /orders', '', 415],
    ['POST /orders', 'Content-Type: application/json\r\nContent-Encoding: br\r\n', 415],
    ['POST /orders', 'Content-Type: application/json\r\nIdempotency-Key: two words\r\n', 400],
  ];
  for (const [start, headers, status] of rows) {
    const request = `${start} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 27\r\n${headers}\r\n`;
    t.is(parseAnswer(await exchangeUntilClose(port, request)).status, status, `${start} ${headers}`);
  }
});

test.serial('HEAD is GET without the body', async (t) => {
  const { port } = t.context.store;
  const get = await call(port, 'GET', '/products/Tux');
  const head = await call(port, 'HEAD', '/products/Tux');
  t.is(head.status, 200);
  t.is(head.body, '');
  t.is(head.headers['content-length'], get.headers['content-length']);
  t.is((await call(port, 'HEAD', '/products/Unicorn')).status, 404);
});

test.serial('OPTIONS and 405 name what is allowed', async (t) => {
  const { port } = t.context.store;
  t.is((await call(port, 'PUT', '/orders')).headers.allow, (await call(port, 'OPTIONS', '/orders')).headers.allow);
  t.regex((await call(port, 'DELETE', '/products/Tux')).headers.allow ?? '', /GET.*HEAD/);
  t.is((await call(port, 'OPTIONS', '/products/Tux')).status, 204);
  t.is((await call(port, 'OPTIONS', '*')).status, 204);
});

test.serial('percent-encoding is read once', async (t) => {
  const { port } = t.context.store;
  t.is((await call(port, 'GET', '/products/%54ux')).status, 200);
  t.is((await call(port, 'GET', '/products/%2554ux')).status, 404);
});

test.serial('healthz and readyz', async (t) => {
  const { port } = t.context.store;
  t.is((await call(port, 'GET', '/healthz')).status, 200);
  t.is((await call(port, 'GET', '/readyz')).status, 200);
});
