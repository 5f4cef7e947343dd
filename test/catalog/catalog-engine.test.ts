// CatalogEngine on a simulated disk: finding, selling, tags, recovery, and when catalog.csv is the truth.

import test from 'ava';
import { BATCH_PURCHASES_MAX, TAG_WINDOW } from '../../src/catalog/catalog-limits.js';
import { batch, begin, CSV, EngineWorld, JOURNAL, stock } from './engine-fixture.js';

async function selling() {
  const world = new EngineWorld();
  const engine = await world.open();
  await world.run(begin(engine));
  return { world, engine };
}

test('toys are found with price and quantity; unknown ones are not', async (t) => {
  const { engine } = await selling();
  const names = ['Whale', 'whale', 'Tux', ''].map((name) => Buffer.from(name));
  t.deepEqual(engine.find(names), {
    results: [0, -1, 0, -1],
    pricesCents: [1950, 0, 1599, 0],
    quantities: [100, 0, 100, 0],
    holdable: [],
    delegated: [],
  });
});

test('an unknown toy, more than the stock, the stock to the last, and one more', async (t) => {
  const { world, engine } = await selling();
  const outcomes = await world.run(engine.purchase(batch(1, 1, ['Nemo', 'Tux 101', 'Tux 100', 'Tux', 'Fox', 'Fox'])));
  t.deepEqual(outcomes, [-1, -2, 0, -2, 0, -2]);
  t.deepEqual(stock(engine, 'Tux', 'Fox'), [0, 0]);
});

test('an incarnation is on the disk before anybody sells under it, also where the journal is synced seldom', async (t) => {
  const world = new EngineWorld();
  const incarnations: number[] = [];
  for (let life = 0; life < 3; life++) {
    const engine = await world.open({ syncMode: { periodMs: 1_000 } });
    // The first syncs of a new journal are over.
    await world.sleep(3_000);
    incarnations.push((await world.run(begin(engine))).incarnation);
    world.kill();
    world.disk.powerFailure();
  }
  // What may lack sales refuses the incarnation before, as if another had begun.
  t.deepEqual(incarnations, [1, 3, 5]);
});

test('a query shows nothing that is not on the disk', async (t) => {
  const { world, engine } = await selling();
  const sold = engine.purchase(batch(1, 1, ['Tux 40']));
  const syncs = world.disk.syncs;
  t.deepEqual(stock(engine, 'Tux'), [100]);
  t.deepEqual(await world.run(engine.purchase(batch(1, 2, ['Tux 61']))), [-2], 'what may be sold runs ahead');
  t.true(world.disk.syncs > syncs, 'the refusal rests on a sale that must be on the disk');
  t.deepEqual(await sold, [0]);
  t.deepEqual(stock(engine, 'Tux'), [60]);
});

test('a batch that is sent again gets the outcomes it got, refusals too, also in parts', async (t) => {
  const { world, engine } = await selling();
  const first = batch(1, 1, ['Fox', 'Fox', 'Nemo', 'Tux 2']);
  t.deepEqual(await world.run(Promise.all([engine.purchase(first), engine.purchase(first)])), [
    [0, -2, -1, 0],
    [0, -2, -1, 0],
  ]);
  t.deepEqual(await world.run(engine.purchase(batch(1, 3, ['Nemo', 'Tux 2', 'Tux 1']))), [-1, 0, 0]);
  t.deepEqual(stock(engine, 'Tux', 'Fox'), [97, 0]);
});

test('settled purchases and other incarnations are refused whole', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux'])));
  await world.run(engine.purchase(batch(1, 2, ['Tux'], 1)));
  await t.throwsAsync(engine.purchase(batch(1, 1, ['Tux', 'Tux', 'Tux'])), { code: 'SETTLED_TAG' });
  for (const incarnation of [0, 2]) {
    await t.throwsAsync(engine.purchase(batch(incarnation, 3, ['Tux'])), { code: 'FOREIGN_INCARNATION' });
  }
  const { incarnation } = await world.run(begin(engine, { incarnation: 1, sequence: 2 }));
  t.is(incarnation, 2);
  await t.throwsAsync(engine.purchase(batch(1, 3, ['Tux'])), { code: 'FOREIGN_INCARNATION' });
  t.deepEqual(await world.run(engine.purchase(batch(2, 1, ['Tux']))), [0]);
  t.deepEqual(stock(engine, 'Tux'), [97]);
});

