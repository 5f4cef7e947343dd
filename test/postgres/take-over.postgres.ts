// Several processes of each service over one database, with a customer who goes on buying: whoever serves is killed, hangs,
// or stops, and another one takes over. The books stay right, and no answer is stale.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { CatalogClient } from '../../proto/gen/toystore/v1/catalog.js';
import { seedCsv } from '../chaos/shelf.js';
import { StoreProcess } from '../support/store-process.js';
import { FaultProxy } from './support/fault-proxy.js';
import { PostgresServer } from './support/postgres-server.js';
import { type Backend, StandbyStore, type StandbyStoreOptions } from './support/standby-store.js';

/**
 * Contract: another one sells within 3 s of a kill and 10 s of a hang. A machine that runs other tests besides may take
 * longer for every step; the log of this test tells how long it took.
 */
const SLOW_MACHINE_MS = 7_000;
const AFTER_KILL_MS = 3_000 + SLOW_MACHINE_MS;
const AFTER_HANG_MS = 10_000 + SLOW_MACHINE_MS;
const TOYS = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'];
/** A customer who goes on buying until a slow machine has got round to all the rest must not buy the shop empty. */
const STOCK = 1_000_000;

let server: PostgresServer;
let seedDir: string;

test.before(async () => {
  server = await PostgresServer.start();
  seedDir = await mkdtemp(join(tmpdir(), 'toystore-seed-'));
  await writeFile(seedPath(), seedCsv(TOYS.map((name) => ({ name, stock: STOCK }))));
});
test.after.always(async () => {
  await server[Symbol.asyncDispose]();
  await rm(seedDir, { recursive: true });
});

const seedPath = (): string => join(seedDir, 'toys.csv');

const startStore = (options: StandbyStoreOptions): Promise<StandbyStore> =>
  StandbyStore.start({ ...options, env: { SEED_CSV: seedPath() } });

/** Buys one toy after the other, each with a key and until it is sold; looks at the stock in between. */
class Customer {
  readonly numbers = new Map<string, number>();
  readonly #sold = new Map<string, number>();
  readonly #t: ExecutionContext;
  readonly #urls: readonly string[];
  #count = 0;
  #isDone = false;
  /** performance.now() of the newest order that was answered. */
  soldAtMs = 0;
  readonly #shopping: Promise<void>;

  constructor(t: ExecutionContext, urls: readonly string[]) {
    this.#t = t;
    this.#urls = urls;
    this.#shopping = this.#shop();
  }

  /** Resolves to how long after `since` the first order was answered that was asked for later. */
  async firstSale(since: number): Promise<number> {
    const before = this.#count + 1;
    while (this.numbers.size <= before) await pause(5);
    return this.soldAtMs - since;
  }

  async stop(): Promise<void> {
    this.#isDone = true;
    await this.#shopping;
  }

