// The two books: what the order service and the catalog make of each other at a start, whichever of them was put back, lost
// its end in a crash, or belongs to another store.

import test from 'ava';
import type { CatalogEngine, Recovered } from '../../src/catalog/catalog-engine.js';
import { SETTLED_SALES_KEPT } from '../../src/catalog/catalog-limits.js';
import { NO_TAG, type Tag } from '../../src/store-contract.js';
import { batch, begin, EngineWorld, stock } from './engine-fixture.js';

const tag = (incarnation: number, sequence: number): Tag => ({ incarnation, sequence });

/** Five sales of Tux under the tags 1-1 to 1-5, settled up to 1-3. */
async function sold(world = new EngineWorld()): Promise<{ world: EngineWorld; engine: CatalogEngine; store: string }> {
  const engine = await world.open();
  const recovered = await world.run(engine.recover({ logged: NO_TAG, store: '', endedUncleanly: false }));
  await world.run(engine.purchase(batch(1, 1, ['Tux', 'Tux', 'Tux', 'Tux'])));
  await world.run(engine.purchase(batch(1, 5, ['Tux'], 3)));
  return { world, engine, store: recovered.storeId };
}

function sequencesOf(recovered: Recovered): number[] | Tag {
  return 'lacking' in recovered ? recovered.lacking : recovered.sales.map(({ sequence }) => sequence);
}

const cases: readonly {
  readonly name: string;
  readonly logged: Tag;
  readonly log: 'clean' | 'crashed';
  readonly catalog: 'clean' | 'crashed';
  readonly expected: number[] | Tag | RegExp;
}[] = [
  { name: 'in step', logged: tag(1, 5), log: 'clean', catalog: 'clean', expected: [] },
  { name: 'the log lacks what was not settled', logged: tag(1, 3), log: 'clean', catalog: 'crashed', expected: [4, 5] },
  {
    name: 'an older log was put in place',
    logged: tag(1, 1),
    log: 'clean',
    catalog: 'clean',
    expected:
      /the order log is behind the catalog: it ends at \w{8}-1-1, was on disk up to \w{8}-1-3, and lacks 2 orders/,
  },
  {
    name: 'the log was removed',
    logged: NO_TAG,
    log: 'clean',
    catalog: 'clean',
    expected:
      /it ends at its beginning, was on disk up to \w{8}-1-3, and lacks 3 orders: put the newer orders.csv back/,
  },
  {
    name: 'the log lost its end in a crash',
    logged: tag(1, 1),
    log: 'crashed',
    catalog: 'clean',
    expected: [2, 3, 4, 5],
  },
  { name: 'and all of it', logged: NO_TAG, log: 'crashed', catalog: 'crashed', expected: [1, 2, 3, 4, 5] },
  {
    name: 'an older catalog was put in place',
    logged: tag(1, 9),
    log: 'clean',
    catalog: 'clean',
    expected: /the catalog is behind the order log: its newest sale is \w{8}-1-5, and the log goes to \w{8}-1-9/,
  },
  {
    name: 'the catalog lost its end in a crash',
    logged: tag(1, 9),
    log: 'clean',
    catalog: 'crashed',
    expected: tag(1, 5),
  },
];

for (const { name, logged, log, catalog, expected } of cases) {
  test(`${name}: log ${log}, catalog ${catalog}`, async (t) => {
    const { world, engine, store } = await sold();
    if (catalog === 'clean') await world.run(engine.close());
    else world.kill();
    const again = await world.open();
    const recovering = world.run(again.recover({ logged, store, endedUncleanly: log === 'crashed' }));
    if (expected instanceof RegExp) {
      await t.throwsAsync(recovering, { code: 'BOOKS_DIFFER', message: expected });
      t.is(again.incarnation, 1, 'nothing has begun');
    } else {
      t.deepEqual(sequencesOf(await recovering), expected);
    }
  });
}

/** Synced once a minute: what is sold now is gone with the power. */
const SELDOM = { syncMode: { periodMs: 60_000 } } as const;

for (const between of ['started', 'started, and stopped cleanly', 'started, and killed'] as const) {
  test(`sales that a power failure took are asked for by a catalog that was ${between} since`, async (t) => {
    const { world, engine, store } = await sold();
    await world.run(engine.close());
    // The order service runs all the time, and sees no reason to begin anew.
    const second = await world.open(SELDOM);
    const onDisk = world.disk.copyOf('/data');
    t.deepEqual(await world.run(second.purchase(batch(1, 6, ['Tux 3']))), [0]);
    world.kill();
    world.disk.putBack('/data', onDisk);
    if (between !== 'started') {
      const third = await world.open(SELDOM);
      if (between === 'started, and killed') world.kill();
      else await world.run(third.close());
    }
    const again = await world.open(SELDOM);
    t.true(again.incarnation > 1, 'no order service goes on without comparing');
    const logged = tag(1, 6);
    t.deepEqual(await world.run(again.recover({ logged, store, endedUncleanly: false })), {
      lacking: tag(1, 5),
      storeId: store,
    });
  });
}

