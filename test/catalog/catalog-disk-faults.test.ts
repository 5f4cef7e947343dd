// A disk that is full, refuses writes or fails a sync: nothing is sold that is not on it, nothing is lost, queries go on, and
// selling resumes: by itself after a failed write, by a restart after a failed sync.

import test from 'ava';
import type { CatalogEngineOptions } from '../../src/catalog/catalog-engine.js';
import type { FileStoreOptions } from '../../src/catalog/catalog-files.js';
import { batch, begin, CSV, EngineWorld, JOURNAL, stock } from './engine-fixture.js';

async function selling(options: Partial<CatalogEngineOptions & FileStoreOptions> = {}) {
  const world = new EngineWorld();
  const states: string[] = [];
  const engine = await world.open({ ...options, onState: (state) => states.push(state) });
  await world.run(begin(engine));
  return { world, engine, states };
}

test('what cannot be written is not sold; purchases find the store not selling, then selling again', async (t) => {
  const { world, engine, states } = await selling();
  t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 1']))), [0]);
  world.disk.faults.failedWrite = 1;
  const open = [engine.purchase(batch(1, 2, ['Tux 10', 'Nemo'])), engine.purchase(batch(1, 4, ['Tux 99', 'Fox']))];
  t.deepEqual(await world.run(Promise.all(open)), [
    [-4, -1],
    [-4, -4],
  ]);
  t.deepEqual(states, ['full']);
  t.deepEqual(stock(engine, 'Tux', 'Fox'), [99, 1]);
  t.deepEqual(await world.run(engine.purchase(batch(1, 6, ['Tux', 'Nemo']))), [-4, -1]);
  await t.throwsAsync(world.run(begin(engine, { incarnation: 1, sequence: 1 })), { code: 'NOT_JOURNALED' });

  world.disk.faults.failedWrite = 0;
  await world.sleep(2_000);
  t.deepEqual(states, ['full', 'selling']);
  t.deepEqual(await world.run(engine.purchase(batch(1, 8, ['Tux 99']))), [0], 'what was undone may be sold');
  world.kill();
  t.deepEqual(stock(await world.open(), 'Tux', 'Fox'), [0, 1]);
});

test('a purchase that was told "not selling" never sells, however late a copy of it comes', async (t) => {
  const { world, engine } = await selling();
  world.disk.faults.failedWrite = 1;
  const refused = batch(1, 1, ['Tux', 'Fox 2']);
  await world.run(engine.purchase(refused));
  await world.run(engine.purchase(batch(1, 3, ['Tux'])));
  world.disk.faults.failedWrite = 0;
  await world.sleep(2_000);
  t.deepEqual(await world.run(engine.purchase(refused)), [-4, -4]);
  t.deepEqual(await world.run(engine.purchase(batch(1, 3, ['Tux']))), [-4]);
  t.deepEqual(stock(engine, 'Tux'), [100]);
});

test('a copy that waits with the failed write still hears of a sale that was on the disk before', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 7'])));
  world.disk.faults.failedWrite = 1;
  t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 7', 'Tux 8']))), [0, -4]);
});

test('a full disk stops the sale, and room on it starts it again; catalog.csv comes after', async (t) => {
  // The journal begins anew after each checkpoint: then it has no blocks ahead, which would take more sales.
  const { world, engine, states } = await selling({ journalBytesMax: 1 });
  t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 10']))), [0]);
  await world.sleep(2_000);
  world.disk.faults.capacityBytes = 0;
  t.deepEqual(await world.run(engine.purchase(batch(1, 2, ['Tux 1']))), [-4]);
  await world.sleep(5_000);
  t.deepEqual(states, ['full']);
  world.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  await world.sleep(2_000);
  t.deepEqual(await world.run(engine.purchase(batch(1, 3, ['Tux 2']))), [0]);
  await world.sleep(2_000);
  t.regex(world.csv(), /^Tux,15.99,88$/m);
});

