// Those who watch /live, over real sockets: what they get, how many there may be, and what it costs when nobody looks.

import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { type LiveSources, LiveStreams, WATCHERS_MAX } from '../../src/frontend/live/live-streams.js';
import { Router } from '../../src/http/index.js';
import { get, RawClient, serve } from '../http/served.js';
import { call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

/** Sources that count how often they are asked. */
class Counted implements LiveSources {
  asked = 0;
  quantity = 100;
  readonly metrics = async () => {
    this.asked += 1;
    return [];
  };
  readonly toys = async () => ({ toys: [{ name: 'Tux', priceCents: 1599, quantity: this.quantity }], total: 1 });
}

function routerOf(live: LiveStreams): Router {
  return new Router()
    .add('GET', '/live', (exchange) => live.serve(exchange))
    .add('GET', '/alive', (exchange) => exchange.send(200, 'yes'));
}

async function untilSeen(client: RawClient, text: string): Promise<string> {
  while (!client.received.includes(text)) await client.more();
  return client.received;
}

const count = (text: string, part: string): number => text.split(part).length - 1;

test('a watcher is told the toys at once and when they change, and the figures each second', async (t) => {
  const sources = new Counted();
  await using served = await serve({ router: routerOf(new LiveStreams(sources)) });
  using client = new RawClient(served.port);
  client.write(get('/live'));
  const head = await untilSeen(client, '\r\n\r\n');
  t.regex(head, /^HTTP\/1\.1 200 /);
  for (const line of ['Content-Type: text/event-stream', 'Cache-Control: no-store']) t.true(head.includes(line), line);
  while (count(client.received, 'event: figures') < 2) await client.more();
  t.is(count(client.received, 'event: toys'), 1);
  sources.quantity = 99;
  await untilSeen(client, '"quantity":99');
  t.is(count(client.received, 'event: toys'), 2);
});

test('one reading serves all; when the last has gone nothing is asked any more; who comes then is served', async (t) => {
  const sources = new Counted();
  const live = new LiveStreams(sources);
  await using served = await serve({ router: routerOf(live) });
  await nextTurn();
  t.is(sources.asked, 0);
  const clients = Array.from({ length: 5 }, () => new RawClient(served.port));
  for (const client of clients) client.write(get('/live'));
  for (const client of clients) await untilSeen(client, 'event: figures');
  t.true(sources.asked <= 2, `${sources.asked}`);
  for (const client of clients) client.socket.destroy();
  while (live.count > 0) await nextTurn();
  const asked = sources.asked;
  // Longer than between two readings: that nothing happens cannot be waited for in any other way.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  t.is(sources.asked, asked);
  using late = new RawClient(served.port);
  late.write(get('/live'));
  await untilSeen(late, 'event: figures');
});

test(`${WATCHERS_MAX} may watch; the next one has a plain answer, until one goes`, async (t) => {
  const live = new LiveStreams(new Counted());
  await using served = await serve({ router: routerOf(live) });
  const clients = Array.from({ length: WATCHERS_MAX }, () => new RawClient(served.port));
  for (const client of clients) client.write(get('/live'));
  while (live.count < WATCHERS_MAX) await nextTurn();
  using next = new RawClient(served.port);
  next.write(get('/live'));
  const refusal = await next.answer();
  t.is(refusal.status, 503);
  t.is(JSON.parse(refusal.body).error.code, 503);
  t.is(refusal.headers['retry-after'], '5');
  clients[0]!.socket.destroy();
  while (live.count === WATCHERS_MAX) await nextTurn();
  next.write(get('/live'));
  await untilSeen(next, 'event: figures');
  for (const client of clients) client.socket.destroy();
});

test('HEAD is answered, and watches nothing', async (t) => {
  const live = new LiveStreams(new Counted());
  await using served = await serve({ router: routerOf(live) });
  using client = new RawClient(served.port);
  client.write('HEAD /live HTTP/1.1\r\nHost: store\r\n\r\n');
  t.is((await client.answer(true)).status, 200);
  t.is(live.count, 0);
});

test('a drain ends streams in good order', async (t) => {
  const live = new LiveStreams(new Counted());
  await using served = await serve({ router: routerOf(live) });
  using client = new RawClient(served.port);
  client.write(get('/live'));
  await untilSeen(client, 'event: figures');
  await served.server.drain();
  while (!client.isClosed) await client.more().catch(() => undefined);
  t.true(client.received.endsWith('0\r\n\r\n'));
  t.is(live.count, 0);
});

test("a watcher takes no customer's place; a store that stops ends its stream", async (t) => {
  const env = { THREADS: '1', MAX_THREADS: '1', SESSIONS_PER_THREAD: '1' };
  await using store = await StoreProcess.start('start', { env });
  const watchers = [new RawClient(store.port), new RawClient(store.port)];
  for (const watcher of watchers) {
    watcher.write(get('/live'));
    await untilSeen(watcher, 'event: figures');
  }
  t.is((await call(store.port, 'GET', '/products/Tux')).status, 200);
  // They are no sessions of the pool either.
  const metrics = (await call(store.port, 'GET', '/metrics')).body;
  t.regex(metrics, /toystore_pool_sessions\{service="frontend",thread="0"\} 1\n/);
  t.is((await store.stop()).code, 0);
  for (const watcher of watchers) {
    while (!watcher.isClosed) await watcher.more().catch(() => undefined);
    t.true(watcher.received.endsWith('0\r\n\r\n'));
  }
});