test('a log of another store is refused, in either state', async (t) => {
  const { world, engine } = await sold();
  for (const endedUncleanly of [true, false]) {
    const recovering = world.run(engine.recover({ logged: tag(1, 5), store: 'zzzzzzzz', endedUncleanly }));
    await t.throwsAsync(recovering, { code: 'BOOKS_DIFFER', message: /belongs to the store zzzzzzzz/ });
  }
});

test('the store keeps its id over stops, crashes and new journals', async (t) => {
  const { world, engine, store } = await sold();
  t.regex(store, /^[a-z0-9]{8}$/);
  await world.run(engine.close());
  await world.open({ journalBytesMax: 1 });
  await world.sleep(2_000);
  world.kill();
  const { storeId } = await world.run((await world.open()).recover({ logged: tag(1, 5), store, endedUncleanly: true }));
  t.is(storeId, store);
});

test('refused purchases are settled too, and no order is missed for them', async (t) => {
  const { world, engine, store } = await sold();
  t.deepEqual(await world.run(engine.purchase(batch(1, 6, ['Nemo', 'Tux 101'], 5))), [-1, -2]);
  await world.run(engine.purchase(batch(1, 8, [], 7)));
  await world.run(engine.close());
  const again = await world.open();
  t.deepEqual(sequencesOf(await world.run(again.recover({ logged: tag(1, 5), store, endedUncleanly: false }))), []);
});

test('an incarnation that settled nothing of its own is no reason to miss anything', async (t) => {
  const { world, engine, store } = await sold();
  const { incarnation } = await world.run(begin(engine, tag(1, 5)));
  await world.run(engine.purchase(batch(incarnation, 1, ['Nemo'])));
  await world.run(engine.close());
  const again = await world.open();
  t.deepEqual(sequencesOf(await world.run(again.recover({ logged: tag(1, 5), store, endedUncleanly: false }))), []);
});

test('a mark without a sale is on the disk after a clean stop and after a kill', async (t) => {
  for (const end of ['close', 'kill'] as const) {
    const { world, engine, store } = await sold();
    await world.run(engine.purchase(batch(1, 6, [], 5)));
    await world.sleep(100);
    if (end === 'close') await world.run(engine.close());
    else world.kill();
    const again = await world.open();
    const recovering = world.run(again.recover({ logged: tag(1, 4), store, endedUncleanly: false }));
    await t.throwsAsync(recovering, { message: /was on disk up to \w{8}-1-5, and lacks 1 order:/ }, end);
  }
});

test('sales that the catalog lost are restored under their tags, all of a message or none, and only once', async (t) => {
  const { world, store } = await sold();
  world.kill();
  const again = await world.open();
  const lost = [6, 7].map((sequence) => ({
    ...tag(1, sequence),
    name: Buffer.from('Tux'),
    quantity: 10,
    key: `k${sequence}`,
  }));
  await t.throwsAsync(world.run(again.restore(store, [...lost, { ...lost[0]!, sequence: 8, quantity: 76 }])), {
    code: 'BOOKS_DIFFER',
    message: /sold more of "Tux" than the catalog ever had/,
  });
  t.deepEqual(stock(again, 'Tux'), [95]);
  await world.run(again.restore(store, lost));
  await world.run(again.restore(store, lost));
  t.deepEqual(stock(again, 'Tux'), [75]);
  world.kill();
  const last = await world.open();
  t.deepEqual(stock(last, 'Tux'), [75], 'it was on the disk');
  const recovered = await world.run(last.recover({ logged: tag(1, 6), store, endedUncleanly: false }));
  t.deepEqual(sequencesOf(recovered), [7]);
});

test('nothing is restored into a catalog that lacks nothing, or of another store', async (t) => {
  const { world, engine, store } = await sold();
  const lost = [{ ...tag(1, 6), name: Buffer.from('Tux'), quantity: 1, key: '' }];
  await t.throwsAsync(world.run(engine.restore(store, lost)), { code: 'BOOKS_DIFFER' });
  world.kill();
  const again = await world.open();
  await t.throwsAsync(world.run(again.restore('zzzzzzzz', lost)), { code: 'BOOKS_DIFFER' });
  t.deepEqual(stock(again, 'Tux'), [95]);
});

test('of the settled sales the newest are kept, and what a crashed log lacks beyond them stops the start', async (t) => {
  const world = new EngineWorld(`name,price,quantity\nTux,1,${3 * SETTLED_SALES_KEPT}\n`);
  const engine = await world.open();
  await world.run(begin(engine));
  const size = 1_000;
  const batches = (2 * SETTLED_SALES_KEPT) / size;
  for (let index = 0; index < batches; index++) {
    const first = 1 + index * size;
    await world.run(engine.purchase(batch(1, first, new Array(size).fill('Tux'), first - 1)));
  }
  await world.run(engine.purchase(batch(1, 1 + batches * size, [], batches * size)));
  const newest = batches * size;
  for (const end of ['close', 'kill'] as const) {
    if (end === 'close') await world.run(engine.close());
    else world.kill();
    const again = await world.open();
    const kept = newest - SETTLED_SALES_KEPT + 1;
    const { sales } = await world.run(begin(again, tag(1, kept)));
    t.is(sales.length, SETTLED_SALES_KEPT - 1, end);
    await t.throwsAsync(world.run(begin(again, tag(1, kept - 2))), { message: /lacks more than \d+ orders/ }, end);
  }
});
