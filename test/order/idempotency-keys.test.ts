import test from 'ava';
import { IdempotencyKeys } from '../../src/order/keys/idempotency-keys.js';
import { KeyTable } from '../../src/order/keys/key-table.js';

const DAY_MS = 24 * 60 * 60 * 1000;

test('a key is found under its number, from its text or its bytes; others are not', (t) => {
  const keys = new IdempotencyKeys(7);
  keys.bind('cart-17', 3, 0);
  const row = Buffer.from('4,Tux,1," retry-18",');
  keys.bindBytes(row, 9, 18, 4, 0);
  t.deepEqual(keys.candidates('cart-17'), [3]);
  t.deepEqual(keys.candidates(' retry-18'), [4]);
  t.deepEqual(keys.candidates('cart-19'), []);
  t.like(keys.stats(), { customers: 1, madeUp: 1, forgottenEarly: 0 });
});

test('100,000 keys of customers and far more: each is found, nearly nothing is found in vain', (t) => {
  const keys = new IdempotencyKeys(1);
  const count = 300_000;
  for (let number = 0; number < count; number++) keys.bind(`key-${number}`, number, number);
  let missing = 0;
  for (let number = 0; number < count; number++) if (!keys.candidates(`key-${number}`).includes(number)) missing++;
  let inVain = 0;
  for (let number = 0; number < count; number++) inVain += keys.candidates(`other-${number}`).length;
  t.is(missing, 0);
  t.true(inVain < 200, `${inVain} of ${count} were found in vain; 21 are to be expected`);
});

test('the last 100,000 made-up keys are kept, and not many more than 500,000', (t) => {
  const keys = new IdempotencyKeys(1);
  const count = 1_000_000;
  for (let number = 0; number < count; number++) keys.bind(` f-${number}`, number, 0);
  for (let number = count - 100_000; number < count; number++) {
    if (!keys.candidates(` f-${number}`).includes(number)) return t.fail(`key ${number} is forgotten`);
  }
  t.true(keys.stats().madeUp <= 600_000);
  t.pass();
});

// 2^4 slots hold 12 keys.
const small = { slotBitsMax: 4, generationsMax: 4, keysMin: 10, ageMs: DAY_MS };

function find(table: KeyTable, fingerprint: number): number[] {
  const found: number[] = [];
  table.find(fingerprint, found);
  return found;
}

test('a generation is let go when all of it is old enough and enough keys remain', (t) => {
  const table = new KeyTable(small);
  for (let key = 1; key <= 24; key++) table.add(key, key, 0);
  t.is(table.count, 24);
  table.add(25, 25, DAY_MS - 1);
  t.is(table.count, 25, 'a third generation; the first is not old yet');
  for (let key = 26; key <= 36; key++) table.add(key, key, DAY_MS - 1);
  table.add(37, 37, DAY_MS);
  t.is(table.count, 13, 'the first two generations were let go');
  t.deepEqual(find(table, 24), []);
  t.deepEqual(find(table, 25), [25]);
  t.is(table.forgottenEarly, 0);
});

test('old keys stay while there are too few others', (t) => {
  const table = new KeyTable({ ...small, keysMin: 20 });
  for (let key = 1; key <= 24; key++) table.add(key, key, 0);
  table.add(25, 25, 10 * DAY_MS);
  t.is(table.count, 25, 'without the first generation 12 would be left');
});

test('the bound: the oldest generation goes early, and is counted', (t) => {
  const table = new KeyTable(small);
  for (let key = 1; key <= 49; key++) table.add(key, key, 0);
  t.is(table.count, 37);
  t.is(table.forgottenEarly, 12);
  t.deepEqual(find(table, 12), []);
  t.deepEqual(find(table, 13), [13]);
});

test('numbers beyond 32 bits, and far apart', (t) => {
  const table = new KeyTable(small);
  for (const number of [1, 2 ** 40, 2 ** 40 + 5, 2 ** 40 + 2 ** 33]) table.add(9, number, 0);
  t.deepEqual(find(table, 9), [1, 2 ** 40, 2 ** 40 + 5, 2 ** 40 + 2 ** 33]);
});