test('purchases outside the window, or the limits, are refused and nothing is sold', async (t) => {
  const { engine } = await selling();
  await t.throwsAsync(engine.purchase(batch(1, TAG_WINDOW, ['Tux', 'Tux'])), { code: 'TAG_WINDOW' });
  const cases = [
    batch(1, 1, ['Tux 0']),
    batch(1, 1, new Array(BATCH_PURCHASES_MAX + 1).fill('Tux')),
    batch(1, 5, ['Tux'], 5),
    ...['k'.repeat(65), 'two words', 'k\n', 'ключ'].map((key) => ({
      ...batch(1, 1, []),
      purchases: [{ name: Buffer.from('Tux'), quantity: 1, key }],
    })),
  ];
  for (const each of cases) await t.throwsAsync(engine.purchase(each), { code: 'BAD_PURCHASE' });
  t.deepEqual(stock(engine, 'Tux'), [100]);
  t.deepEqual(await engine.purchase(batch(1, 1, [])), []);
});

test('a purchase without a tag sells, and is nothing that recovery tells', async (t) => {
  const { world, engine } = await selling();
  t.is(await world.run(engine.purchaseUntagged(Buffer.from('Tux'), 100)), 0);
  t.is(await world.run(engine.purchaseUntagged(Buffer.from('Tux'), 1)), -2);
  t.is(await world.run(engine.purchaseUntagged(Buffer.from('x'.repeat(500)), 1)), -1);
  world.kill();
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux'), [0]);
  t.deepEqual((await world.run(begin(again))).sales, []);
});

test('after a kill the stock is what was answered, and recovery tells the sales after the logged one', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 5', 'Nemo', 'Whale 2'])));
  await world.run(engine.purchase(batch(1, 4, ['Tux 1'])));
  world.kill();
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux', 'Whale'), [94, 98]);
  t.deepEqual(await world.run(again.purchase(batch(1, 3, ['Whale 2', 'Tux 1', 'Tux 1']))), [0, 0, 0], 'tags are known');
  t.deepEqual(stock(again, 'Tux', 'Whale'), [93, 98]);
  const { incarnation, sales } = await world.run(begin(again, { incarnation: 1, sequence: 1 }));
  t.is(incarnation, 2);
  t.deepEqual(
    sales.map(({ incarnation, sequence, name, quantity, key }) => [incarnation, sequence, `${name}`, quantity, key]),
    [
      [1, 3, 'Whale', 2, 'key-3'],
      [1, 4, 'Tux', 1, 'key-4'],
      [1, 5, 'Tux', 1, 'key-5'],
    ],
  );
});

test('recovery tells a sale again until it is settled, also after a clean stop', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
  await world.run(begin(engine));
  await world.run(engine.close());
  const again = await world.open();
  const { incarnation, sales } = await world.run(begin(again));
  t.deepEqual(
    sales.map(({ sequence, quantity }) => [sequence, quantity]),
    [[1, 5]],
  );
  await world.run(again.purchase(batch(incarnation, 1, ['Tux'])));
  const afterwards = await world.run(begin(again));
  t.deepEqual(
    afterwards.sales.map((sale) => sale.incarnation),
    [1, incarnation],
    'a log that lost its end in a crash is given the settled ones too',
  );
});

test('catalog.csv follows within a moment of rest, and not before each sale', async (t) => {
  const { world, engine } = await selling();
  await world.sleep(2_000);
  await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
  t.regex(world.csv(), /^Tux,15.99,100$/m);
  await world.sleep(1_000);
  t.regex(world.csv(), /^Tux,15.99,95$/m);
  t.is(engine.stats().checkpoints, 1);
  world.kill();
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux'), [95]);
});

test('catalog.csv follows after a kill and a recovery too', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
  world.kill();
  t.regex(world.csv(), /^Tux,15.99,100$/m);
  await world.open();
  await world.sleep(1_000);
  t.regex(world.csv(), /^Tux,15.99,95$/m);
});

test('while sales go on without a pause, catalog.csv is written now and then', async (t) => {
  const { world, engine } = await selling();
  for (let sequence = 1; sequence <= 100; sequence++) {
    await world.run(engine.purchase(batch(1, sequence, ['Tux'], sequence - 1)));
    await world.sleep(50);
  }
  const { checkpoints } = engine.stats();
  t.true(checkpoints >= 3 && checkpoints <= 8, `${checkpoints} in about five seconds`);
});

test('a journal that has grown begins anew, with what is unsettled', async (t) => {
  const world = new EngineWorld();
  const engine = await world.open({ journalBytesMax: 2_000 });
  await world.run(begin(engine));
  for (let sequence = 1; sequence <= 60; sequence++) {
    await world.run(engine.purchase(batch(1, sequence, ['Tux'], sequence > 3 ? sequence - 3 : 0)));
  }
  const { bytes } = engine.stats().journal;
  t.true(bytes > 2_000);
  await world.run(engine.checkpoint());
  t.true(engine.stats().journal.bytes < bytes);
  await t.notThrowsAsync(world.run(engine.purchase(batch(1, 61, ['Whale'], 60))));
  world.kill();
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux'), [40]);
  const { sales } = await world.run(begin(again, { incarnation: 1, sequence: 58 }));
  t.deepEqual(
    sales.map(({ sequence }) => sequence),
    [59, 60, 61],
  );
});

