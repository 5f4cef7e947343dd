// Where method, target and headers alone decide the answer, it comes at once: a peer that waits for `100 Continue` is not
// asked for a body that nobody will read (RFC 9110 10.1.1). And what the rest of a head can get wrong.
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { type Exchange, prepareHeaders, Router } from '../../src/http/index.js';
import { get, post, RawClient, serve, testBothWays, testEveryWay, testSecurely } from './served.js';

const TOO_EARLY = { status: 425, message: 'too early', headers: prepareHeaders({ 'X-Why': 'checked' }) };

/** "/orders" looks at a header before it takes a body; "/later" answers when the test says so. */
function testRouter(waiting: Exchange[] = []): Router {
  const checkHead = (exchange: Exchange) => (exchange.header('x-early') === undefined ? undefined : TOO_EARLY);
  return new Router()
    .add('POST', '/orders', (exchange) => exchange.send(200, exchange.body), { bodyBytesMax: 100, checkHead })
    .add('GET', '/orders/:number', (exchange) => exchange.send(200, exchange.parameter('number')))
    .add('GET', '/later', (exchange) => void waiting.push(exchange));
}

interface Row {
  readonly start: string;
  readonly headers?: string;
  readonly status: number;
  readonly message?: string;
  readonly answerHeaders?: Record<string, string>;
}

const ROWS: Row[] = [
  { start: 'POST /nope', status: 404, message: 'not found' },
  { start: 'PUT /orders', status: 405, message: 'method not allowed', answerHeaders: { allow: 'POST, OPTIONS' } },
  { start: 'POST /orders/1', status: 405, message: 'method not allowed' },
  { start: 'BREW /orders', status: 501, message: 'method not implemented' },
  { start: 'BREW /nope', status: 501, message: 'method not implemented' },
  { start: 'OPTIONS /orders', status: 204 },
  { start: 'OPTIONS *', status: 204 },
  { start: 'POST /orders', headers: 'X-Early: 1\r\n', status: 425, answerHeaders: { 'x-why': 'checked' } },
  {
    start: 'POST /orders',
    headers: 'Content-Encoding: gzip\r\n',
    status: 415,
    message: 'a body with a Content-Encoding is not read here',
    answerHeaders: { 'accept-encoding': 'identity' },
  },
  { start: 'POST /nope', headers: 'Content-Encoding: gzip\r\n', status: 404 },
  { start: 'POST /orders', headers: 'Expect: miracles\r\n', status: 417 },
  { start: 'POST /orders/%zz', status: 400 },
];

const FRAMINGS = ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Content-Length: 5000\r\n'];

for (const { start, headers = '', status, message, answerHeaders = {} } of ROWS) {
  testEveryWay(`${start} ${headers.trim()} is ${status}, and no 100 Continue before it`, async (t, serve) => {
    await using served = await serve({ router: testRouter() });
    for (const framing of FRAMINGS) {
      using client = new RawClient(served.port);
      client.write(
        `${get('/orders/1')}${start} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${headers}${framing}\r\n`,
      );
      t.is((await client.answer()).body, '1');
      const answer = await client.answer();
      t.is(answer.status, status);
      if (message !== undefined) t.is(answer.body, JSON.stringify({ error: { code: status, message } }));
      for (const [name, value] of Object.entries(answerHeaders)) t.is(answer.headers[name], value);
      t.is(answer.headers.connection, 'close', 'the body may or may not come: what follows is not readable');
      t.is(await client.rest(), '');
    }
  });
}

testEveryWay('413 is said before the body is sent, and what is acceptable gets its 100 Continue', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  const head = 'POST /orders HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n';
  client.write(`${head}Content-Length: 5\r\n\r\n`);
  t.is((await client.answer()).status, 100);
  client.write('hello');
  t.is((await client.answer()).body, 'hello');
  client.write(`${head}Content-Length: 101\r\n\r\n`);
  t.is((await client.answer()).status, 413);
  t.is(await client.rest(), '');
});

testEveryWay('an early answer waits for those before it', async (t, serve) => {
  const waiting: Exchange[] = [];
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(`${get('/later')}POST /nope HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
  while (waiting.length === 0) await setImmediate();
  waiting[0]!.send(200, 'first');
  t.is((await client.answer()).body, 'first');
  t.is((await client.answer()).status, 404);
  t.is(await client.rest(), '');
});

test('HTTP/1.0 knows no expectations: the answer comes after the body (RFC 9110 10.1.1)', async (t) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write('POST /orders HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello');
  t.is((await client.answer()).body, 'hello');
});

testEveryWay('without an expectation the body is read, and the connection goes on', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  for (const { start, headers = '', status } of ROWS) {
    if (start.includes('%') || headers.startsWith('Expect')) continue;
    client.write(`${start} HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: 5\r\n\r\nhello`);
    t.is((await client.answer()).status, status, start);
  }
  client.write(get('/orders/2'));
  t.is((await client.answer()).body, '2');
});

test('finished exchanges are reported whether or not their answer came early', async (t) => {
  const finished: string[] = [];
  const onExchange = (route: string, status: number) => void finished.push(`${route} ${status}`);
  await using served = await serve({ router: testRouter(), onExchange });
  for (const target of ['/nope', '/orders']) {
    using client = new RawClient(served.port);
    client.write(
      `POST ${target} HTTP/1.1\r\nHost: a\r\nX-Early: 1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    );
    await client.answer();
  }
  t.deepEqual(finished, [' 404', '/orders 425']);
});

const CODINGS: [value: string, status: number][] = [
  ['gzip', 415],
  ['GZIP', 415],
  ['identity', 200],
  ['Identity', 200],
  ['', 200],
  ['identity, identity', 200],
  ['identity, br', 415],
  ['br,identity', 415],
  [', gzip', 415],
  ['x-unknown', 415],
  ['identityx', 415],
  ['identity\r\nContent-Encoding: deflate', 415],
  ['aws-chunked', 415],
];

for (const [value, status] of CODINGS) {
  test(`Content-Encoding: ${JSON.stringify(value)} is ${status}, whatever the method`, async (t) => {
    await using served = await serve({ router: testRouter() });
    using client = new RawClient(served.port);
    for (let time = 0; time < 3; time++) {
      client.write(post('/orders', 'hello', `Content-Encoding: ${value}\r\n`));
      t.is((await client.answer()).status, status);
      client.write(get('/orders/1', `content-encoding: ${value}\r\n`));
      t.is((await client.answer()).status, status);
    }
    client.write(get('/orders/1'));
    t.is((await client.answer()).status, 200);
  });
}

const HTTPS_TARGETS = ['https://a/orders/1', 'HTTPS://a:443/orders/1', 'https://a', 'https://a/nowhere'];

for (const target of HTTPS_TARGETS) {
  testBothWays(`${target} asks for a secure connection, and this one is none: 421`, async (t, serve) => {
    await using served = await serve({ router: testRouter() });
    using client = new RawClient(served.port);
    client.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const answer = await client.answer();
    t.is(answer.status, 421);
    t.is(answer.body, '{"error":{"code":421,"message":"the scheme of the target is not that of the connection"}}');
    t.is(await client.rest(), '');
  });
}

for (const [target, status] of [
  ['https://a/orders/1', 200],
  ['HTTPS://a:443/orders/1', 200],
  ['https://a/nowhere', 404],
  ['http://a/orders/1', 421],
  ['http://a', 421],
] as const) {
  testSecurely(`${target} on a connection that is secure: ${status}`, async (t, serve) => {
    await using served = await serve({ router: testRouter() });
    using client = new RawClient(served.port);
    client.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    t.is((await client.answer()).status, status);
  });
}
