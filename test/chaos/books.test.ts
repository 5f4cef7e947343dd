// The check of the books itself: right ones pass, and each way of being wrong is found and named.

import test from 'ava';
import { checkBooks, type OrderRow, type StoreBooks } from './books.js';
import { ChaosNotes, type Wish } from './chaos-notes.js';

const SHELF = [
  { name: 'Tux', stock: 10 },
  { name: 'Bear, brown', stock: 3 },
];

interface Case {
  rows: OrderRow[];
  filed: Map<string, number>;
  shown: Map<string, number>;
  wishes: Wish[];
}

/** Three orders, one of them without a key and without an answer, and a refusal. */
function rightBooks(): Case {
  return {
    rows: [
      { number: 0, name: 'Tux', quantity: 2, key: 'a' },
      { number: 1, name: 'Bear, brown', quantity: 3, key: 'front-1' },
      { number: 2, name: 'Tux', quantity: 1, key: 'front-2' },
    ],
    filed: new Map(Object.entries({ Tux: 7, 'Bear, brown': 0 })),
    shown: new Map(Object.entries({ Tux: 7, 'Bear, brown': 0 })),
    wishes: [
      { key: 'a', toy: 'Tux', quantity: 2, number: 0 },
      { key: undefined, toy: 'Bear, brown', quantity: 3, number: 1 },
      { key: undefined, toy: 'Tux', quantity: 1 },
      { key: 'b', toy: 'Bear, brown', quantity: 1, refusal: 409 },
      { key: undefined, toy: 'Tux', quantity: 4 },
    ],
  };
}

function check({ rows, filed, shown, wishes }: Case): string[] {
  const books: StoreBooks = { rows, filed, shown };
  return checkBooks(SHELF, books, { wishes });
}

test('right books', (t) => {
  t.deepEqual(check(rightBooks()), []);
  t.deepEqual(checkBooks(SHELF, { ...rightBooks(), shown: undefined }, rightBooks()), [], 'from the files alone');
});

const wrong: [what: string, spoil: (books: Case) => void, violation: RegExp][] = [
  ['a number left out', ({ rows }) => (rows[2] = { ...rows[2]!, number: 3 }), /^row 2 of orders.csv has number 3/],
  ['a number twice', ({ rows }) => (rows[2] = { ...rows[2]!, number: 1 }), /^row 2 of orders.csv has number 1/],
  ['an order lost', ({ rows }) => rows.pop(), /^Tux: 10 at first, the orders leave 8, but catalog.csv says 7/],
  ['stock lost in the file', ({ filed }) => filed.set('Tux', 6), /leave 7, but catalog.csv says 6/],
  ['stock lost in the answers', ({ shown }) => shown.set('Tux', 6), /leave 7, but a query shows 6/],
  ['a toy lost', ({ filed }) => filed.delete('Tux'), /catalog.csv says undefined/],
  [
    'more sold than there was',
    ({ rows }) => rows.push({ number: 3, name: 'Bear, brown', quantity: 1, key: 'front-3' }),
    /the orders leave -1: more was sold than there was/,
  ],
  [
    'a toy that the store does not have',
    ({ rows }) => rows.push({ number: 3, name: 'Yeti', quantity: 1, key: 'front-3' }),
    /^Yeti: in orders.csv, but not a toy/,
  ],
  ['a told number is missing', ({ wishes }) => (wishes[0]!.number = 9), /a \(2 of Tux\): given number 9, which is not/],
  [
    'a told number is another order',
    ({ wishes }) => (wishes[0]!.number = 1),
    /given number 1, which is 3 of Bear, brown for key "front-1"/,
  ],
  [
    'a number given to two',
    ({ wishes }) => (wishes[2]!.number = 0),
    /^number 0 was given to a .* and to an order without/,
  ],
  ['a number told under another key', ({ rows }) => (rows[0] = { ...rows[0]!, key: 'c' }), /number 0, .* for key "c"/],
  [
    'an order that nobody sent',
    ({ rows }) => rows.push({ number: 3, name: 'Tux', quantity: 3, key: 'c' }),
    /^3 of Tux without a key: 1 in orders.csv, but 0 buyers were given a number and 0 no answer/,
  ],
  [
    'a key twice',
    ({ rows }) => rows.push({ number: 3, name: 'Tux', quantity: 2, key: 'a' }),
    /^a: both order 0 and order 3/,
  ],
  [
    'a refused order in the log',
    ({ rows }) => rows.push({ number: 3, name: 'Bear, brown', quantity: 1, key: 'b' }),
    /^b \(1 of Bear, brown\): refused with 409, and is order 3/,
  ],
  [
    'another quantity than was wanted',
    ({ rows }) => (rows[0] = { ...rows[0]!, quantity: 3 }),
    /^a \(2 of Tux\): is order 0, 3 of Tux/,
  ],
  [
    'an open order twice',
    ({ rows }) => rows.push({ number: 3, name: 'Tux', quantity: 1, key: 'front-3' }),
    /^1 of Tux without a key: 2 in orders.csv, but 0 buyers were given a number and 1 no answer/,
  ],
  [
    'a retry of the front end that sold twice',
    ({ rows }) => rows.push({ number: 3, name: 'Tux', quantity: 4, key: 'front-2' }),
    /^front-2: both order 2 and order 3/,
  ],
  ['a told order without a key is lost', ({ rows }) => rows.splice(1, 1), /^3 of Bear, brown without a key: 0 in/],
];

for (const [what, spoil, violation] of wrong) {
  test(`wrong books: ${what}`, (t) => {
    const books = rightBooks();
    spoil(books);
    const found = check(books);
    t.true(
      found.some((sentence) => violation.test(sentence)),
      found.join('\n'),
    );
  });
}

test('answers that contradict each other need no books', (t) => {
  const notes = new ChaosNotes(SHELF);
  const twice = notes.wish('Tux', 1, 'a');
  notes.tellSold(twice, 4);
  notes.tellSold(twice, 4);
  t.deepEqual(notes.violations, []);
  notes.tellSold(twice, 5);
  notes.tellRefused(twice, 409);
  notes.tellRefused(notes.wish('Unicorn', 1, 'b'), 409);
  t.deepEqual(notes.violations, [
    'a (1 of Tux): given number 4, then 5',
    'a (1 of Tux): sold as 4, then refused with 409',
    'b (1 of Unicorn): answered with 409',
  ]);
});
