// Answers that are made while they are sent, over real sockets: framing, order, back-pressure, time-outs, peers that leave.
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { type Exchange, prepareHeaders, type ResponseStream, Router } from '../../src/http/index.js';
import { readResponses } from './read-messages.js';
import { get, RawClient, serve as serveRaw, testEveryWay } from './served.js';

const EVENTS = prepareHeaders({ 'Content-Type': 'text/event-stream' });
const MIB = 1024 * 1024;
const SHORT_MS = 60;

/** A stream that the test writes to, and what it was told. */
class Open {
  readonly stream: ResponseStream;
  readonly told: string[] = [];

  constructor(exchange: Exchange, endsWhenWanted: boolean) {
    this.stream = exchange.stream(200, EVENTS, {
      onDrain: () => this.told.push('drain'),
      onEndWanted: () => {
        this.told.push('end wanted');
        if (endsWhenWanted) this.stream.end('bye');
      },
      onClose: (isComplete) => this.told.push(isComplete ? 'complete' : 'cut'),
    });
  }
}

/** "/stream/:id" and "/events/:id" (which end when they are wanted to) are written to by the test. */
function testRouter(open = new Map<string, Open>(), waiting: Exchange[] = []): Router {
  const add = (exchange: Exchange, endsWhenWanted: boolean) =>
    void open.set(exchange.parameter('id'), new Open(exchange, endsWhenWanted));
  return new Router()
    .add('GET', '/stream/:id', (exchange) => add(exchange, false))
    .add('GET', '/events/:id', (exchange) => add(exchange, true))
    .add('GET', '/later', (exchange) => void waiting.push(exchange))
    .add('GET', '/echo/:text', (exchange) => exchange.send(200, exchange.parameter('text')))
    .add('GET', '/at-once', (exchange) => {
      const stream = exchange.stream(200, EVENTS);
      stream.write('all ');
      stream.write('');
      stream.end('at once');
    });
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await delay(1);
}

/** What has come, once it holds `text`. */
async function untilSeen(client: RawClient, text: string): Promise<string> {
  while (!client.received.includes(text)) await client.more();
  return client.received;
}

testEveryWay('each write is a chunk; the connection goes on afterwards', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open) });
  using client = new RawClient(served.port);
  client.write(get('/stream/1'));
  await untilSeen(client, '\r\n\r\n');
  const { stream, told } = open.get('1')!;
  t.true(stream.write('one'));
  await untilSeen(client, 'one');
  t.true(stream.write(Buffer.from([0x80, 0xff])));
  t.true(stream.write('Tüx'));
  stream.end('last');
  client.write(get('/echo/after'));
  const text = await untilSeen(client, 'after');
  const [head, ...rest] = text.split('\r\n\r\n');
  t.regex(
    head!,
    /^HTTP\/1\.1 200 OK\r\nDate: [^\r]+\r\nContent-Type: text\/event-stream\r\nTransfer-Encoding: chunked$/,
  );
  t.true(
    rest
      .join('\r\n\r\n')
      .startsWith('3\r\none\r\n2\r\n\x80\xff\r\n4\r\nT\xc3\xbcx\r\n4\r\nlast\r\n0\r\n\r\nHTTP/1.1 200 OK'),
  );
  t.deepEqual(told, ['complete']);
  t.false(stream.isOpen);
  t.throws(() => stream.write('more'), { message: /behind the end/ });
  t.throws(() => stream.end(), { message: /once/ });
});

testEveryWay('an answer that has ended when its handler returns, many of them pipelined', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write(`${get('/at-once').repeat(200)}${get('/echo/1', 'Connection: close\r\n')}`);
  const lines = readResponses([Buffer.from(await client.rest(), 'latin1')], Array(201).fill('GET'));
  t.is(lines.filter((line) => line === 'body "all at once"').length, 200);
  t.is(lines.filter((line) => line === 'end').length, 201);
  t.is(served.server.stats().streams, 0);
});

testEveryWay('HTTP/1.0 reads until the end of the connection, also one that asked to keep it', async (t, serve) => {
  for (const keepAlive of ['', 'Connection: keep-alive\r\n']) {
    const open = new Map<string, Open>();
    const waiting: Exchange[] = [];
    await using served = await serve({ router: testRouter(open, waiting) });
    using client = new RawClient(served.port);
    client.write(`GET /stream/1 HTTP/1.0\r\n${keepAlive}\r\nGET /later HTTP/1.0\r\n${keepAlive}\r\n`);
    await until(() => open.size === 1);
    const { stream, told } = open.get('1')!;
    stream.write('0');
    stream.end('1');
    const [head, body] = (await client.rest()).split('\r\n\r\n');
    t.regex(head!, /Connection: close$/);
    t.notRegex(head!, /Transfer-Encoding|Content-Length|keep-alive/);
    t.is(body, '01');
    t.deepEqual(told, ['complete']);
  }
});