  async #shop(): Promise<void> {
    while (!this.#isDone) {
      const toy = TOYS[this.#count % TOYS.length]!;
      const key = `key-${this.#count++}`;
      this.numbers.set(key, await this.#buy(toy, key));
      this.#sold.set(toy, (this.#sold.get(toy) ?? 0) + 1);
      this.soldAtMs = performance.now();
      await this.#look(toy);
    }
  }

  async #buy(name: string, key: string): Promise<number> {
    for (;;) {
      const answer = await fetch(`${this.#urls[this.#count % this.#urls.length]}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ name, quantity: 1 }),
      });
      const body = (await answer.json()) as { data: { order_number: number } };
      if (answer.status === 200) return body.data.order_number;
      this.#t.true([503, 504].includes(answer.status), `${answer.status}: ${JSON.stringify(body)}`);
      if (this.#isDone) return -1;
      await pause(20);
    }
  }

  /** Through every front end: what was bought is gone from the stock. */
  async #look(toy: string): Promise<void> {
    for (const url of this.#urls) {
      const answer = await fetch(`${url}/products/${toy}`);
      const body = (await answer.json()) as { data: { quantity: number } };
      if (answer.status === 200) this.#t.is(body.data.quantity, STOCK - this.#sold.get(toy)!, `${toy} at ${url}`);
    }
  }
}

/** The database's books: every order that the customer was told of, numbers without a gap, stock and orders in step. */
async function checkBooks(t: ExecutionContext, at: PostgresServer, url: string, customer: Customer): Promise<void> {
  const sold = new Map([...customer.numbers].filter(([, number]) => number >= 0));
  let orders: Record<string, unknown>[] = [];
  // The last rows are written a moment after their answers.
  for (let tries = 0; tries < 100 && orders.length < sold.size; tries++) {
    orders = await at.query('SELECT order_number::integer AS number, name, key FROM toystore.orders ORDER BY 1', url);
    await pause(20);
  }
  t.deepEqual(
    orders.map(({ number }) => number),
    orders.map((_, index) => index),
  );
  t.deepEqual(new Map(orders.map(({ key, number }) => [key, number])), sold);
  const stock = await at.query('SELECT name, quantity::integer AS quantity FROM toystore.toys ORDER BY name', url);
  t.deepEqual(
    stock,
    [...TOYS].sort().map((name) => ({ name, quantity: STOCK - orders.filter((order) => order.name === name).length })),
  );
}

const FAULTS: readonly (readonly [Backend, NodeJS.Signals, number])[] = [
  ['catalog', 'SIGKILL', AFTER_KILL_MS],
  ['order', 'SIGKILL', AFTER_KILL_MS],
  ['catalog', 'SIGSTOP', AFTER_HANG_MS],
  ['order', 'SIGSTOP', AFTER_HANG_MS],
  ['catalog', 'SIGTERM', AFTER_KILL_MS],
  ['order', 'SIGTERM', AFTER_KILL_MS],
];

for (const [service, signal, limitMs] of FAULTS) {
  test.serial(
    `${signal} to the ${service} that serves: the other one takes over, and nothing is lost or doubled`,
    async (t) => {
      const url = await server.createDatabase();
      await using store = await startStore({ url, frontends: 2 });
      for (const frontend of store.urls) await store.untilReady(frontend);
      const customer = new Customer(t, store.urls);
      await customer.firstSale(performance.now());
      const member = store.serving(service);
      member.process.child.kill(signal);
      const tookMs = await customer.firstSale(performance.now());
      t.true(tookMs < limitMs, `${Math.round(tookMs)} ms`);
      t.log(`the first order after ${Math.round(tookMs)} ms`);
      t.not(store.serving(service), member);
      if (signal === 'SIGSTOP') {
        member.process.child.kill('SIGCONT');
        // It finds out that it was replaced, says so, and ends; whoever looks after it starts it again, as a standby.
        t.is((await member.process.exited).code, 1);
        t.regex(
          member.process.stderr.join('\n'),
          /another (catalog|order) has taken over|to another order service, or to a later start/,
        );
      }
      await store.revive(member);
      await customer.firstSale(performance.now());
      await customer.stop();
      await checkBooks(t, server, url, customer);
    },
  );
}

test.serial(
  'a catalog that hung and was replaced answers no find with what it knew, not even one that it wakes up to',
  async (t) => {
    const url = await server.createDatabase();
    await using store = await startStore({ url });
    await store.untilReady();
    const { process, port } = store.serving('catalog');
    const stub = new CatalogClient(`127.0.0.1:${port}`, credentials.createInsecure());
    t.teardown(() => stub.close());
    const find = (): Promise<number> =>
      new Promise((resolve, reject) => {
        stub.findToy({ name: 'Tux' }, (error, found) =>
          error === null ? resolve(found.toy!.quantity) : reject(error),
        );
      });
    t.is(await find(), STOCK);
    process.child.kill('SIGSTOP');
    const customer = new Customer(t, store.urls);
    await customer.firstSale(performance.now());
    await customer.stop();
    // Its socket takes them while it is stopped: they are the first that it sees when it wakes.
    const finds = Array.from({ length: 20 }, () => find().catch((error: ServiceError) => error.code));
    await pause(200);
    process.child.kill('SIGCONT');
    for (const answer of await Promise.all(finds)) t.is(answer, status.UNAVAILABLE);
    await process.exited;
  },
);

test.serial('all is settled, and everything is killed or stopped, and started again: it sells on', async (t) => {
  const url = await server.createDatabase();
  let orders = 0;
  for (let round = 0; round < 2; round++) {
    await using store = await startStore({ url, members: 1 });
    const buy = async (): Promise<void> => {
      await store.untilReady();
      const body = JSON.stringify({ name: 'Tux', quantity: 1 });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${store.urls[0]}/orders`, { method: 'POST', headers, body });
      t.deepEqual(await answer.json(), { data: { order_number: orders++ } });
    };
    await buy();
    await untilSettled(url);
    for (const service of ['catalog', 'order'] as const) {
      const [member] = store.of(service);
      member!.process.child.kill('SIGKILL');
      await store.revive(member!);
    }
    await buy();
    await untilSettled(url);
  }
});

