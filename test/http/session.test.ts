// One connection, over a real socket: order of answers, keep-alive and close, expectations, half-closed peers, draining.
import { once } from 'node:events';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { type Exchange, Router } from '../../src/http/index.js';
import { get, post, RawClient, testEveryWay } from './served.js';

type WriteString = (request: object, text: string) => unknown;

/** "/echo" answers at once with what it was asked; "/later/:id" answers when the test says so. */
function testRouter(waiting = new Map<string, Exchange>()): Router {
  return new Router()
    .add('GET', '/echo/:text', (exchange) => exchange.send(200, JSON.stringify(exchange.parameter('text'))))
    .add('POST', '/echo', (exchange) => exchange.send(200, exchange.body))
    .add('GET', '/later/:id', (exchange) => {
      waiting.set(exchange.parameter('id')!, exchange);
    })
    .add('POST', '/later/:id', (exchange) => {
      waiting.set(exchange.parameter('id')!, exchange);
    });
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await delay(1);
}

testEveryWay('an answer has status, type, length and date', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write(get('/echo/T%C3%BCx'));
  const { status, headers, body } = await client.answer();
  t.is(status, 200);
  t.is(Buffer.from(body, 'latin1').toString(), '"Tüx"');
  t.is(headers['content-length'], '6');
  t.is(headers['content-type'], 'application/json');
  t.is(headers.connection, undefined);
  t.true(Math.abs(Date.parse(headers.date!) - Date.now()) < 3000);
  t.is(headers.date, new Date(headers.date!).toUTCString());
});

testEveryWay('answers leave in the order of the requests, whatever order they are given in', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(get('/later/1') + get('/later/2') + get('/echo/3') + get('/later/4') + get('/echo/5'));
  await until(() => waiting.size === 3);
  waiting.get('4')!.send(200, 'four');
  waiting.get('2')!.send(200, 'two');
  await setImmediate();
  waiting.get('1')!.send(200, 'one');
  t.deepEqual(
    (await client.answers(5)).map(({ body }) => body),
    ['one', 'two', '"3"', 'four', '"5"'],
  );
});

testEveryWay('answers that are due in one turn of the event loop leave in one write', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(get('/echo/0'));
  await client.answer();
  // What both ways come down to in the end.
  const { _handle: handle } = served.sockets[0] as unknown as { _handle: { writeLatin1String: WriteString } };
  const write = handle.writeLatin1String.bind(handle);
  let writes = 0;
  handle.writeLatin1String = (request, text) => {
    writes++;
    return write(request, text);
  };
  client.write(get('/echo/1').repeat(16));
  await client.answers(16);
  t.is(writes, 1, '16 answered at once');
  client.write(Array.from({ length: 16 }, (_, id) => get(`/later/${id}`)).join(''));
  await until(() => waiting.size === 16);
  for (const exchange of [...waiting.values()].reverse()) exchange.send(200, 'x');
  await client.answers(16);
  t.is(writes, 2, '16 answered later');
});

testEveryWay('a request that waits keeps its own target, headers, parameters and body', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(post('/later/1?q', 'first body', 'X-Name: first\r\n'));
  await until(() => waiting.size === 1);
  client.write(post('/later/2', 'second', 'X-Name: second\r\n') + get('/echo/3', 'X-Name: third\r\n'));
  await until(() => waiting.size === 2);
  const first = waiting.get('1')!;
  t.like(
    {
      method: first.method,
      target: first.target,
      route: first.route,
      body: first.body.toString(),
      name: first.header('x-name'),
    },
    { method: 'POST', target: '/later/1?q', route: '/later/:id', body: 'first body', name: 'first' },
  );
  t.is(first.parameter('id'), '1');
  first.send(200, '');
  waiting.get('2')!.send(200, waiting.get('2')!.header('x-name')!);
  t.deepEqual(
    (await client.answers(3)).map(({ body }) => body),
    ['', 'second', '"3"'],
  );
  t.throws(() => first.send(200, 'again'), { message: /once/ });
  t.throws(() => first.header('x-name'), { message: /over/ });
  t.throws(() => first.parameter('other'), { message: /over/ });
});