testEveryWay('HTTP/1.0: what was asked for behind an answer that ends the connection is given up', async (t, serve) => {
  const waiting: Exchange[] = [];
  await using served = await serve({ router: testRouter(new Map(), waiting) });
  using client = new RawClient(served.port);
  client.write('GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'.repeat(3));
  await until(() => waiting.length === 3);
  const stream = waiting[1]!.stream(200, EVENTS);
  t.true(waiting[2]!.isAborted);
  waiting[2]!.send(200, 'nobody');
  stream.end('second');
  waiting[0]!.send(200, 'first');
  t.regex(await client.rest(), /first.*second$/s);
});

testEveryWay('HEAD has the head alone, and its maker is told that it is over', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open) });
  using client = new RawClient(served.port);
  client.write(get('/events/1').replace('GET', 'HEAD') + get('/echo/1'));
  const { headers } = await client.answer(true);
  t.is(headers['transfer-encoding'], 'chunked');
  t.is((await client.answer()).body, '1');
  const { stream, told } = open.get('1')!;
  t.false(stream.isOpen);
  t.false(stream.write('nobody'));
  stream.end();
  t.deepEqual(told, ['complete']);
  t.is(served.server.stats().streams, 0);
});

testEveryWay(
  'answers stay in order, whoever is written to first; each stream knows when it must wait',
  async (t, serve) => {
    const open = new Map<string, Open>();
    const waiting: Exchange[] = [];
    await using served = await serve({ router: testRouter(open, waiting) });
    using client = new RawClient(served.port);
    client.write(get('/later') + get('/stream/1') + get('/echo/between') + get('/stream/2') + get('/echo/end'));
    await until(() => open.size === 2);
    const [one, two] = [open.get('1')!, open.get('2')!];
    t.true(two.stream.write('second '));
    two.stream.end('stream');
    t.true(one.stream.write('a'.repeat(200_000)));
    t.false(one.stream.write('b'.repeat(100_000)), 'as much as a connection may hold');
    t.deepEqual(one.told, []);
    waiting[0]!.send(200, 'first');
    await until(() => one.told.length > 0);
    t.deepEqual(one.told, ['drain']);
    one.stream.end();
    const text = await untilSeen(client, '\r\n\r\nend');
    const lines = readResponses([Buffer.from(text, 'latin1')], Array(5).fill('GET'), { bodyBytesMax: MIB });
    t.deepEqual(
      lines.filter((line) => line.startsWith('body')).map((line) => line.slice(0, 12) + line.length),
      ['body "first"12', 'body "aaaaaa300007', 'body "betwee14', 'body "second20', 'body "end"10'],
    );
  },
);

testEveryWay(
  'a peer that does not read: write() says so, onDrain when there is room; all of it arrives',
  async (t, serve) => {
    let written = 0;
    let drains = 0;
    const total = 64;
    const part = 'x'.repeat(MIB / 4);
    const router = new Router().add('GET', '/large', (exchange) => {
      const fill = () => {
        while (written < total) {
          written++;
          if (!stream.write(part)) return;
        }
        stream.end();
      };
      const stream = exchange.stream(200, EVENTS, {
        onDrain: () => {
          drains++;
          fill();
        },
      });
      fill();
    });
    await using served = await serve({ router });
    using client = new RawClient(served.port);
    client.socket.pause();
    client.write(get('/large', 'Connection: close\r\n'));
    await until(() => written > 0);
    for (let turn = 0; turn < 200; turn++) await setImmediate();
    const before = written;
    t.true(before < total, 'nobody reads, so nobody makes more than can wait');
    client.socket.resume();
    const lines = readResponses([Buffer.from(await client.rest(), 'latin1')], ['GET'], { bodyBytesMax: 100 * MIB });
    t.is(lines.find((line) => line.startsWith('body'))!.length, total * part.length + 'body ""'.length);
    t.is(lines.at(-1), 'end');
    t.true(drains > 0);
  },
);