/** The catalog was told that the newest sale is settled. */
async function untilSettled(url: string): Promise<void> {
  for (;;) {
    const [row] = await server.query(
      `SELECT count(*) FILTER (WHERE (sales.incarnation, sequence) > (settled_incarnation, settled_sequence))::integer AS open
         FROM toystore.sales, toystore.store`,
      url,
    );
    if (row!.open === 0) return;
    await pause(50);
  }
}

const SOLD = '200 {"data":{"order_number":N}}';

test.serial(
  'an order service that was replaced, and only the catalog can tell it: it ends, and its successor sells on',
  async (t) => {
    const url = await server.createDatabase();
    const start = (service: string, env: Record<string, string>): Promise<StoreProcess> =>
      StoreProcess.start(service, { env: { THREADS: '1', DATABASE_URL: url, ...env } });
    await using catalog = await start('catalog', { SEED_CSV: seedPath() });
    await using database = await FaultProxy.start(server.port);
    await using wayToCatalog = await FaultProxy.start(catalog.port);
    wayToCatalog.refuse();
    const throughProxy = url.replace(`:${server.port}/`, `:${database.port}/`);
    await using first = await start('order', {
      DATABASE_URL: throughProxy,
      CATALOG_ADDRESS: `127.0.0.1:${wayToCatalog.port}`,
    });
    const says = (process: StoreProcess, line: string): Promise<unknown> =>
      process.until(() => process.logs.some(({ message }) => message === line), line);
    await says(first, 'cannot recover yet, trying on');
    database.stall();
    await using second = await start('order', { CATALOG_ADDRESS: catalog.address });
    await says(second, 'selling');
    await using frontend = await start('frontend', { CATALOG_ADDRESS: catalog.address, ORDER_ADDRESS: second.address });
    const buy = async (): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ name: 'Tux', quantity: 1 });
      const answer = await fetch(`${frontend.address}/orders`, { method: 'POST', headers, body });
      return `${answer.status} ${(await answer.text()).replace(/\d+(?=\}\}$)/, 'N')}`;
    };
    while ((await buy()) !== SOLD) await pause(50);

    wayToCatalog.pass();
    let hasEnded = false;
    const ended = first.exited.then(({ code }) => {
      hasEnded = true;
      return code;
    });
    while (!hasEnded) {
      const answer = await buy();
      if (answer !== SOLD) return t.fail([answer, ...second.stderr].join('\n'));
      await pause(20);
    }
    t.is(await ended, 1);
    t.regex(
      first.stderr.join('\n'),
      /not selling any more: another order service has taken over: .* 1, and the newest is 2/,
    );
    t.is(await buy(), SOLD);
  },
);

test.serial('the server is killed and comes back: nobody takes over without need, and selling goes on', async (t) => {
  await using own = await PostgresServer.start();
  const url = await own.createDatabase();
  await using store = await startStore({ url });
  await store.untilReady();
  const customer = new Customer(t, store.urls);
  await customer.firstSale(performance.now());
  for (let round = 0; round < 2; round++) {
    await own.kill();
    await own.resume();
    t.log(`the first order after ${Math.round(await customer.firstSale(performance.now()))} ms`);
  }
  await customer.stop();
  await checkBooks(t, own, url, customer);
});

test.serial('the store starts without its database, says so, and sells when it is there', async (t) => {
  await using own = await PostgresServer.start();
  const url = await own.createDatabase();
  await own.kill();
  await using store = await startStore({ url, members: 1 });
  t.is((await fetch(`${store.urls[0]}/healthz`)).status, 200);
  t.is((await fetch(`${store.urls[0]}/readyz`)).status, 503);
  const [catalog] = store.of('catalog');
  await catalog!.process.until(
    () =>
      catalog!.process.logs.some(
        ({ message, reason }) => message === 'not serving' && /cannot be reached/.test(`${reason}`),
      ),
    'the line that says why',
  );
  t.false(store.logs.includes('p%40ss'), 'the password is in the log');
  await own.resume();
  await store.untilReady();
  const customer = new Customer(t, store.urls);
  await customer.firstSale(performance.now());
  await customer.stop();
  await checkBooks(t, own, url, customer);
});
