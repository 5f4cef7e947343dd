import test from 'ava';
import fc from 'fast-check';
import { OrderError } from '../../src/order/order-error.js';
import { decodeRecord, encodeHead, encodeOrders, RECORD_ORDERS_MAX } from '../../src/order/order-record.js';
import type { SoldOrder } from '../../src/order/order-types.js';

const order: fc.Arbitrary<SoldOrder> = fc.record({
  tag: fc.record({ incarnation: fc.integer({ min: 1, max: 3 }), sequence: fc.integer({ min: 1, max: 2 ** 53 - 1 }) }),
  name: fc.string({ minLength: 1, maxLength: 16, unit: fc.constantFrom('T', 'ü', '🐻', '\n') }),
  quantity: fc.integer({ min: 1, max: 0xffff_ffff }),
  key: fc.string({ maxLength: 64, unit: fc.constantFrom('!', 'k', '~') }),
  transient: fc.boolean(),
});

test('orders come back as they were, in records of one incarnation each', (t) => {
  const check = fc.property(fc.array(order, { minLength: 1, maxLength: 20 }), fc.nat(), (orders, firstNumber) => {
    const groups = encodeOrders(orders, firstNumber, 1_234_567.5).map((payload) => {
      const record = decodeRecord(payload);
      if (record.kind !== 'orders') throw new Error('not a record of orders');
      return record.group;
    });
    t.deepEqual(
      groups.flatMap((group) => group.orders),
      orders,
    );
    let number = firstNumber;
    for (const group of groups) {
      t.is(group.firstNumber, number);
      t.is(group.orderedAtMs, 1_234_567.5);
      t.is(new Set(group.orders.map(({ tag }) => tag.incarnation)).size, 1);
      number += group.orders.length;
    }
  });
  t.notThrows(() => fc.assert(check));
});

test('a large group takes several records', (t) => {
  const one = {
    tag: { incarnation: 1, sequence: 1 },
    name: 'n'.repeat(64),
    quantity: 1,
    key: 'k'.repeat(64),
    transient: false,
  };
  const records = encodeOrders(new Array(2 * RECORD_ORDERS_MAX + 1).fill(one), 0, 0);
  t.is(records.length, 3);
  t.true(records.every((record) => record.length < 100_000));
});

test('a head comes back as it was', (t) => {
  const head = {
    csvBytes: 2 ** 40,
    csvChecksum: 0xffff_ffff,
    orderCount: 2 ** 33,
    lastTag: { incarnation: 0xffff_ffff, sequence: 2 ** 50 },
  };
  t.deepEqual(decodeRecord(encodeHead(head)), { kind: 'head', head });
});

const good = encodeOrders(
  [{ tag: { incarnation: 1, sequence: 1 }, name: 'Tux', quantity: 1, key: 'k', transient: false }],
  0,
  0,
)[0]!;

const bad: [string, Buffer][] = [
  ['empty', Buffer.alloc(0)],
  ['of a kind that nobody knows', Buffer.from([9, 1, 2, 3])],
  ['a head of another version', Buffer.concat([Buffer.from([1, 99]), Buffer.alloc(32)])],
  ['a head cut short', Buffer.from([1, 1, 0])],
  ['orders cut short', good.subarray(0, -1)],
  ['orders cut short within the first fields', good.subarray(0, 10)],
  ['orders with a byte too many', Buffer.concat([good, Buffer.alloc(1)])],
];

for (const [name, payload] of bad) {
  test(`decodeRecord() refuses a record ${name}`, (t) => {
    t.like(
      t.throws(() => decodeRecord(payload), { instanceOf: OrderError }),
      { code: 'CORRUPT' },
    );
  });
}