testEveryWay('a stream to a peer that takes it as fast as it is made does not keep the thread', async (t, serve) => {
  let inThisTurn = 0;
  let inOneTurn = 0;
  let written = 0;
  const part = 'x'.repeat(16 * 1024);
  const router = new Router().add('GET', '/large', (exchange) => {
    const fill = () => {
      while (written < 4000) {
        written++;
        inThisTurn++;
        inOneTurn = Math.max(inOneTurn, inThisTurn);
        if (!stream.write(part)) return;
      }
      if (stream.isOpen) stream.end();
    };
    const stream = exchange.stream(200, EVENTS, { onDrain: fill });
    fill();
  });
  await using served = await serve({ router, limits: { unsentBytesMax: 1024 * MIB } });
  using client = new RawClient(served.port);
  client.write(get('/large', 'Connection: close\r\n'));
  while (written < 4000) {
    await setImmediate();
    inThisTurn = 0;
  }
  t.true(inOneTurn <= (2 * 256 * 1024) / part.length + 1, `${inOneTurn} parts in one turn`);
});

testEveryWay('a peer that takes nothing is cut after writeTimeoutMs, and its maker told', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open), limits: { writeTimeoutMs: SHORT_MS } });
  using client = new RawClient(served.port);
  client.socket.pause();
  client.write(get('/stream/1'));
  await until(() => open.size === 1);
  const { stream, told } = open.get('1')!;
  stream.write('x'.repeat(32 * MIB));
  await until(() => told.includes('cut'));
  t.false(stream.isOpen);
  t.false(stream.write('nobody'));
  t.is(served.server.stats().sessions, 0);
  t.is(served.server.stats().streams, 0);
});

testEveryWay('time-outs for idle connections leave a stream alone, pressure too', async (t, serve) => {
  const open = new Map<string, Open>();
  const limits = {
    idleTimeoutMs: SHORT_MS,
    idleTimeoutUnderPressureMs: SHORT_MS,
    bodyTimeoutMs: SHORT_MS,
    headTimeoutMs: SHORT_MS,
  };
  await using served = await serve({ router: testRouter(open), limits });
  using client = new RawClient(served.port);
  using idle = new RawClient(served.port);
  client.write(get('/events/1'));
  await until(() => open.size === 1);
  served.server.setPressure(true);
  t.is(await idle.rest(), '');
  await delay(5 * SHORT_MS);
  const { stream, told } = open.get('1')!;
  t.deepEqual([stream.isOpen, ...told], [true]);
  t.is(served.server.stats().streams, 1);
  stream.write('still here');
  await untilSeen(client, 'still here');
  stream.end();
  await untilSeen(client, '0\r\n\r\n');
  await client.rest();
  t.pass('and then it is as idle as any');
});

testEveryWay('a peer that resets the connection: its makers are told once', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open) });
  const client = new RawClient(served.port);
  client.write(get('/events/1') + get('/stream/2'));
  await until(() => open.size === 2);
  t.is(served.server.stats().streams, 2);
  client.reset();
  await until(() => served.server.stats().sessions === 0);
  for (const { stream, told } of open.values()) {
    t.deepEqual(told, ['cut']);
    t.false(stream.write('nobody'));
    t.notThrows(() => stream.end());
    t.deepEqual(told, ['cut']);
  }
  t.is(served.server.stats().streams, 0);
});

testEveryWay('a peer that closes its half: what has no end of its own ends, the rest is sent', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open) });
  using events = new RawClient(served.port, { allowHalfOpen: true });
  events.write(get('/events/1'));
  await until(() => open.size === 1);
  events.socket.end();
  t.regex(await events.rest(), /\r\n3\r\nbye\r\n0\r\n\r\n$/);
  t.deepEqual(open.get('1')!.told, ['end wanted', 'complete']);

  using half = new RawClient(served.port, { allowHalfOpen: true });
  half.socket.end(get('/stream/2'));
  await until(() => open.get('2')?.told.length === 1);
  open.get('2')!.stream.end('the rest');
  t.regex(await half.rest(), /the rest\r\n0\r\n\r\n$/);
  t.deepEqual(open.get('2')!.told, ['end wanted', 'complete']);
});

testEveryWay('draining: makers are asked to end, in order; those that go on are waited for', async (t, serve) => {
  const open = new Map<string, Open>();
  await using served = await serve({ router: testRouter(open), limits: { drainIdleTimeoutMs: SHORT_MS } });
  using client = new RawClient(served.port);
  client.write(get('/events/1') + get('/events/2') + get('/echo/3'));
  using other = new RawClient(served.port);
  other.write(get('/stream/4'));
  await until(() => open.size === 3);
  const drained = served.server.drain();
  const lines = readResponses([Buffer.from(await client.rest(), 'latin1')], Array(3).fill('GET'));
  t.deepEqual(
    lines.filter((line) => line.startsWith('body')),
    ['body "bye"', 'body "bye"', 'body "3"'],
  );
  t.is(lines.filter((line) => line === 'end').length, 3);
  const { stream, told } = open.get('4')!;
  t.deepEqual(told, ['end wanted']);
  await delay(3 * SHORT_MS);
  t.true(stream.isOpen, 'a download goes on to its end');
  stream.end('end of the download');
  t.regex(await other.rest(), /end of the download/);
  await drained;
});

