// What a connection may cost: refusals with the contract's JSON, written out before the close; time-outs; back-pressure.
// Times are short and only ever waited for: nothing here is true because something was fast.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { type Exchange, type HttpLimits, Router } from '../../src/http/index.js';
import { get, post, RawClient, serve as serveRaw, testBothWays, testEveryWay } from './served.js';

const SHORT_MS = 60;
/** Where a request must come before it is over. */
const LONGER_MS = 300;
const MIB = 1024 * 1024;
/** An answer has a status line and four header lines. */
const ANSWER_BYTES_MIN = 100;
/** Sends a text and reads whatever comes. */
const FLOODER = `
  const [port, text] = require('node:worker_threads').workerData;
  require('node:net').connect(port, '127.0.0.1').on('error', () => {}).resume().write(text);
`;
const CHUNKED = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

function testRouter(): Router {
  return new Router()
    .add('GET', '/echo/:text', (exchange) => exchange.send(200, JSON.stringify(exchange.parameter('text'))))
    .add('POST', '/echo', (exchange) => exchange.send(200, exchange.body));
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await setTimeout(1);
}

const REFUSED: [request: string, status: number, message: string][] = [
  ['nonsense\r\n\r\n', 400, 'malformed method: 0x0d at character 9'],
  ['{"name":"Tux"}', 400, `malformed method: '{' (0x7b) at character 1`],
  ['GET /products/a"b HTTP/1.1\r\n', 400, `malformed request target: '"' (0x22) at character 12`],
  ['GET /\x00 HTTP/1.1\r\n', 400, 'malformed request target: 0x00 at character 2'],
  ['GET /a?b=%4 HTTP/1.1\r\n', 400, `malformed percent-escape in the request target: '%4' at character 6`],
  ['GET /%zz HTTP/1.1\r\n', 400, `malformed percent-escape in the request target: '%zz' at character 2`],
  ['GET /%ff HTTP/1.1\r\n', 400, 'path is not UTF-8'],
  ['GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n', 400, `malformed header name: ' ' (0x20) at character 2 of line 2`],
  ['GET / HTTP/1.1\r\nX: a\x07b\r\n', 400, 'control character in a header: 0x07 at character 5 of line 1'],
  ['GET / HTTP/2.10\r\n', 400, 'malformed HTTP version'],
  ['GET /echo/1 HTTP/1.1\r\n\r\n', 400, 'no Host header'],
  ['GET /echo/1 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'more than one Host header'],
  [`${CHUNKED}x\r\n`, 400, 'malformed chunk size'],
  ['POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n', 413, 'request body too large'],
  [`${CHUNKED}fffff\r\n`, 413, 'request body too large'],
  [`${CHUNKED}1;${'x'.repeat(5000)}`, 413, 'chunk extensions too large'],
  [`GET /${'x'.repeat(9000)} HTTP/1.1\r\n`, 414, 'request target too long'],
  ['POST /echo HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n', 417, 'expectation not supported'],
  [`GET / HTTP/1.1\r\nX: ${'x'.repeat(17_000)}\r\n`, 431, 'headers too large'],
  [`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(101)}\r\n`, 431, 'too many headers'],
  [`${CHUNKED}0\r\n${'X: y\r\n'.repeat(33)}\r\n`, 431, 'too many trailers'],
  [
    'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    501,
    'transfer coding not implemented',
  ],
  [`${'M'.repeat(30)} / HTTP/1.1\r\n`, 501, 'method not implemented'],
  ['GET / HTTP/2.0\r\n\r\n', 505, 'HTTP version not supported'],
];

for (const [request, status, message] of REFUSED) {
  testEveryWay(
    `refused: ${message} (${JSON.stringify(request.slice(-20))}) is ${status}, after the answers before it`,
    async (t, serve) => {
      await using served = await serve({ router: testRouter() });
      using client = new RawClient(served.port);
      client.write(get('/echo/before') + request);
      t.is((await client.answer()).body, '"before"');
      const answer = await client.answer();
      t.is(answer.status, status);
      t.is(answer.body, JSON.stringify({ error: { code: status, message } }));
      t.is(answer.headers.connection, 'close');
      t.is(answer.headers['content-type'], 'application/json');
      t.is(await client.rest(), '');
    },
  );
}

testEveryWay('a refused HEAD is answered without a body', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write(`${get('/echo/1').replace('GET', 'HEAD')}HEAD /echo/1 HTTP/1.1\r\n\r\n`);
  t.is((await client.answer(true)).status, 200);
  const { status, headers } = await client.answer(true);
  t.deepEqual([status, headers['content-length']], [400, '49']);
  t.is(await client.rest(), '');
  using other = new RawClient(served.port);
  other.write(`${get('/echo/1').replace('GET', 'HEAD')}nonsense\r\n\r\n`);
  await other.answer(true);
  t.not((await other.answer()).body, '', 'what had no method is no HEAD, whatever came before it');
});

