import test from 'ava';
import { parseClientSettings } from '../../src/client/client-settings.js';
import { LoadRun } from '../../src/client/load-run.js';
import { StoreUnreachable } from '../../src/client/store-connection.js';
import { type Behaviour, StandInStore } from './stand-in-store.js';

async function load(behaviour: Behaviour, ...flags: string[]): Promise<{ store: StandInStore; run: LoadRun }> {
  const store = await StandInStore.start(behaviour);
  const run = new LoadRun(parseClientSettings(['--url', store.url, ...flags], {}));
  try {
    await run.run();
  } finally {
    await store.stop();
  }
  return { store, run };
}

test('each client makes its queries on one connection of its own', async (t) => {
  const { store, run } = await load({}, '--clients', '3', '--requests', '20', '--p', '0');
  t.is(store.connectionCount, 3);
  for (const connection of [1, 2, 3]) {
    t.is(store.arrivals.filter((arrival) => arrival.connection === connection).length, 20);
  }
  t.is(run.query.count, 60);
  t.is(run.order.count, 0);
  t.is(run.query.errors, 0);
});

test('with p 1 an order follows each query, for the same toy on the same connection', async (t) => {
  const { store, run } = await load({}, '--clients', '2', '--requests', '10', '--p', '1');
  t.is(run.order.count, 20);
  for (const connection of [1, 2]) {
    const texts = store.arrivals.filter((arrival) => arrival.connection === connection).map(({ text }) => text);
    for (let i = 0; i < texts.length; i += 2) t.is(texts[i + 1], texts[i]?.replace('GET', 'POST 1'));
  }
});

test('nothing is ordered that was shown to be sold out', async (t) => {
  const { run } = await load({ stock: 0 }, '--clients', '1', '--requests', '10', '--p', '1');
  t.is(run.query.count, 10);
  t.is(run.order.count + run.order.errors, 0);
});

test('an order that comes too late for the last of the stock is an answer, not an error', async (t) => {
  const onOrder: Behaviour['onOrder'] = (exchange) => exchange.sendError(409, 'not enough stock');
  const { run } = await load({ onOrder }, '--clients', '1', '--requests', '5', '--p', '1');
  t.is(run.order.count, 5);
  t.is(run.order.errors, 0);
});

test('about a share p of the queries is followed by an order', async (t) => {
  const { run } = await load({ stock: 1000 }, '--clients', '2', '--requests', '500', '--p', '0.4', '--seed', '7');
  t.true(run.order.count > 340 && run.order.count < 460, `${run.order.count} orders after 1000 queries`);
});

test('the same seed gives the same session, another one another', async (t) => {
  const sessionOf = async (seed: string): Promise<string> => {
    const { store } = await load({}, '--clients', '1', '--requests', '40', '--seed', seed);
    return store.arrivals.map(({ text }) => text).join();
  };
  const first = await sessionOf('1');
  t.is(await sessionOf('1'), first);
  t.not(await sessionOf('2'), first);
});

test('toys are asked for by the names given, percent-encoded', async (t) => {
  const { store, run } = await load({}, '--clients', '1', '--requests', '5', '--p', '0', '--toys', 'Größe 1/2');
  t.is(run.query.errors, 0);
  t.deepEqual(new Set(store.arrivals.map(({ text }) => text)), new Set(['GET Größe 1/2']));
});

const WRONG_ANSWERS: readonly [name: string, onQuery: NonNullable<Behaviour['onQuery']>, error: RegExp][] = [
  ['a refusal', (exchange) => exchange.sendError(503, 'later'), /got 503/],
  ['an unknown toy', (exchange) => exchange.sendError(404, 'product not found'), /got 404/],
  ['another toy', (exchange) => exchange.send(200, '{"data":{"name":"Cat","price":1,"quantity":1}}'), /asked for \w+/],
  ['no quantity', (exchange, name) => exchange.send(200, JSON.stringify({ data: { name, price: 1 } })), /got 200/],
  [
    'a price in words',
    (exchange, name) => exchange.send(200, `{"data":{"name":"${name}","price":"1","quantity":1}}`),
    /200/,
  ],
  ['half a toy', (exchange, name) => exchange.send(200, `{"data":{"name":"${name}","price":1,"quantity":0.5}}`), /200/],
  ['null', (exchange) => exchange.send(200, 'null'), /got 200 null/],
  ['no JSON', (exchange) => exchange.send(200, '<html>'), /got 200 <html>/],
];

for (const [name, onQuery, error] of WRONG_ANSWERS) {
  test(`a query answered with ${name} is an error and has no latency`, async (t) => {
    const { run } = await load({ onQuery }, '--clients', '1', '--requests', '3', '--p', '1');
    t.is(run.query.errors, 3);
    t.is(run.query.count, 0);
    t.is(run.order.count, 0);
    t.regex(run.query.lastError ?? '', error);
  });
}

test('an order without a proper receipt is an error', async (t) => {
  const onOrder: Behaviour['onOrder'] = (exchange) => exchange.send(200, '{"data":{"order_number":-1}}');
  const { run } = await load({ onOrder }, '--clients', '1', '--requests', '2', '--p', '1');
  t.is(run.order.errors, 2);
  t.is(run.order.count, 0);
});

test('a lost connection is one error; the next request connects again', async (t) => {
  let queries = 0;
  let cut = (): void => {};
  const behaviour: Behaviour = {
    onQuery: (exchange, name) => {
      queries += 1;
      if (queries === 3) cut();
      else exchange.send(200, JSON.stringify({ data: { name, price: 1, quantity: 1 } }));
    },
  };
  const store = await StandInStore.start(behaviour);
  cut = () => store.cutConnections();
  const run = new LoadRun(
    parseClientSettings(['--url', store.url, '--clients', '1', '--requests', '6', '--p', '0'], {}),
  );
  await run.run();
  await store.stop();
  t.is(run.query.errors, 1);
  t.is(run.query.count, 5);
  t.is(store.connectionCount, 2);
});

test('a run that is stopped ends soon and keeps what it has', async (t) => {
  let run: LoadRun | undefined;
  let queries = 0;
  const onQuery: Behaviour['onQuery'] = (exchange, name) => {
    queries += 1;
    if (queries === 5) run?.stop();
    else exchange.send(200, JSON.stringify({ data: { name, price: 1, quantity: 1 } }));
  };
  const store = await StandInStore.start({ onQuery });
  run = new LoadRun(parseClientSettings(['--url', store.url, '--clients', '1', '--requests', '1000', '--p', '0'], {}));
  await run.run();
  await store.stop();
  t.is(run.query.count, 4);
  t.is(run.query.errors, 0);
});

test('a store that is not there is said to be unreachable', async (t) => {
  const store = await StandInStore.start();
  const { url } = store;
  await store.stop();
  const run = new LoadRun(parseClientSettings(['--url', url], {}));
  const error = await t.throwsAsync(run.run(), { instanceOf: StoreUnreachable });
  t.regex(
    error.message,
    /^no store at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\): start it with `npm start`, or set --url$/,
  );
});
