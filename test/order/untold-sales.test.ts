// Who may be told of sales that the catalog has left to a front end to show; and that everybody else waits for a recall.

import test from 'ava';
import { UntoldSales } from '../../src/order/untold-sales.js';
import type { PurchaseBatch } from '../../src/store-contract.js';
import { openShop, removeDirectories, TestCatalog } from './shop.js';

test.after.always(removeDirectories);

const HOLDER = 77;

function selling(): UntoldSales {
  const untold = new UntoldSales(0);
  untold.recovered();
  return untold;
}

test('sales are delegated from the fourth batch of one stream on, and to one stream alone', (t) => {
  const untold = selling();
  const left = [1, 1, 1, 1, 1, 2, 1].map((stream) => untold.leave(stream, 1, true, 0));
  t.deepEqual(left, ['neither', 'neither', 'neither', 'delegates', 'delegates', 'recalls', 'neither']);
  untold.recalled();
  t.is(untold.leave(1, 1, true, 0), 'neither', 'the streams have taken turns');
});

test('what waits behind a batch, or came by several streams, keeps its sales from being delegated', (t) => {
  const untold = selling();
  for (let batch = 0; batch < 4; batch++) untold.leave(1, 1, false, 0);
  t.is(untold.leave(1, 1, false, 0), 'neither');
  t.is(untold.leave(1, 65, true, 0), 'neither', 'a large batch');
  t.is(untold.leave(0, 1, true, 0), 'neither');
});

const others: [who: string, isToldTo: (untold: UntoldSales) => boolean, isTold: boolean][] = [
  ['the stream itself', (untold) => untold.isToldTo(1), true],
  ['another stream', (untold) => untold.isToldTo(2), false],
  ['a unary call', (untold) => untold.isToldTo(0), false],
  ['a look-up of an order of before', (untold) => untold.isTold(4), true],
  ['a look-up of the first that was delegated', (untold) => untold.isTold(5), false],
];

for (const [who, isToldTo, isTold] of others) {
  test(`while sales are delegated: ${who} ${isTold ? 'is told' : 'waits for a recall'}`, (t) => {
    const untold = selling();
    for (let batch = 0; batch < 4; batch++) untold.leave(1, 1, true, 5);
    t.is(isToldTo(untold), isTold);
    untold.recall();
    t.is(isToldTo(untold), isTold, 'until the recall is answered');
    untold.recalled();
    t.true(isToldTo(untold));
  });
}

test('the next message of the stream says that what was told before was shown', (t) => {
  const untold = selling();
  for (let batch = 0; batch < 4; batch++) untold.leave(1, 1, true, 5);
  untold.arrived(2, 9);
  t.false(untold.isTold(8));
  untold.arrived(1, 9);
  t.true(untold.isTold(8));
  t.false(untold.isTold(9));
});

test('after a start nobody knows what the last message of an earlier process has told', (t) => {
  const untold = new UntoldSales(5_000);
  const [newest, older] = [4_999, 5_000 - 65];
  t.deepEqual([untold.isTold(newest), untold.isTold(older)], [false, true]);
  t.deepEqual([untold.isBoundTold(newest), untold.isBoundTold(older)], [false, true]);
  t.true(untold.isToldTo(1), 'nothing can be sold, so nothing can become of an order');
  untold.recovered();
  t.true(untold.isTold(newest) && untold.isBoundTold(newest));
});

test('an order by another stream, a unary one and a look-up wait for one recall', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  const buy = (name: string, stream: number, key = '') =>
    shop.engine.place([{ name, quantity: 1, key, requestId: '' }], undefined, { stream, holder: stream && HOLDER });
  for (let order = 0; order < 4; order++) await buy('Tux', 1, order === 3 ? 'last' : '');
  const sent = (): Pick<PurchaseBatch<unknown>, 'holder' | 'recall'>[] =>
    catalog.all.map(({ holder, recall }) => ({ holder: holder ?? 0, recall: recall === true }));
  t.deepEqual(sent().at(-1), { holder: HOLDER, recall: false });
  catalog.hold();
  const waiting = [
    buy('Tux', 2).then(({ numbers }) => `order ${numbers[0]}`),
    buy('Tux', 0).then(({ numbers }) => `order ${numbers[0]}`),
    buy('Tux', 0, 'last').then(({ numbers }) => `the key's ${numbers[0]}`),
    shop.engine.get(3).then((order) => `looked up ${order?.number}`),
  ];
  const told: string[] = [];
  for (const each of waiting) void each.then((what) => told.push(what));
  t.is((await shop.engine.get(2))?.number, 2, 'what the stream has been told of before its last message');
  t.deepEqual(told, []);
  t.deepEqual(sent().slice(4), [{ holder: 0, recall: true }]);
  catalog.release();
  await Promise.all(waiting);
  t.deepEqual([...told].sort(), ['looked up 3', 'order 4', 'order 5', "the key's 3"]);
  t.true(
    sent()
      .slice(5)
      .every(({ holder, recall }) => holder === 0 && !recall),
  );
  await shop.close();
});

test('an order whose key somebody else waits for too is not delegated', async (t) => {
  const catalog = new TestCatalog();
  const shop = await openShop(catalog);
  const buy = (key: string, stream: number) =>
    shop.engine.place([{ name: 'Tux', quantity: 1, key, requestId: '' }], undefined, { stream, holder: HOLDER });
  for (let order = 0; order < 3; order++) await buy('', 1);
  const [one, other] = await Promise.all([buy('both', 1), buy('both', 2)]);
  t.deepEqual(one, other);
  const { holder, recall } = catalog.all.find(({ purchases }) => purchases[0]?.key === 'both')!;
  t.deepEqual([holder ?? 0, recall], [0, false]);
  await shop.close();
});
