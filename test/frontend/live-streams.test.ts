// Those who watch /live, over real sockets: what they get, how many there may be, and what it costs when nobody looks.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { LiveReader, type LiveSources } from '../../src/frontend/live/live-reader.js';
import { LiveStreams, WATCHERS_MAX } from '../../src/frontend/live/live-streams.js';
import { Router } from '../../src/http/index.js';
import type { LiveFigures } from '../../src/live-figures.js';
import { get, RawClient, serve } from '../http/served.js';
import { call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

/** Sources that count how often they are asked, opened and closed. */
class Counted implements LiveSources {
  asked = 0;
  opened = 0;
  closed = 0;
  quantity = 100;
  /** So many times it cannot be opened. */
  failures = 0;
  readonly reader = new LiveReader(async () => {
    this.opened += 1;
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('too many open files');
    }
    return this;
  });
  readonly #channels: MessageChannel[] = [];

  /** Of one more thread. */
  streams(): LiveStreams {
    const channel = new MessageChannel();
    this.#channels.push(channel);
    this.reader.add(channel.port2);
    return new LiveStreams(channel.port1);
  }

  takeAway(): ReadonlySet<string> {
    return new Set();
  }

  close(): void {
    this.closed += 1;
  }

  [Symbol.dispose](): void {
    this.reader.close();
    for (const { port1 } of this.#channels) port1.close();
  }

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
  using sources = new Counted();
  await using served = await serve({ router: routerOf(sources.streams()) });
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
  using sources = new Counted();
  const live = sources.streams();
  await using served = await serve({ router: routerOf(live) });
  await nextTurn();
  t.is(sources.opened, 0);
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
  t.deepEqual([sources.opened, sources.closed], [1, 1]);
  using late = new RawClient(served.port);
  late.write(get('/live'));
  await untilSeen(late, 'event: figures');
});

test('what cannot be opened just now is tried again, for as long as somebody watches', async (t) => {
  using sources = new Counted();
  sources.failures = 1;
  await using served = await serve({ router: routerOf(sources.streams()) });
  using client = new RawClient(served.port);
  client.write(get('/live'));
  await untilSeen(client, 'event: figures');
  t.is(sources.opened, 2);
});

test('threads share one reading; who comes to another thread is told the toys at once', async (t) => {
  using sources = new Counted();
  await using one = await serve({ router: routerOf(sources.streams()) });
  await using other = await serve({ router: routerOf(sources.streams()) });
  using first = new RawClient(one.port);
  first.write(get('/live'));
  await untilSeen(first, 'event: figures');
  using second = new RawClient(other.port);
  second.write(get('/live'));
  const head = await untilSeen(second, 'event: toys');
  t.false(head.includes('event: figures'), 'nothing is read for the second one alone');
  const figures = (client: RawClient): string[] => client.received.match(/data: \{"atMs".*/g) ?? [];
  while (figures(second).length < 2) await second.more();
  while (figures(first).length < figures(second).length + 1) await first.more();
  t.deepEqual(figures(second), figures(first).slice(1, 1 + figures(second).length));
  t.is(sources.opened, 1);
});

test(`${WATCHERS_MAX} may watch; the next one has a plain answer, until one goes`, async (t) => {
  using sources = new Counted();
  const live = sources.streams();
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
  using sources = new Counted();
  const live = sources.streams();
  await using served = await serve({ router: routerOf(live) });
  using client = new RawClient(served.port);
  client.write('HEAD /live HTTP/1.1\r\nHost: store\r\n\r\n');
  t.is((await client.answer(true)).status, 200);
  t.is(live.count, 0);
});

test('a drain ends streams in good order', async (t) => {
  using sources = new Counted();
  const live = sources.streams();
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

test('a store at work has every figure', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'toystore-live-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const seed = join(folder, 'toys.csv');
  await writeFile(seed, 'name,price,quantity\nTux,15.99,100\nFox,12.5,1000000\n');
  await using store = await StoreProcess.start('start', {
    env: { THREADS: '2', PACKED_SESSIONS: '1', SEED_CSV: seed },
  });
  using watcher = new RawClient(store.port);
  watcher.write(get('/live'));
  /** Of the newest event. */
  const isWhole = (): boolean => {
    const newest = watcher.received.match(/(?<=data: )\{"atMs".*\}(?=\n\n)/g)?.at(-1);
    if (newest === undefined) return false;
    const figures = JSON.parse(newest) as LiveFigures;
    const threads = figures.services.flatMap((service) => service.threads);
    const serve = figures.services.every((service) => service.isUp && service.isSelling && service.threads.length > 0);
    return serve && ![...Object.values(figures), ...threads.map(({ utilization }) => utilization)].includes(null);
  };
  const headers = { 'Content-Type': 'application/json' };
  let isWatching = true;
  const customer = (async () => {
    for (; isWatching; await pause(20)) {
      await call(store.port, 'GET', '/products/Tux');
      await call(store.port, 'GET', '/products/Nobody');
      await call(store.port, 'POST', '/orders', { headers, body: '{"name":"Fox","quantity":1}' });
    }
  })();
  while (!isWhole()) await watcher.more();
  isWatching = false;
  await customer;
  // What the last sale has left is shown, and so it stays.
  const fox = JSON.parse((await call(store.port, 'GET', '/products/Fox')).body).data.quantity;
  const told = () => /.*"name":"Fox","priceCents":\d+,"quantity":(\d+)/s.exec(watcher.received)?.[1];
  while (told() !== String(fox)) await watcher.more();
  t.pass();
});