testEveryWay('a request cut anywhere is whole, whatever other connections send in between', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  using other = new RawClient(served.port);
  const disturb = async () => {
    other.write(post('/echo', 'y'.repeat(300), `X-Other: ${'z'.repeat(300)}\r\n`));
    await other.answer();
  };
  const [first, second] = ['first', 'other'].map((name) =>
    post(`/later/${name}?query`, 'the body', 'X-Name: value\r\n'),
  );
  for (let cut = 1; cut <= second!.length; cut++) {
    client.write(first + second!.slice(0, cut));
    await disturb();
    await until(() => waiting.has('first'));
    client.write(second!.slice(cut));
    for (const name of ['first', 'other']) {
      await until(() => waiting.has(name));
      await disturb();
      const exchange = waiting.get(name)!;
      waiting.delete(name);
      const seen = [exchange.method, exchange.target, exchange.parameter('id'), exchange.header('x-name')];
      t.deepEqual([...seen, exchange.body.toString()], ['POST', `/later/${name}?query`, name, 'value', 'the body']);
      exchange.send(200, 'x');
      await client.answer();
    }
  }
});

testEveryWay(
  'Connection: close and HTTP/1.0 end the connection after the answer, keep-alive in 1.0 does not',
  async (t, serve) => {
    const cases: [request: string, note: string | undefined, isOpen: boolean][] = [
      [get('/echo/1'), undefined, true],
      [get('/echo/1', 'Connection: close\r\n'), 'close', false],
      [get('/echo/1', 'Connection: Keep-Alive , CLOSE\r\n'), 'close', false],
      [get('/echo/1', 'Connection: keep-alive\r\n'), undefined, true],
      ['GET /echo/1 HTTP/1.0\r\n\r\n', 'close', false],
      ['GET /echo/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'keep-alive', true],
    ];
    await using served = await serve({ router: testRouter() });
    for (const [request, note, isOpen] of cases) {
      using client = new RawClient(served.port);
      client.write(request);
      const answer = await client.answer();
      t.is(answer.body, '"1"');
      t.is(answer.headers.connection, note, request);
      client.write(get('/echo/2'));
      if (isOpen) t.is((await client.answer()).body, '"2"', request);
      else t.is(await client.rest(), '', request);
    }
  },
);

testEveryWay('nothing after the last request of a connection is answered', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write(`${get('/echo/1') + get('/echo/2', 'Connection: close\r\n') + get('/echo/3')}garbage`);
  t.deepEqual(
    (await client.answers(2)).map(({ body }) => body),
    ['"1"', '"2"'],
  );
  t.is(await client.rest(), '');
});

testEveryWay(
  '100 Continue comes before the answer, in its turn, and only where a body is to come',
  async (t, serve) => {
    const waiting = new Map<string, Exchange>();
    await using served = await serve({ router: testRouter(waiting) });
    using client = new RawClient(served.port);
    const head = 'POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
    client.write(head);
    t.is((await client.answer()).status, 100);
    client.write('hello');
    t.is((await client.answer()).body, 'hello');

    client.write(get('/later/1') + head);
    await until(() => waiting.size === 1);
    waiting.get('1')!.send(200, 'first');
    t.is((await client.answer()).body, 'first');
    t.is((await client.answer()).status, 100);
    client.write('world');
    t.is((await client.answer()).body, 'world');

    client.write(head.replace('Content-Length: 5', 'Content-Length: 0'));
    t.is((await client.answer()).status, 200, 'no body, nothing to wait for');
    client.write(head.replace('Content-Length: 5', 'Content-Length: 5000000'));
    t.is((await client.answer()).status, 413, 'refused before it is sent');
  },
);

testEveryWay('a peer that has closed its half still gets its answers', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port, { allowHalfOpen: true });
  client.socket.end(get('/echo/1') + get('/later/2'));
  t.is((await client.answer()).body, '"1"');
  await until(() => waiting.size === 1);
  t.false(waiting.get('2')!.isAborted);
  waiting.get('2')!.send(200, 'two');
  t.is((await client.answer()).body, 'two');
  t.is(await client.rest(), '');
});

