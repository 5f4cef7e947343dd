// Files of a running store that people touch: log rotators, editors, sed -i, rm. What happens is noticed within a second and
// said, and no order that was answered is gone, whether the store is stopped or killed then.

import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import ava from 'ava';
import { touchesOf } from '../support/file-touches.js';
import { TouchedStore } from '../support/touched-store.js';

// One after the other: each starts up to five processes.
const test = ava.serial;

/** The contract: noticed within a second. */
const NOTICED_MS = 1000;

const touches: readonly { readonly command: string; readonly file: string }[] = [
  ...touchesOf('order/orders.csv').map((command) => ({ command, file: 'orders.csv' })),
  { command: 'mv catalog/journal catalog/journal.1', file: 'journal' },
  { command: 'rm catalog/catalog.csv', file: 'catalog.csv' },
  { command: 'sed -i s/100/1000/ catalog/catalog.csv', file: 'catalog.csv' },
];

for (const end of ['stop', 'kill'] as const) {
  test(`files are replaced, renamed, cut and removed while it sells, then a ${end}`, async (t) => {
    const store = await TouchedStore.create(t);
    t.is(await store.start(), '');
    t.deepEqual(await store.buy(3), [200, 200, 200]);
    for (const { command, file } of touches) {
      const before = store.linesAbout(file).length;
      store.shell(command);
      const touchedAtMs = Date.now();
      t.deepEqual(await store.buy(3), [200, 200, 200], command);
      await store.running.until(() => store.linesAbout(file).length > before, `a line about ${command}`);
      t.true(store.lastSaidMs(file) - touchedAtMs < NOTICED_MS, command);
    }
    // Nobody has looked at this one yet.
    store.shell("sed -i -e '' order/orders.csv");
    t.deepEqual(await store.buy(2), [200, 200]);
    await store[end]();
    t.is(await store.start(), '');
    await store.checkBooks();
    t.deepEqual(await store.buy(1), [200]);
    t.is(store.sold.size, 3 + 3 * touches.length + 2 + 1);
  });

  for (const command of ['rm -rf ../var', 'mv ../var ../elsewhere']) {
    test(`${command}, then a ${end}: nothing more is sold, and nothing that was answered is gone`, async (t) => {
      const store = await TouchedStore.create(t);
      await store.start();
      t.deepEqual(await store.buy(3), [200, 200, 200]);
      store.shell(command);
      await store.running.until(() => store.linesAbout('orders.csv').length > 0, 'a line about orders.csv');
      const deadline = performance.now() + NOTICED_MS;
      while ((await store.status('/readyz')) !== 503 && performance.now() < deadline) await pause(20);
      t.is(await store.status('/readyz'), 503);
      t.deepEqual(await store.buy(1), [503]);
      t.is(await store.status('/products/Tux'), 200);
      t.is(await store.status('/orders/0'), 200);
      await store[end]();
      // A catalog that was killed then has nothing left to sell from: that is a matter for a person.
      const line = await store.start();
      await store.checkOrders();
      t.true(line === '' || (end === 'kill' && /^not selling: .*put/.test(line)), line);
      if (line !== '') return;
      await store.checkBooks();
      t.deepEqual(await store.buy(1), [200]);
    });
  }
}

test('orders.csv as a symbolic link: it stays one, and what it leads to has all orders', async (t) => {
  const store = await TouchedStore.create(t);
  await store.start();
  await store.buy(1);
  await store.stop();
  store.shell('mv order/orders.csv ../real.csv && ln -s ../../real.csv order/orders.csv');
  t.is(await store.start(), '');
  t.deepEqual(await store.buy(1), [200]);
  store.shell("sed -i -e '' order/orders.csv");
  t.deepEqual(await store.buy(1), [200]);
  await store.running.until(() => store.linesAbout('orders.csv').length > 0, 'a line about orders.csv');
  await store.stop();
  const rows = (await readFile(join(store.parent, 'real.csv'), 'utf8')).trim().split('\n');
  t.is(rows.length, 1 + 3);
  t.is(await store.start(), '');
  await store.checkBooks();
});

test('an order log that was damaged after a clean stop: one line with the place; orders before it can be read', async (t) => {
  const store = await TouchedStore.create(t);
  await store.start();
  await store.buy(4);
  await store.stop();
  const path = join(store.dataDir, 'order/orders.csv');
  store.shell("sed -i '3s/,1,/,x,/' order/orders.csv");
  const damaged = await readFile(path, 'utf8');
  const line = await store.start();
  t.regex(line, /orders\.csv is damaged at byte \d+: row 3 has the quantity "x"/);
  t.deepEqual(await store.buy(1), [503]);
  t.is(await store.status('/orders/0'), 200);
  await store.kill();
  t.is(await readFile(path, 'utf8'), damaged, 'it is left as it was');
});

test('what somebody appends to the order log while it runs is not an order', async (t) => {
  const store = await TouchedStore.create(t);
  await store.start();
  await store.buy(1);
  await appendFile(join(store.dataDir, 'order/orders.csv'), '1,Tux,99,,,\n');
  t.deepEqual(await store.buy(2), [200, 200]);
  await store.stop();
  await store.start();
  await store.checkBooks();
});