test('after a clean stop catalog.csv is the truth, however it was edited', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
  await world.run(engine.close());
  t.is(world.csv(), 'name,price,quantity\nTux,15.99,95\nWhale,19.5,100\nFox,12.99,1\n');
  world.edit((csv) => csv.replace('Tux,15.99,95', 'Nemo,1,7\nTux,16,1000'));
  const again = await world.open();
  t.deepEqual(stock(again, 'Tux', 'Nemo', 'Fox'), [1000, 7, 1]);
  t.is((await world.run(begin(again))).sales.length, 1, 'the order service may still ask for what was sold');
});

test('after a clean stop without a sale the file is the seed, byte for byte', async (t) => {
  const seed = 'quantity,name,price,color\r\n7,"Tux",15.90,black\r\n';
  const world = new EngineWorld(seed);
  const engine = await world.open();
  await world.run(engine.close());
  t.is(world.csv(), seed);
});

test('a catalog.csv that was there before the first start wins over the seed', async (t) => {
  const world = new EngineWorld();
  world.disk.put(CSV, Buffer.from('name,price,quantity\nNemo,1,3\n'));
  t.deepEqual(stock(await world.open(), 'Nemo', 'Tux'), [3, 0]);
});

test('where nothing was sold since the start, an edit after a kill is the truth as well', async (t) => {
  const { world } = await selling();
  world.kill();
  world.editInPlace((csv) => csv.replace('Tux,15.99,100', 'Tux,15.99,5'));
  t.deepEqual(stock(await world.open(), 'Tux'), [5]);
});

for (const { name, change } of [
  {
    name: 'changed',
    change: (world: EngineWorld) => world.editInPlace((csv) => csv.replace('Fox,12.99,1', 'Fox,12.99,9')),
  },
  {
    name: 'missing',
    change: (world: EngineWorld) => {
      world.remove(CSV);
      world.remove('/data/.catalog.csv');
    },
  },
]) {
  test(`after a kill with sales in the journal, a catalog.csv that is ${name} stops the start and stays as it is`, async (t) => {
    const { world, engine } = await selling();
    await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
    world.kill();
    change(world);
    const before = [CSV, JOURNAL].map((path) => world.disk.content(path));
    const error = await t.throwsAsync(world.open(), { code: 'BAD_JOURNAL' });
    t.regex(error?.message ?? '', new RegExp(`^/data/catalog.csv: .*${name}.*put it back`));
    t.deepEqual(
      [CSV, JOURNAL].map((path) => world.disk.content(path)),
      before,
    );
  });
}

test('after a kill, a catalog.csv that was removed or replaced has its name back, and another one is kept beside', async (t) => {
  for (const change of ['removed', 'replaced']) {
    const { world, engine } = await selling();
    await world.run(engine.purchase(batch(1, 1, ['Tux 5'])));
    world.kill();
    if (change === 'removed') world.remove(CSV);
    else world.edit((csv) => csv.replace('Tux,15.99,100', 'Tux,15.99,7'));
    t.deepEqual(stock(await world.open(), 'Tux'), [95], change);
    t.is(world.disk.paths().includes(`${CSV}.replaced-1`), change === 'replaced');
  }
});

test('a broken catalog.csv stops the start and stays as it is', async (t) => {
  const world = new EngineWorld();
  const text = 'name,price,quantity\nTux,15.99,-1\n';
  world.disk.put(CSV, Buffer.from(text));
  const error = await t.throwsAsync(world.open(), { code: 'BAD_FILE' });
  t.regex(error?.message ?? '', /^\/data\/catalog.csv, line 2: quantity is "-1"/);
  t.is(world.csv(), text);
});

test('no seed and no catalog.csv: one line that says what to do', async (t) => {
  const world = new EngineWorld();
  const error = await t.throwsAsync(world.open({ seedPath: '/nowhere.csv' }), { code: 'BAD_FILE' });
  t.is(error?.message, '/nowhere.csv: no such file, and there is no /data/catalog.csv: set SEED_CSV');
});

test('a broken seed leaves the directory empty', async (t) => {
  const world = new EngineWorld('name,price\n');
  await t.throwsAsync(world.open(), { message: /^\/seed.csv, line 1: column quantity is missing/ });
  t.false(world.disk.paths().includes(CSV));
});

test('after the close nothing is sold, and queries still answer', async (t) => {
  const { world, engine } = await selling();
  await world.run(engine.close());
  await t.throwsAsync(engine.purchase(batch(1, 1, ['Tux'])), { code: 'STOPPED' });
  t.deepEqual(stock(engine, 'Tux'), [100]);
});