testEveryWay('the last answer to a peer that has closed its half says Connection: close', async (t, serve) => {
  for (const order of [
    ['1', '2', '3'],
    ['3', '2', '1'],
    ['2', '3', '1'],
  ]) {
    for (const isAnsweredBefore of [false, true]) {
      const waiting = new Map<string, Exchange>();
      await using served = await serve({ router: testRouter(waiting) });
      using client = new RawClient(served.port, { allowHalfOpen: true });
      client.write(get('/later/1') + get('/later/2') + get('/later/3'));
      await until(() => waiting.size === 3);
      // Those that may be answered before the peer has said that it will send no more; one keeps them waiting.
      const [first, ...others] = order;
      const later = isAnsweredBefore && first !== '1' ? others : order;
      if (later === others) waiting.get(first!)!.send(200, first!);
      const ended = once(served.sockets[0]!, 'end');
      client.socket.end();
      await ended;
      for (const id of later) waiting.get(id!)!.send(200, `${id}\r\n\r\n`);
      const answers = await client.answers(3);
      t.deepEqual(
        answers.map(({ headers }) => headers.connection),
        [undefined, undefined, 'close'],
        `${order} ${isAnsweredBefore}`,
      );
      t.is(await client.rest(), '');
    }
  }
});

testEveryWay('to HTTP/1.0 too: close, and no keep-alive beside it', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port, { allowHalfOpen: true });
  const keepAlive = ' HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  client.write(`GET /later/1${keepAlive}GET /later/2${keepAlive}`);
  await until(() => waiting.size === 2);
  waiting.get('2')!.send(200, 'two');
  const ended = once(served.sockets[0]!, 'end');
  client.socket.end();
  await ended;
  waiting.get('1')!.send(200, 'one');
  const answers = await client.answers(2);
  t.deepEqual(
    answers.map(({ headers }) => headers.connection),
    ['keep-alive', 'close'],
  );
  t.is(await client.rest(), '');
});

testEveryWay('a peer that closes its half in the middle of a request is told so', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port, { allowHalfOpen: true });
  client.socket.end(`${get('/echo/1')}GET /ec`);
  t.is((await client.answer()).status, 200);
  t.is((await client.answer()).status, 400);
  t.is(await client.rest(), '');
  t.deepEqual(served.server.stats().refused, { CUT_SHORT: 1 });
});

testEveryWay('a peer that closes without a request gets nothing', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port, { allowHalfOpen: true });
  client.socket.end();
  t.is(await client.rest(), '');
});

testEveryWay(
  'a handler that throws or rejects is answered with 500, once, and reported; the connection goes on',
  async (t, serve) => {
    const reported: string[] = [];
    const router = testRouter()
      .add('GET', '/throws', () => {
        throw new Error('thrown');
      })
      .add('GET', '/rejects', async () => {
        await setImmediate();
        throw new Error('rejected');
      })
      .add('GET', '/answers-and-throws', (exchange) => {
        exchange.send(200, 'answered');
        throw new Error('afterwards');
      })
      .add('GET', '/returns-something', (exchange) => JSON.stringify(exchange.send(200, 'x')) as unknown as undefined);
    const onHandlerError = (error: unknown, route: string) => reported.push(`${route} ${(error as Error).message}`);
    await using served = await serve({ router, onHandlerError });
    using client = new RawClient(served.port);
    client.write(
      get('/throws') + get('/rejects') + get('/answers-and-throws') + get('/returns-something') + get('/echo/1'),
    );
    const answers = await client.answers(5);
    t.deepEqual(
      answers.map(({ status }) => status),
      [500, 500, 200, 200, 200],
    );
    t.is(answers[0]!.body, '{"error":{"code":500,"message":"internal error"}}');
    t.deepEqual(reported.sort(), ['/answers-and-throws afterwards', '/rejects rejected', '/throws thrown']);
  },
);