testEveryWay('a refusal reaches a peer that goes on sending and reads only afterwards', async (t, serve) => {
  await using served = await serve({ router: testRouter(), limits: { lingerTimeoutMs: 60_000 } });
  const client = new RawClient(served.port, { allowHalfOpen: true });
  client.socket.pause();
  client.write(`${CHUNKED}fffffff\r\n`);
  const flood = Buffer.alloc(1024 * 1024, 'x');
  for (let megabyte = 0; megabyte < 16; megabyte++) {
    if (!client.socket.write(flood)) await once(client.socket, 'drain');
  }
  client.socket.resume();
  t.is((await client.answer()).status, 413);
  t.is(await client.rest(), '');
  client.socket.destroy();
});

testEveryWay('a peer that never closes its side is cut when the time to linger is over', async (t, serve) => {
  await using served = await serve({ router: testRouter(), limits: { lingerTimeoutMs: SHORT_MS } });
  using client = new RawClient(served.port, { allowHalfOpen: true });
  client.write(get('/echo/1', 'Connection: close\r\n'));
  t.is((await client.answer()).status, 200);
  t.is(await client.rest(), '');
  await until(() => served.server.stats().sessions === 0);
  t.pass();
});

const SLOW: [name: string, limits: Partial<HttpLimits>, start: string, drop: string, code: string][] = [
  [
    'one byte at a time in the head',
    { headTimeoutMs: SHORT_MS },
    'GET /echo/1 HTTP/1.1\r\nHost: a\r\nX: ',
    'x',
    'HEAD_TIMEOUT',
  ],
  ['one byte at a time in the request line', { headTimeoutMs: SHORT_MS }, 'GET /', 'x', 'HEAD_TIMEOUT'],
  [
    'one byte at a time in the body',
    { bodyTimeoutMs: SHORT_MS },
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n',
    'x',
    'BODY_TIMEOUT',
  ],
  ['one chunk at a time', { bodyTimeoutMs: SHORT_MS }, CHUNKED, '1\r\nx\r\n', 'BODY_TIMEOUT'],
];

for (const [name, limits, start, drop, code] of SLOW) {
  testEveryWay(`time-out: ${name} is ${code} and 408, also behind an answered request`, async (t, serve) => {
    await using served = await serve({ router: testRouter(), limits });
    using client = new RawClient(served.port, { allowHalfOpen: true });
    client.write(get('/echo/before') + start);
    t.is((await client.answer()).status, 200);
    const dripping = new AbortController();
    const drip = async () => {
      while (!dripping.signal.aborted) {
        client.write(drop);
        await setTimeout(5);
      }
    };
    const dripped = drip();
    const answer = await client.answer();
    dripping.abort();
    await dripped;
    t.is(answer.status, 408);
    t.is(answer.headers.connection, 'close');
    t.is(JSON.parse(answer.body).error.code, 408);
    t.deepEqual(served.server.stats().refused, { [code]: 1 });
    t.is(await client.rest(), '');
  });
}

testEveryWay(
  'an idle connection is closed without a word, before its first request and between two',
  async (t, serve) => {
    const limits = { idleTimeoutMs: LONGER_MS, idleTimeoutUnderPressureMs: LONGER_MS };
    await using served = await serve({ router: testRouter(), limits });
    using silent = new RawClient(served.port);
    using used = new RawClient(served.port);
    used.write(get('/echo/1'));
    t.is((await used.answer()).status, 200);
    t.is(await silent.rest(), '');
    t.is(await used.rest(), '');
  },
);

