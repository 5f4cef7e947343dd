import test from 'ava';
import { type Purchase, Seller } from './seller.js';

const NOTHING_LOGGED = { incarnation: 0, sequence: 0 };

/** Purchases of one toy each. */
function one(incarnation: number, sequence: number): Purchase {
  return { incarnation, sequence, quantity: 1 };
}

test('a purchase that is sent again is sold once', (t) => {
  const seller = new Seller(10);
  const { incarnation } = seller.recover(NOTHING_LOGGED);
  t.deepEqual(
    [1, 1, 2, 1].map((sequence) => seller.purchase(one(incarnation, sequence))),
    ['sold', 'sold', 'sold', 'sold'],
  );
  t.is(seller.stock, 8);
});

test('one that was sold out stays sold out under its tag, even when there is stock again', (t) => {
  const seller = new Seller(0);
  const { incarnation } = seller.recover(NOTHING_LOGGED);
  t.is(seller.purchase(one(incarnation, 1)), 'sold out');
  seller.stock = 5;
  t.is(seller.purchase(one(incarnation, 1)), 'sold out');
  t.is(seller.purchase(one(incarnation, 2)), 'sold');
});

test('a new start is told of the sales that it does not know, and its own tags begin at 1', (t) => {
  const seller = new Seller(10);
  const first = seller.recover(NOTHING_LOGGED).incarnation;
  for (const sequence of [1, 2, 3]) seller.purchase(one(first, sequence));
  const { incarnation, sales } = seller.recover({ incarnation: first, sequence: 1 });
  t.deepEqual(sales, [one(first, 2), one(first, 3)]);
  t.is(seller.purchase(one(incarnation, 1)), 'sold');
  t.is(seller.stock, 6);
});

test('sales of several starts, none of which came to write them down', (t) => {
  const seller = new Seller(10);
  const first = seller.recover(NOTHING_LOGGED).incarnation;
  seller.purchase(one(first, 1));
  const second = seller.recover(NOTHING_LOGGED).incarnation;
  seller.purchase(one(second, 1));
  t.deepEqual(seller.recover(NOTHING_LOGGED).sales, [one(first, 1), one(second, 1)]);
  t.deepEqual(seller.recover({ incarnation: first, sequence: 1 }).sales, [one(second, 1)]);
});

test('a message that was still on its way when its sender died sells nothing: nobody would write it down', (t) => {
  const seller = new Seller(10);
  const { incarnation } = seller.recover(NOTHING_LOGGED);
  const { sales } = seller.recover(NOTHING_LOGGED);
  t.is(seller.purchase(one(incarnation, 1)), 'refused');
  t.deepEqual(sales, []);
  t.is(seller.stock, 10);
});