testEveryWay('a handler that answers and fails later does no harm to the requests after it', async (t, serve) => {
  const reported: string[] = [];
  let fail: (() => void) | undefined;
  const router = testRouter().add('GET', '/answers-and-rejects', async (exchange) => {
    exchange.send(200, 'answered');
    await new Promise<void>((resolve) => {
      fail = resolve;
    });
    throw new Error('much later');
  });
  const waiting: Exchange[] = [];
  router.add('GET', '/waits', (exchange) => {
    waiting.push(exchange);
  });
  await using served = await serve({ router, onHandlerError: (error) => reported.push((error as Error).message) });
  using client = new RawClient(served.port);
  client.write(get('/answers-and-rejects'));
  t.is((await client.answer()).body, 'answered');
  client.write(get('/waits'));
  await until(() => waiting.length === 1);
  fail!();
  await until(() => reported.length === 1);
  waiting[0]!.send(200, 'mine');
  t.is((await client.answer()).body, 'mine');
  t.deepEqual(reported, ['much later']);
});

testEveryWay('a body that comes without waiting for its 100 Continue gets none too late', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(get('/later/1') + post('/echo', 'hello', 'Expect: 100-continue\r\n') + get('/echo/3'));
  await until(() => waiting.size === 1);
  waiting.get('1')!.send(200, 'first');
  t.deepEqual(
    (await client.answers(3)).map(({ status, body }) => `${status} ${body}`),
    ['200 first', '200 hello', '200 "3"'],
  );
  client.write(get('/echo/4'));
  t.is((await client.answer()).body, '"4"');
});

testEveryWay('when the peer goes away its exchanges know, and their answers go nowhere', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  const client = new RawClient(served.port);
  client.write(get('/later/1') + get('/later/2'));
  await until(() => waiting.size === 2);
  client.reset();
  await until(() => served.server.stats().sessions === 0);
  for (const exchange of waiting.values()) {
    t.true(exchange.isAborted);
    t.notThrows(() => exchange.send(200, 'nobody'));
  }
});

testEveryWay('a finished exchange is reported with route, status and time', async (t, serve) => {
  const finished: [string, number][] = [];
  await using served = await serve({
    router: testRouter(),
    onExchange: (route, status, durationMs) => {
      finished.push([route, status]);
      t.true(durationMs >= 0 && durationMs < 60_000);
    },
  });
  using client = new RawClient(served.port);
  client.write(get('/echo/1') + get('/nowhere') + post('/echo', 'x'));
  await client.answers(3);
  t.deepEqual(finished, [
    ['/echo/:text', 200],
    ['', 404],
    ['/echo', 200],
  ]);
});

testEveryWay(
  'draining ends idle connections, finishes what is under way and says Connection: close',
  async (t, serve) => {
    const waiting = new Map<string, Exchange>();
    await using served = await serve({ router: testRouter(waiting), limits: { drainIdleTimeoutMs: 800 } });
    using idle = new RawClient(served.port);
    idle.write(get('/echo/1'));
    await idle.answer();
    using fresh = new RawClient(served.port);
    await once(fresh.socket, 'connect');
    // Longer than an idle connection gets when draining begins.
    await delay(1_000);
    using busy = new RawClient(served.port);
    busy.write(get('/later/1'));
    await until(() => waiting.size === 1 && served.server.stats().sessions === 3);
    const drained = served.server.drain();
    // So that the server looks at its clock, a few times within that time, before the request is there.
    await delay(300);
    fresh.write(get('/echo/2'));
    const late = await fresh.answer();
    t.is(late.body, '"2"', 'a request that was under way is answered');
    t.is(late.headers.connection, 'close');
    t.is(await idle.rest(), '');
    waiting.get('1')!.send(200, 'done');
    const answer = await busy.answer();
    t.is(answer.body, 'done');
    t.is(answer.headers.connection, 'close');
    await drained;
    t.is(served.server.stats().sessions, 0);
    await t.notThrowsAsync(served.server.drain(), 'nothing left to drain');
  },
);

testEveryWay('close cuts everything at once', async (t, serve) => {
  const waiting = new Map<string, Exchange>();
  await using served = await serve({ router: testRouter(waiting) });
  using client = new RawClient(served.port);
  client.write(get('/later/1'));
  await until(() => waiting.size === 1);
  served.server.close();
  t.is(await client.rest(), '');
});
