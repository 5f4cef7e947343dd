// Routing over a real server: who answers what, with which status and headers. And patterns that are refused.
import test from 'ava';
import { Router } from '../../src/http/index.js';
import { prepareHeaders } from '../../src/http/server/prepared-headers.js';
import { RawClient, serve } from './served.js';

const TEXT = prepareHeaders({ 'Content-Type': 'text/plain', 'X-Extra': 'yes' });

function shop(): Router {
  return new Router()
    .add('GET', '/', (exchange) => exchange.send(200, '"root"'))
    .add('GET', '/products/:name', (exchange) => exchange.send(200, JSON.stringify(exchange.parameter('name'))))
    .add('GET', '/products/special', (exchange) => exchange.send(200, '"the special one"'))
    .add('POST', '/orders', (exchange) => exchange.send(201, exchange.body, TEXT), { bodyBytesMax: 10 })
    .add('DELETE', '/orders', (exchange) => exchange.send(204, ''))
    .add('GET', '/a/:x/b/:y', (exchange) =>
      exchange.send(200, `${exchange.parameter('x')}-${exchange.parameter('y')}`),
    );
}

interface Row {
  readonly request: string;
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string | undefined>;
}

const ROWS: Row[] = [
  { request: 'GET /', status: 200, body: '"root"' },
  { request: 'GET /?a=b/c', status: 200, body: '"root"' },
  { request: 'GET /products/Tux', status: 200, body: '"Tux"' },
  { request: 'GET /products/Tux?quantity=1', status: 200, body: '"Tux"' },
  { request: 'GET /products/special', status: 200, body: '"the special one"' },
  { request: 'GET /products/', status: 200, body: '""' },
  { request: 'GET /products/a%2Fb', status: 200, body: '"a/b"' },
  { request: 'GET /products/%2541', status: 200, body: '"%41"' },
  { request: 'GET /products/%E2%82%AC', status: 200, body: Buffer.from('"€"').toString('latin1') },
  { request: 'GET /products/%EF%BB%BFx', status: 200, body: Buffer.from('"\ufeffx"').toString('latin1') },
  { request: 'GET /products/a+b', status: 200, body: '"a+b"' },
  { request: 'GET /products/..', status: 200, body: '".."' },
  { request: 'GET /%70roducts/Tux', status: 200, body: '"Tux"' },
  { request: 'GET /products%2FTux', status: 404 },
  { request: 'GET http://elsewhere.example/products/Tux', status: 200, body: '"Tux"' },
  { request: 'GET /a/1/b/2', status: 200, body: '1-2' },
  { request: 'GET /a/1/c/2', status: 404 },
  { request: 'GET /a/1', status: 404 },
  { request: 'GET /a/1/b/2/', status: 404 },
  { request: 'GET /products', status: 404, body: '{"error":{"code":404,"message":"not found"}}' },
  { request: 'GET /Products/Tux', status: 404 },
  { request: 'GET //products/Tux', status: 404 },
  { request: 'GET http://elsewhere.example', status: 200, body: '"root"' },
  { request: 'GET http://elsewhere.example?a=1', status: 200, body: '"root"' },
  { request: 'HEAD /products/Tux', status: 200, body: '', headers: { 'content-length': '5' } },
  { request: 'HEAD /nowhere', status: 404, body: '', headers: { 'content-length': '44' } },
  {
    request: 'OPTIONS /products/Tux',
    status: 204,
    headers: { allow: 'GET, HEAD, OPTIONS', 'content-length': undefined, 'content-type': undefined },
  },
  { request: 'OPTIONS /orders', status: 204, headers: { allow: 'POST, DELETE, OPTIONS' } },
  { request: 'OPTIONS *', status: 204, headers: { allow: 'GET, HEAD, POST, DELETE, OPTIONS' } },
  { request: 'OPTIONS http://elsewhere.example/orders', status: 204, headers: { allow: 'POST, DELETE, OPTIONS' } },
  { request: 'OPTIONS /nowhere', status: 404 },
  {
    request: 'PUT /products/Tux',
    status: 405,
    body: '{"error":{"code":405,"message":"method not allowed"}}',
    headers: { allow: 'GET, HEAD, OPTIONS' },
  },
  { request: 'GET /orders', status: 405, headers: { allow: 'POST, DELETE, OPTIONS' } },
  { request: 'HEAD /orders', status: 405, body: '' },
  { request: 'TRACE /orders', status: 405 },
  { request: 'DELETE /orders', status: 204, headers: { 'content-length': undefined } },
  { request: 'BREW /orders', status: 501, body: '{"error":{"code":501,"message":"method not implemented"}}' },
  { request: 'get /products/Tux', status: 501 },
  { request: 'BREW /nowhere', status: 501 },
  { request: 'CONNECT host:80', status: 501 },
];

test('each request finds its answer, on one connection', async (t) => {
  await using served = await serve({ router: shop() });
  using client = new RawClient(served.port);
  for (const { request, status, body, headers = {} } of ROWS) {
    client.write(`${request} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const answer = await client.answer(request.startsWith('HEAD'));
    t.is(answer.status, status, request);
    if (body !== undefined) t.is(answer.body, body, request);
    for (const [name, value] of Object.entries(headers)) t.is(answer.headers[name], value, `${name} of ${request}`);
  }
});

test('OPTIONS of a URI without a path asks about the server, where "/" is no resource', async (t) => {
  await using served = await serve({ router: new Router().add('POST', '/orders', () => {}) });
  using client = new RawClient(served.port);
  client.write('OPTIONS http://elsewhere.example HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const { status, headers } = await client.answer();
  t.deepEqual([status, headers.allow], [204, 'POST, OPTIONS']);
  client.write('OPTIONS http://elsewhere.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
  t.is((await client.answer()).status, 404);
});

test('a route takes bodies up to its own limit, and sets its own headers', async (t) => {
  await using served = await serve({ router: shop(), limits: { bodyBytesMax: 1 } });
  using client = new RawClient(served.port);
  client.write('POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789');
  const { status, body, headers } = await client.answer();
  t.is(status, 201);
  t.is(body, '0123456789');
  t.is(headers['content-type'], 'text/plain');
  t.is(headers['x-extra'], 'yes');
  client.write('POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
  t.is((await client.answer()).status, 413);
});

test('patterns and headers that could not work are refused when they are made', (t) => {
  const handler = () => {};
  t.throws(() => new Router().add('GET', 'products', handler), { message: /begin/ });
  t.throws(() => new Router().add('get', '/', handler), { message: /method/ });
  t.throws(() => new Router().add('GET', '/', handler).add('GET', '/', handler), { message: /already/ });
  t.throws(() => new Router().add('GET', '/:a', handler).add('POST', '/:b', handler), { message: /same paths/ });
  for (const headers of [
    { Date: 'x' },
    { 'content-LENGTH': '1' },
    { Connection: 'close' },
    { 'a b': 'c' },
    { '': 'x' },
    { a: 'b\r\nc' },
    { a: '€' },
  ]) {
    t.throws(() => prepareHeaders(headers as Record<string, string>), undefined, JSON.stringify(headers));
  }
});
