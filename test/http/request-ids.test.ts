// X-Request-Id: which requests have a name, which answers repeat it, and who is told.

import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { type Exchange, Router } from '../../src/http/index.js';
import { get, post, RawClient, serve } from './served.js';

const LONGEST = 'x'.repeat(128);

function named(id: string): string {
  return `X-Request-Id: ${id}\r\n`;
}

/** "/now" answers with the request's name, "/later" when the test says so, "/fails" throws. */
function testRouter(waiting: Exchange[] = []): Router {
  return new Router()
    .add('GET', '/now', (exchange) => exchange.send(200, `"${exchange.requestId}"`))
    .add('POST', '/now', (exchange) => exchange.send(200, `"${exchange.requestId}"`), { bodyBytesMax: 10 })
    .add('GET', '/later', (exchange) => void waiting.push(exchange))
    .add('GET', '/fails', () => {
      throw new Error('a bug');
    });
}

const rows: [what: string, request: string, status: number, id: string | undefined][] = [
  ['a name', get('/now', named('a-1')), 200, 'a-1'],
  ['the longest name', get('/now', named(LONGEST)), 200, LONGEST],
  ['a header in capitals', get('/now', 'X-REQUEST-ID: a-2\r\n'), 200, 'a-2'],
  ['no name', get('/now'), 200, undefined],
  ['an empty name', get('/now', named('')), 200, undefined],
  ['a name that is too long', get('/now', named(`${LONGEST}x`)), 200, undefined],
  ['two words', get('/now', named('a 1')), 200, undefined],
  ['two headers', get('/now', named('a') + named('b')), 200, undefined],
  ['a letter outside ASCII', get('/now', named('\xe4')), 200, undefined],
  ['a POST', post('/now', 'body', named('p-1')), 200, 'p-1'],
  ['HEAD', `HEAD /now HTTP/1.1\r\nHost: x\r\n${named('h-1')}\r\n`, 200, 'h-1'],
  ['OPTIONS', `OPTIONS /now HTTP/1.1\r\nHost: x\r\n${named('o-1')}\r\n`, 204, 'o-1'],
  ['HTTP/1.0', `GET /now HTTP/1.0\r\n${named('old')}\r\n`, 200, 'old'],
  ['no such path', get('/never', named('n-1')), 404, 'n-1'],
  ['no such method', `PUT /now HTTP/1.1\r\nHost: x\r\n${named('m-1')}\r\n`, 405, 'm-1'],
  ['a handler that fails', get('/fails', named('f-1')), 500, 'f-1'],
  ['no Host', `GET /now HTTP/1.1\r\n${named('v-1')}\r\n`, 400, 'v-1'],
  ['a body that is cut off by its chunks', `${chunked('c-1')}zz\r\n`, 400, 'c-1'],
  ['a body that grows too large', `${chunked('c-2')}b\r\n12345678901\r\n`, 413, 'c-2'],
  ['a head that cannot be read', `GET /now HTTP/1.1\r\nHost: x\r\n${named('u-1')}Bad Field: 1\r\n\r\n`, 400, undefined],
];

function chunked(id: string): string {
  return `POST /now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n${named(id)}\r\n`;
}

for (const [what, request, status, id] of rows) {
  test(`the answer to ${what} ${id === undefined ? 'has no name' : 'repeats it'}`, async (t) => {
    await using served = await serve({ router: testRouter(), requestIds: 'client' });
    using client = new RawClient(served.port);
    client.write(Buffer.from(request, 'latin1'));
    const { status: answered, headers } = await client.answer(request.startsWith('HEAD'));
    t.deepEqual([answered, headers['x-request-id']], [status, id]);
  });
}

test('on one connection each answer has the name of its own request', async (t) => {
  const waiting: Exchange[] = [];
  await using served = await serve({ router: testRouter(waiting), requestIds: 'client' });
  using client = new RawClient(served.port);
  client.write(
    get('/now', named('1')) + get('/now') + get('/later', named('3')) + get('/later') + get('/now', named('5')),
  );
  while (waiting.length < 2) await setImmediate();
  waiting[1]!.send(200, '4');
  waiting[0]!.send(200, '3');
  const answers = await client.answers(5);
  t.deepEqual(
    answers.map(({ headers }) => headers['x-request-id']),
    ['1', undefined, '3', undefined, '5'],
  );
  t.deepEqual(
    answers.map(({ body }) => body),
    ['"1"', '""', '3', '4', '"5"'],
  );
});

test('who measures, and who hears of refusals and failures, is told the name, one given by a handler too', async (t) => {
  const told: unknown[][] = [];
  const router = testRouter().add('GET', '/given', (exchange) => {
    exchange.requestId = 'given';
    exchange.send(200, '');
  });
  await using served = await serve({
    router,
    requestIds: 'client',
    onExchange: (route, status, _durationMs, requestId) => told.push([route, status, requestId]),
    onRefused: ({ code }, requestId) => told.push([code, requestId]),
    onHandlerError: (error, route, requestId) => told.push([route, (error as Error).message, requestId]),
  });
  using client = new RawClient(served.port);
  const cutOff = `${chunked('5')}zz\r\n`;
  client.write(get('/now', named('1')) + get('/now') + get('/given') + get('/fails', named('4')) + cutOff);
  const answers = await client.answers(5);
  t.is(answers[2]!.headers['x-request-id'], undefined, 'only what the client sent is repeated');
  t.deepEqual(told, [
    ['/now', 200, '1'],
    ['/now', 200, ''],
    ['/given', 200, 'given'],
    ['/fails', 'a bug', '4'],
    ['/fails', 500, '4'],
    ['CHUNK_SIZE', '5'],
  ]);
});

test('with names for all, a request without one gets its own, and its answer does not tell', async (t) => {
  await using served = await serve({ router: testRouter(), requestIds: 'all' });
  using client = new RawClient(served.port);
  client.write(get('/now') + get('/now') + get('/now', named('mine')));
  const answers = await client.answers(3);
  const names = answers.map(({ body }) => body);
  t.is(new Set(names).size, 3);
  for (const name of names.slice(0, 2)) t.regex(name, /^"[!-~]{8,}"$/);
  t.is(names[2], '"mine"');
  t.deepEqual(
    answers.map(({ headers }) => headers['x-request-id']),
    [undefined, undefined, 'mine'],
  );
});

test('a server that was not asked to looks for no names', async (t) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write(get('/now', named('1')));
  const { headers, body } = await client.answer();
  t.deepEqual([headers['x-request-id'], body], [undefined, '""']);
});