testEveryWay('idle time counts from the last request, and time for a body from its own head', async (t, serve) => {
  const limitMs = 5 * LONGER_MS;
  const limits = { idleTimeoutMs: limitMs, idleTimeoutUnderPressureMs: limitMs, bodyTimeoutMs: limitMs };
  await using served = await serve({ router: testRouter(), limits });
  using busy = new RawClient(served.port);
  using slow = new RawClient(served.port);
  const head = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha';
  slow.write(head);
  for (const startedMs = Date.now(); Date.now() - startedMs < 2 * limitMs; ) {
    await setTimeout(LONGER_MS / 5);
    busy.write(get('/echo/1'));
    t.is((await busy.answer()).status, 200);
    slow.write(`lf${head}`);
    t.is((await slow.answer()).body, 'half');
  }
});

testEveryWay('under pressure idle connections go earlier; those that wait for an answer stay', async (t, serve) => {
  const waiting: Exchange[] = [];
  const router = testRouter().add('GET', '/later', (exchange) => {
    waiting.push(exchange);
  });
  await using served = await serve({ router, limits: { idleTimeoutUnderPressureMs: SHORT_MS } });
  using idle = new RawClient(served.port);
  using busy = new RawClient(served.port);
  busy.write(get('/later'));
  await until(() => waiting.length === 1 && served.server.stats().sessions === 2);
  t.is(served.server.stats().idleSessions, 1);
  served.server.setPressure(true);
  t.is(await idle.rest(), '');
  waiting[0]!.send(200, 'still here');
  t.is((await busy.answer()).body, 'still here');
});

testEveryWay('an answer that takes long is not a peer that takes long', async (t, serve) => {
  const limits = {
    idleTimeoutMs: LONGER_MS,
    idleTimeoutUnderPressureMs: 10,
    headTimeoutMs: SHORT_MS,
    bodyTimeoutMs: SHORT_MS,
  };
  const waiting: Exchange[] = [];
  const router = new Router().add('GET', '/later', (exchange) => {
    waiting.push(exchange);
  });
  await using served = await serve({ router, limits });
  using client = new RawClient(served.port);
  client.write(get('/later'));
  await until(() => waiting.length === 1);
  await setTimeout(3 * LONGER_MS);
  waiting[0]!.send(200, 'at last');
  t.is((await client.answer()).body, 'at last');
});

for (const depth of [1, 2, 7]) {
  testEveryWay(
    `pipelineDepthMax ${depth}: so many requests reach their handlers before an answer is due, not one more`,
    async (t, serve) => {
      const waiting: Exchange[] = [];
      const router = new Router().add('GET', '/later/:id', (exchange) => {
        waiting.push(exchange);
      });
      await using served = await serve({ router, limits: { pipelineDepthMax: depth } });
      using client = new RawClient(served.port);
      client.write(Array.from({ length: 20 }, (_, id) => get(`/later/${id}`)).join(''));
      for (let answered = 0; answered < 20; answered++) {
        await until(() => waiting.length > answered);
        await setImmediate();
        t.is(waiting.length, Math.min(20, answered + depth), `after ${answered} answers`);
        waiting[answered]!.send(200, String(answered));
        t.is((await client.answer()).body, String(answered));
      }
    },
  );
}

testEveryWay(
  'unsentBytesMax: a peer that does not read its answers is not read from, and is served when it does',
  async (t, serve) => {
    const body = 'x'.repeat(64 * 1024);
    const requests = 2000; // far more answers than sockets can hold
    let handled = 0;
    const router = new Router().add('GET', '/large', (exchange) => {
      handled++;
      exchange.send(200, body);
    });
    await using served = await serve({ router, limits: { unsentBytesMax: 128 * 1024 } });
    using client = new RawClient(served.port);
    client.socket.pause();
    client.write(get('/large').repeat(requests));
    await until(() => handled > 0);
    const socket = served.sockets[0]!;
    const { _handle: handle } = socket as unknown as { _handle: { writeQueueSize: number } };
    await until(() => socket.isPaused() && handle.writeQueueSize > 0);
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    t.true(handled < requests);
    const waitingBytes = handle.writeQueueSize + socket.writableLength; // some are in both
    t.true(waitingBytes <= 2 * (128 * 1024 + body.length + 1024), `${waitingBytes} bytes wait`);
    client.socket.resume();
    for (let index = 0; index < 100; index++) t.is((await client.answer()).body.length, body.length);
  },
);

