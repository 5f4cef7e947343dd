// A front end, as a process of its own, that holds toys of a catalog that the test has in its hand.

import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { call, stockOf } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';
import { ShelfCatalog, type ShelfOptions } from './shelf-catalog.js';

interface Stage extends AsyncDisposable {
  readonly catalog: ShelfCatalog;
  readonly frontend: StoreProcess;
  /** A find, by HTTP. */
  readonly find: (name: string) => Promise<number>;
}

async function setUp(options: ShelfOptions = {}, env: Record<string, string> = {}): Promise<Stage> {
  const catalog = await ShelfCatalog.start(options);
  catalog.stock.set('Tux', 100).set('Fox', 7);
  const settings = { CATALOG_ADDRESS: catalog.address, THREADS: '2', PACKED_SESSIONS: '1', LOG_LEVEL: 'info', ...env };
  const frontend = await StoreProcess.start('frontend', { env: settings });
  return {
    catalog,
    frontend,
    find: (name) => stockOf(frontend.port, name),
    [Symbol.asyncDispose]: async () => {
      await frontend[Symbol.asyncDispose]();
      await catalog[Symbol.asyncDispose]();
    },
  };
}

let shared: Promise<Stage> | undefined;
test.after.always(async () => (await shared)?.[Symbol.asyncDispose]());

/** One stage with a front end of one thread for all tests that leave it as they found it; nothing is held when it is given. */
async function sharedStage(): Promise<Stage> {
  shared ??= setUp({}, { THREADS: '1' });
  const stage = await shared;
  const { catalog } = stage;
  await catalog.until(() => catalog.heard.length > 0);
  catalog.stock.set('Tux', 100).set('Fox', 7);
  await catalog.invalidate();
  return stage;
}

/** From here on the second catalog counts its holders. */
const SECOND_HOLDER = 1_000;

/** Asks until the answer came without a question to the catalog. */
async function untilHeld(
  t: ExecutionContext,
  { catalog, find }: Pick<Stage, 'catalog' | 'find'>,
  name: string,
): Promise<void> {
  await catalog.until(() => catalog.heard.length > 0);
  for (let look = 0; look < 100; look++) {
    const before = catalog.timesAsked(name);
    await find(name);
    if (catalog.timesAsked(name) === before) return;
  }
  t.fail(`${name} is asked for each time`);
}

/** How many of so many finds the catalog was asked. */
async function questionsOf({ catalog, find }: Stage, name: string, finds: number): Promise<number> {
  const before = catalog.timesAsked(name);
  for (let index = 0; index < finds; index++) await find(name);
  return catalog.timesAsked(name) - before;
}

async function isHeld(t: ExecutionContext, stage: Stage): Promise<void> {
  await untilHeld(t, stage, 'Tux');
  t.is(await questionsOf(stage, 'Tux', 20), 0);
  t.is(await stage.find('Tux'), 100);
}

test.serial('a toy that is held is not asked for again: THREADS=0', async (t) => {
  await using stage = await setUp({}, { THREADS: '0' });
  await isHeld(t, stage);
});

test.serial('a toy that is held is not asked for again: THREADS=1', async (t) => {
  await isHeld(t, await sharedStage());
});

test.serial(
  'what the catalog takes back is asked for again, and no thread shows the old stock after the confirmation',
  async (t) => {
    await using stage = await setUp();
    await untilHeld(t, stage, 'Tux');
    for (let stock = 99; stock > 60; stock--) {
      await stage.catalog.invalidate('Tux');
      stage.catalog.stock.set('Tux', stock);
      const shown = await Promise.all([1, 2, 3, 4].map(() => stage.find('Tux')));
      t.deepEqual(shown, [stock, stock, stock, stock]);
    }
  },
);

test.serial('an invalidation without names takes everything back', async (t) => {
  const stage = await sharedStage();
  await untilHeld(t, stage, 'Tux');
  await untilHeld(t, stage, 'Fox');
  await stage.catalog.invalidate('Fox');
  t.is(await questionsOf(stage, 'Tux', 3), 0, 'another one leaves it alone');
  await stage.catalog.invalidate();
  t.is(await questionsOf(stage, 'Tux', 3), 1);
  t.is(await questionsOf(stage, 'Fox', 3), 1);
});

test.serial('an invalidation that overtakes the answer makes it dead on arrival', async (t) => {
  const stage = await sharedStage();
  const { catalog } = stage;
  // Whatever the catalog says while this goes on was said before the invalidation.
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) await stage.find('Tux');
  })();
  t.teardown(async () => {
    stop.abort();
    await asking;
  });
  for (let stock = 99; stock > 80; stock--) {
    // What is answered from now on is the new stock; what was answered before is on its way with the old one.
    const told = catalog.invalidate('Tux');
    catalog.stock.set('Tux', stock);
    await told;
    t.is(await stage.find('Tux'), stock);
    await catalog.invalidate('Tux');
  }
});

test.serial('when the lease is over each find asks, until it is renewed', async (t) => {
  await using stage = await setUp({ leaseMs: 300 }, { THREADS: '1' });
  const { catalog } = stage;
  await untilHeld(t, stage, 'Tux');
  catalog.isAnswering = false;
  const heard = catalog.heard.length;
  // As many renewals as go out in more than a lease.
  await catalog.until(() => catalog.heard.length > heard + 5);
  t.is(await questionsOf(stage, 'Tux', 10), 10);
  catalog.isAnswering = true;
  const later = catalog.heard.length;
  await catalog.until(() => catalog.heard.length > later + 1);
  await untilHeld(t, stage, 'Tux');
  t.regex(await metricsOf(stage), /toystore_held_leases_run_out_total\{service="frontend"\} [1-9]/);
});