testEveryWay(
  'a stream that begins while the server drains, or after the peer has closed its half, is asked to end',
  async (t, serve) => {
    const waiting: Exchange[] = [];
    await using served = await serve({ router: testRouter(new Map(), waiting) });
    using client = new RawClient(served.port);
    client.write(get('/later'));
    await until(() => waiting.length === 1);
    const drained = served.server.drain();
    const { stream } = new Open(waiting[0]!, true);
    stream.write('hello');
    t.regex(await client.rest(), /Connection: close\r\n\r\n5\r\nhello\r\n3\r\nbye\r\n0\r\n\r\n$/);
    await drained;
  },
);

testEveryWay(
  'a handler that fails in the middle: the connection is cut, so that nobody takes half for all',
  async (t, serve) => {
    const errors: unknown[] = [];
    const router = new Router()
      .add('GET', '/rejects', async (exchange) => {
        exchange.stream(200, EVENTS).write('half');
        await setImmediate();
        throw new Error('in the middle');
      })
      .add('GET', '/throws', (exchange) => {
        exchange.stream(200, EVENTS).write('half');
        throw new Error('at once');
      });
    await using served = await serve({ router, onHandlerError: (error) => errors.push(error) });
    for (const target of ['/rejects', '/throws']) {
      using client = new RawClient(served.port);
      client.write(get(target));
      t.notRegex(await client.rest(), /0\r\n\r\n$/);
    }
    t.is(errors.length, 2);
  },
);

test('statuses without a body, and a second answer, are refused', async (t) => {
  const waiting: Exchange[] = [];
  await using served = await serveRaw({ router: testRouter(new Map(), waiting) });
  using client = new RawClient(served.port);
  client.write(get('/later'));
  await until(() => waiting.length === 1);
  const [exchange] = waiting;
  t.throws(() => exchange!.stream(204, EVENTS), { message: /204/ });
  t.throws(() => exchange!.stream(304, EVENTS), { message: /304/ });
  exchange!.stream(200, EVENTS).end();
  t.throws(() => exchange!.stream(200, EVENTS), { message: /once/ });
  t.throws(() => exchange!.send(200, ''), { message: /once/ });
});

testEveryWay('the beginning of a stream counts as the answer, for those who measure', async (t, serve) => {
  const open = new Map<string, Open>();
  const measured: string[] = [];
  await using served = await serve({
    router: testRouter(open),
    requestIds: 'client',
    onExchange: (route, status, _durationMs, requestId) => void measured.push(`${route} ${status} ${requestId}`),
  });
  using client = new RawClient(served.port);
  client.write(get('/stream/1', 'X-Request-Id: mine\r\n'));
  t.regex(await untilSeen(client, '\r\n\r\n'), /X-Request-Id: mine/);
  t.deepEqual(measured, ['/stream/:id 200 mine']);
  open.get('1')!.stream.end('12345');
  t.deepEqual(measured, ['/stream/:id 200 mine']);
});

test('whatever the parts and whenever they are written, the peer reads the same bytes', async (t) => {
  const part = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.uint8Array({ maxLength: 40 }));
  const plan = fc.array(fc.record({ part, pauses: fc.nat(2) }), { maxLength: 12 });
  const waiting: Exchange[] = [];
  await using served = await serveRaw({ router: testRouter(new Map(), waiting) });
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 4 }), async (plans) => {
      waiting.length = 0;
      using client = new RawClient(served.port);
      client.write(get('/later').repeat(plans.length) + get('/echo/last', 'Connection: close\r\n'));
      await until(() => waiting.length === plans.length);
      const sending = plans.map(async (parts, index) => {
        const stream = waiting[index]!.stream(200, EVENTS);
        for (const { part: bytes, pauses } of parts) {
          for (let turn = 0; turn < pauses; turn++) await setImmediate();
          stream.write(bytes);
        }
        stream.end();
      });
      await Promise.all(sending);
      const methods = Array(plans.length + 1).fill('GET');
      const lines = readResponses([Buffer.from(await client.rest(), 'latin1')], methods);
      const bodies = plans.map((parts) => Buffer.concat(parts.map(({ part: bytes }) => Buffer.from(bytes as string))));
      const expected = [...bodies.map((body) => body.toString('latin1')), 'last'];
      t.deepEqual(
        lines.filter((line) => line.startsWith('body ')),
        expected.filter((body) => body !== '').map((body) => `body ${JSON.stringify(body)}`),
      );
      t.is(lines.filter((line) => line === 'end').length, plans.length + 1);
    }),
    { numRuns: 100 },
  );
});