testEveryWay('a peer that takes large answers as fast as they are made does not keep the thread', async (t, serve) => {
  const body = 'x'.repeat(64 * 1024);
  let inThisTurn = 0;
  let inOneTurn = 0;
  const router = new Router().add('GET', '/large', (exchange) => {
    inThisTurn++;
    inOneTurn = Math.max(inOneTurn, inThisTurn);
    exchange.send(200, body);
  });
  // So that only what is written in one turn can hold reading up.
  const limits = { unsentBytesMax: 1024 * 1024 * 1024, pipelineDepthMax: 1000 };
  await using served = await serve({ router, limits });
  using client = new RawClient(served.port);
  client.write(get('/large').repeat(100));
  let answered = 0;
  const counting = client.answers(100).then(() => {
    answered = 100;
  });
  while (answered < 100) {
    await setImmediate();
    inThisTurn = 0;
  }
  await counting;
  t.true(inOneTurn <= 256 / 64 + 1, `${inOneTurn} answers of 64 KiB in one turn`);
});

testBothWays('many small requests of one peer, ever so many at once, do not keep the thread', async (t, serve) => {
  const requests = 200_000;
  let inThisTurn = 0;
  let inOneTurn = 0;
  let handled = 0;
  const router = new Router().add('GET', '/small', (exchange) => {
    handled++;
    inThisTurn++;
    inOneTurn = Math.max(inOneTurn, inThisTurn);
    exchange.send(200, '1');
  });
  await using served = await serve({ router });
  // On a thread of its own, so that it goes on sending and reading while the server is at it.
  const client = new Worker(FLOODER, {
    eval: true,
    workerData: [served.port, get(`/small?${'x'.repeat(20)}`).repeat(requests)],
  });
  while (handled < requests) {
    await setImmediate();
    inThisTurn = 0;
  }
  await client.terminate();
  // What is written at once is counted when it is written.
  t.true(inOneTurn * ANSWER_BYTES_MIN <= 2 * 256 * 1024, `${inOneTurn} answers in one turn`);
});

testEveryWay('408 is not for a body that has not been asked for yet', async (t, serve) => {
  const waiting: Exchange[] = [];
  // Far more than a busy machine lets pass between the 100 and the body.
  const bodyTimeoutMs = 1_000;
  const router = testRouter().add('GET', '/later', (exchange) => void waiting.push(exchange));
  await using served = await serve({ router, limits: { bodyTimeoutMs } });
  using client = new RawClient(served.port);
  client.write(`${get('/later')}POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
  await until(() => waiting.length === 1);
  await setTimeout(1.2 * bodyTimeoutMs);
  waiting[0]!.send(200, 'done');
  t.is((await client.answer()).body, 'done');
  t.is((await client.answer()).status, 100);
  client.write('hi');
  t.is((await client.answer()).body, 'hi');
});

testEveryWay('writeTimeoutMs: a peer that takes nothing of its answers is cut', async (t, serve) => {
  const body = 'x'.repeat(256 * 1024);
  const router = new Router().add('GET', '/large', (exchange) => exchange.send(200, body));
  await using served = await serve({ router, limits: { writeTimeoutMs: SHORT_MS } });
  using client = new RawClient(served.port);
  client.socket.pause();
  client.write(get('/large').repeat(200));
  await until(() => served.server.stats().sessions === 1);
  await until(() => served.server.stats().sessions === 0);
  t.pass();
});

test('writeTimeoutMs: a peer that takes a large answer slowly gets all of it', async (t) => {
  const body = 'x'.repeat(24 * MIB);
  const router = new Router().add('GET', '/large', (exchange) => exchange.send(200, body));
  await using served = await serveRaw({ router, limits: { writeTimeoutMs: 8 * LONGER_MS } });
  const socket = connect(served.port, '127.0.0.1').resume();
  socket.write(get('/large').replace('\r\n', '\r\nConnection: close\r\n'));
  let bytes = 0;
  let pauseAt = MIB;
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length;
    if (bytes < pauseAt) continue;
    pauseAt += MIB;
    await setTimeout(LONGER_MS / 2);
  }
  t.true(bytes > body.length, `${bytes} bytes`);
});

testEveryWay('a large body arrives whole, however it is sent', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  const body = Array.from({ length: 12_000 }, (_, index) => `${index % 10}`).join('');
  client.write(post('/echo', body));
  t.is((await client.answer()).body, body);
  client.write(CHUNKED);
  for (let start = 0; start < body.length; start += 1000) client.write(`3e8\r\n${body.slice(start, start + 1000)}\r\n`);
  client.write('0\r\n\r\n');
  t.is((await client.answer()).body, body);
  client.write(`${CHUNKED + [...body].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`);
  t.is((await client.answer()).body, body, 'one byte a chunk');
});