test.serial('a front end that was paused for longer than its lease shows nothing that it held', async (t) => {
  await using stage = await setUp({ leaseMs: 300 });
  const { catalog, frontend } = stage;
  await untilHeld(t, stage, 'Tux');
  catalog.isAnswering = false;
  frontend.child.kill('SIGSTOP');
  // The time for which the catalog waits for a silent holder, and then the toy is sold without its confirmation.
  await new Promise((resolve) => setTimeout(resolve, 330));
  catalog.stock.set('Tux', 99);
  const finds = [1, 2, 3, 4].map(() => stage.find('Tux'));
  frontend.child.kill('SIGCONT');
  t.deepEqual(await Promise.all(finds), [99, 99, 99, 99]);
});

test.serial(
  'a stream that ends is opened again; what was held under the earlier number is asked for again',
  async (t) => {
    const stage = await sharedStage();
    const { catalog } = stage;
    await untilHeld(t, stage, 'Tux');
    const { holder } = catalog;
    catalog.cutWatches();
    await catalog.until(() => catalog.holder > holder);
    // The answer to its first message is on its way: a find that is asked with the new number comes after it.
    while (catalog.asked.at(-1)?.holder !== catalog.holder) await stage.find('Fox');
    catalog.stock.set('Tux', 50);
    t.is(await stage.find('Tux'), 50);
    await untilHeld(t, stage, 'Tux');
  },
);

test.serial('of several catalogs the front end is a holder of the one that serves, wherever that goes', async (t) => {
  await using second = await ShelfCatalog.start({ holder: SECOND_HOLDER });
  await using first = await ShelfCatalog.start();
  second.setServing(false);
  first.stock.set('Tux', 100);
  second.stock.set('Tux', 42);
  const addresses = { CATALOG_ADDRESS: `${second.address},${first.address}`, THREADS: '1' };
  await using frontend = await StoreProcess.start('frontend', { env: addresses });
  const find = (name: string) => stockOf(frontend.port, name);
  await untilHeld(t, { catalog: first, find }, 'Tux');
  first.setServing(false);
  second.setServing(true);
  // What is held of the first one may be shown until the front end has heard of the second.
  await second.until(() => second.heard.length > 0);
  while ((await find('Tux')) !== 42) await pause(5);
  await untilHeld(t, { catalog: second, find }, 'Tux');
  // Each stream gets a number of its own, and there may have been several.
  t.true(second.asked.some(({ holder }) => holder >= SECOND_HOLDER));
});

test.serial('what may not be held is asked for each time, and so is what does not exist', async (t) => {
  await using stage = await setUp({}, { THREADS: '1' });
  await untilHeld(t, stage, 'Fox');
  stage.catalog.isHoldable = false;
  t.is(await questionsOf(stage, 'Tux', 5), 5);
  for (let index = 0; index < 5; index++) {
    t.is((await call(stage.frontend.port, 'GET', '/products/Nobody')).status, 404);
  }
  t.is(stage.catalog.timesAsked('Nobody'), 5);
  t.regex(await metricsOf(stage), /toystore_held_toys\{service="frontend"\} 1$/m);
});

test.serial('a catalog without places is asked each time, and for a place again and again', async (t) => {
  // It asks for a place as often as it would renew a lease.
  await using stage = await setUp({ holder: 0, leaseMs: 1_500 }, { THREADS: '1' });
  const { catalog } = stage;
  const heard = catalog.heard.length;
  await catalog.until(() => catalog.heard.length > heard + 1);
  t.is(await questionsOf(stage, 'Tux', 5), 5);
  catalog.holder = 77;
  await catalog.until(() => catalog.heard.length > heard + 3);
  await untilHeld(t, stage, 'Tux');
});

test.serial('a catalog that knows no Watch is asked each time, and the log says so once', async (t) => {
  await using stage = await setUp({ knowsWatch: false }, { THREADS: '1' });
  const isSaid = () => stage.frontend.logs.filter(({ message }) => String(message).includes('no call Watch')).length;
  await stage.frontend.until(isSaid, 'the line about Watch');
  t.is(await questionsOf(stage, 'Tux', 10), 10);
  t.true(stage.catalog.asked.every(({ holder }) => holder === 0));
  // Time for more than one attempt.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  t.is(isSaid(), 1);
});

test.serial('CACHE_TOYS=0: every find asks, and nothing is watched', async (t) => {
  await using stage = await setUp({}, { CACHE_TOYS: '0', THREADS: '1' });
  t.is(await questionsOf(stage, 'Tux', 10), 10);
  t.true(stage.catalog.asked.every(({ holder }) => holder === 0));
  t.is(stage.catalog.heard.length, 0);
});

test.serial('no more toys are held than CACHE_TOYS, by all threads together', async (t) => {
  await using stage = await setUp({}, { CACHE_TOYS: '5' });
  await stage.catalog.until(() => stage.catalog.heard.length > 0);
  const names = Array.from({ length: 20 }, (_, index) => `Toy ${index}`);
  for (const name of names) stage.catalog.stock.set(name, 1);
  for (let round = 0; round < 10; round++) await Promise.all(names.map((name) => stage.find(name)));
  t.regex(await metricsOf(stage), /toystore_held_toys\{service="frontend"\} 5$/m);
});

test.serial('a front end that stops says goodbye', async (t) => {
  await using stage = await setUp({}, { THREADS: '1' });
  await untilHeld(t, stage, 'Tux');
  t.is((await stage.frontend.stop()).code, 0);
  await stage.catalog.until(() => stage.catalog.goodbyes === 1);
  t.pass();
});

async function metricsOf({ frontend }: Stage): Promise<string> {
  return (await call(frontend.port, 'GET', '/metrics')).body;
}
