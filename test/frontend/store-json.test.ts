import test from 'ava';
import fc from 'fast-check';
import { orderJson, orderNumberJson, productJson } from '../../src/frontend/store-json.js';
import { priceText } from '../../src/store-contract.js';

const prices: [cents: number, text: string][] = [
  [0, '0'],
  [1, '0.01'],
  [10, '0.1'],
  [99, '0.99'],
  [100, '1'],
  [1599, '15.99'],
  [1950, '19.5'],
  [2005, '20.05'],
  [99_999_999_999, '999999999.99'],
];

for (const [cents, text] of prices) {
  test(`${cents} cents are ${text}`, (t) => t.is(priceText(cents), text));
}

test('a price is written as JSON would write it', (t) => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (cents) => priceText(cents) === JSON.stringify(Number((cents / 100).toFixed(2)))),
  );
  t.pass();
});

test('a product has its three fields in the order of the contract', (t) => {
  t.is(productJson('Tux', 1599, 100), '{"data":{"name":"Tux","price":15.99,"quantity":100}}');
});

test('any name survives JSON', (t) => {
  const name = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(name, fc.nat(), (any, quantity) => {
      t.deepEqual(JSON.parse(productJson(any, 1599, quantity)), { data: { name: any, price: 15.99, quantity } });
      t.deepEqual(JSON.parse(orderJson(7, any, quantity)), { data: { number: 7, name: any, quantity } });
    }),
  );
});

test('an order number is 0 for the first order', (t) => {
  t.is(orderNumberJson(0), '{"data":{"order_number":0}}');
});