test('a catalog.csv that cannot be written is tried again; the sale goes on', async (t) => {
  const world = new EngineWorld();
  const errors: string[] = [];
  const log = { info: () => undefined, warn: () => undefined, error: (message: string) => errors.push(message) };
  const engine = await world.open({ log });
  await world.run(begin(engine));
  world.refusedPath = `${CSV}.new`;
  t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 1']))), [0]);
  await world.sleep(3_000);
  t.true(errors.length >= 2 && errors.length <= 4, 'once a second, not without a pause');
  t.is(errors[0], 'catalog.csv could not be written; it is tried again');
  await t.throwsAsync(world.run(engine.checkpoint()), { code: 'WRITE_FAILED' });
  t.deepEqual(await world.run(engine.purchase(batch(1, 2, ['Tux 1']))), [0]);
  world.refusedPath = undefined;
  await world.sleep(3_000);
  t.regex(world.csv(), /^Tux,15.99,98$/m);
});

test('after a failed sync nothing is confirmed or denied, queries go on, and a restart tells', async (t) => {
  const { world, engine, states } = await selling();
  t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 1']))), [0]);
  world.disk.faults.failedSync = 1;
  await t.throwsAsync(world.run(engine.purchase(batch(1, 2, ['Tux 2']))), { code: 'NOT_JOURNALED' });
  world.disk.faults.failedSync = 0;
  await world.sleep(5_000);
  t.deepEqual(states, ['failed']);
  await t.throwsAsync(world.run(engine.purchase(batch(1, 2, ['Tux 2']))), { code: 'NOT_JOURNALED' });
  await t.throwsAsync(world.run(begin(engine, { incarnation: 1, sequence: 1 })), { code: 'NOT_JOURNALED' });
  t.deepEqual(stock(engine, 'Tux'), [99]);
  const journal = world.disk.content(JOURNAL);
  await t.throwsAsync(world.run(engine.close()), { code: 'SYNC_FAILED' });
  t.deepEqual(world.disk.content(JOURNAL), journal, 'a close writes nothing any more');

  const again = await world.open();
  t.true([99, 97].includes(stock(again, 'Tux')[0]!));
  t.deepEqual(await world.run(again.purchase(batch(1, 2, ['Tux 2']))), [0]);
  t.deepEqual(stock(again, 'Tux'), [97]);
});

test('a close on a full disk says so, and leaves to the journal what catalog.csv lacks', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 1'])));
  world.disk.faults.failedWrite = 1;
  await t.throwsAsync(world.run(engine.close()), { code: 'WRITE_FAILED' });
  t.regex(world.csv(), /^Tux,15.99,100$/m);
  world.disk.faults.failedWrite = 0;
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux'), [99]);
});

for (const before of ['nothing', 'a clean stop'] as const) {
  test(`opened on a disk without room, after ${before}: toys are found; they are sold when there is room`, async (t) => {
    const world = new EngineWorld();
    if (before === 'a clean stop') await world.run((await world.open()).close());
    const errors: string[] = [];
    const states: string[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (message: string) => errors.push(message) };
    world.disk.faults.capacityBytes = 0;
    const engine = await world.open({ log, onState: (state) => states.push(state) });
    t.is(engine.state, 'full');
    t.deepEqual(stock(engine, 'Tux', 'Fox'), [100, 1]);
    await t.throwsAsync(world.run(begin(engine)), { code: 'NOT_JOURNALED' });
    await world.sleep(5_000);
    const said = errors.filter(
      (line) => line === 'the files in /data cannot be written: nothing is sold until they can',
    );
    t.is(said.length, 1, 'said once');

    world.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
    await world.sleep(2_000);
    t.is(engine.state, 'selling');
    t.is(states.at(-1), 'selling');
    await world.run(begin(engine));
    t.deepEqual(await world.run(engine.purchase(batch(1, 1, ['Tux 10']))), [0]);
    world.kill();
    t.deepEqual(stock(await world.open(), 'Tux'), [90]);
  });
}

test('closed on a disk that never had room: said, and the next start begins as if this one had not been', async (t) => {
  const world = new EngineWorld();
  world.disk.faults.capacityBytes = 0;
  const engine = await world.open();
  await t.throwsAsync(world.run(engine.close()), { code: 'WRITE_FAILED' });
  world.disk.faults.capacityBytes = Number.POSITIVE_INFINITY;
  const again = await world.open();
  await world.run(begin(again));
  t.deepEqual(await world.run(again.purchase(batch(1, 1, ['Tux 10']))), [0]);
});
