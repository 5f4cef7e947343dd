// The checker itself: small histories that are right or wrong for one reason each, and all kinds of small ones against
// a search that simply tries every order.

import test from 'ava';
import fc from 'fast-check';
import { runs } from '../support/effort.js';
import { checkStockHistory } from './stock-checker.js';
import { NEVER, type Operation, StockHistory } from './stock-history.js';

/** `2 sold 0-3`: buys 2, called at 0, answered at 3; `shows 5 1-2`; `2 open 4-` has no answer. */
function parse(text: string): Operation {
  const [first = '', second = '', range = ''] = text.split(' ');
  const [calledAt, answered] = range.split('-');
  const times = { calledAt: Number(calledAt), answeredAt: answered === '' ? NEVER : Number(answered) };
  if (first === 'shows') return { kind: 'read', outcome: 'shown', stock: Number(second), ...times };
  return { kind: 'buy', quantity: Number(first), outcome: second as 'sold' | 'refused' | 'open', ...times };
}

const right: [why: string, initial: number, operations: string[]][] = [
  ['nothing happened', 3, []],
  ['one after the other', 3, ['1 sold 0-1', 'shows 2 2-3', '2 sold 4-5', 'shows 0 6-7', '1 refused 8-9']],
  ['exactly the stock left is sold', 3, ['3 sold 0-1', 'shows 0 2-3']],
  ['a read during a purchase shows the stock before it', 3, ['1 sold 0-3', 'shows 3 1-2']],
  ['a read during a purchase shows the stock after it', 3, ['1 sold 0-3', 'shows 2 1-2']],
  ['reads during two purchases see them in one order', 9, ['1 sold 0-9', '2 sold 1-8', 'shows 7 2-3', 'shows 6 4-5']],
  ['a refusal during the purchase that takes the rest', 1, ['1 sold 0-3', '1 refused 1-2']],
  ['an open purchase that took effect', 3, ['2 open 0-', 'shows 1 1-2']],
  ['an open purchase that did not', 3, ['2 open 0-', 'shows 3 1-2', '3 sold 3-4']],
  ['an open purchase that took effect late', 3, ['2 open 0-', 'shows 3 1-2', 'shows 1 3-4']],
  ['one of two open purchases explains a refusal', 4, ['2 open 0-', '3 open 1-', '2 refused 2-3', 'shows 1 4-5']],
  [
    'an early answer needs the purchase that came later',
    9,
    ['1 sold 0-9', '1 sold 1-2', 'shows 8 3-4', 'shows 7 10-11'],
  ],
];

const wrong: [why: string, initial: number, operations: string[], problem: RegExp][] = [
  ['a read of stock that was sold before', 3, ['1 sold 0-1', 'shows 3 2-3'], /^read → 3 /],
  ['a read of less than is left', 3, ['shows 2 0-1'], /^read → 2 /],
  ['more than there was is sold', 3, ['2 sold 0-3', '2 sold 1-4'], /^buy 2 → sold \[1, 4\]/],
  ['a refusal although there is enough', 3, ['3 refused 0-1'], /^buy 3 → refused/],
  ['a refusal although exactly that is left', 3, ['1 sold 0-1', '2 refused 2-3'], /stock before it was 2,/],
  ['a sale that is taken back', 3, ['1 sold 0-9', 'shows 2 1-2', 'shows 3 3-4'], /^read → 3 /],
  [
    'a sale that is taken back, seen by reads that overlap',
    3,
    ['1 open 0-', 'shows 2 1-3', 'shows 3 4-6'],
    /^read → 3 /,
  ],
  ['the same open purchase twice', 9, ['2 open 0-', 'shows 7 1-2', 'shows 5 3-4'], /^read → 5 /],
  [
    'two reads see two purchases in different orders',
    9,
    ['1 sold 0-9', '2 sold 1-8', 'shows 8 2-4', 'shows 7 3-5'],
    /read/,
  ],
  ['an open purchase before its call', 3, ['shows 2 0-1', '1 open 2-'], /^read → 2 /],
  ['a purchase sold twice', 9, ['2 sold 0-1', 'shows 5 2-3'], /under way beside it: nothing/],
];

for (const [why, initial, operations] of right) {
  test(`right: ${why}`, (t) => {
    t.deepEqual(checkStockHistory(initial, operations.map(parse)), { isLinearizable: true });
  });
}

for (const [why, initial, operations, problem] of wrong) {
  test(`wrong: ${why}`, (t) => {
    const verdict = checkStockHistory(initial, operations.map(parse));
    t.false(verdict.isLinearizable);
    if (!verdict.isLinearizable) t.regex(verdict.problem, problem);
  });
}

/** Tries every order of the operations that keeps to their times. */
function bruteForce(left: number, rest: readonly Operation[]): boolean {
  if (rest.every(({ answeredAt }) => answeredAt === NEVER)) return true;
  const firstAnswer = Math.min(...rest.map(({ answeredAt }) => answeredAt));
  return rest.some((operation) => {
    if (operation.calledAt > firstAnswer) return false;
    const others = rest.filter((other) => other !== operation);
    if (operation.kind === 'read') return operation.stock === left && bruteForce(left, others);
    const { outcome, quantity } = operation;
    if (outcome === 'refused') return quantity > left && bruteForce(left, others);
    return quantity <= left && bruteForce(left - quantity, others);
  });
}

const OPERATIONS_MAX = 7;

/** Few quantities and little stock, so that right and wrong histories are both common. */
const histories = fc
  .array(
    fc.record({
      kind: fc.constantFrom('sold', 'sold', 'refused', 'open', 'read', 'read'),
      quantity: fc.integer({ min: 1, max: 3 }),
      stock: fc.integer({ min: 0, max: 6 }),
      call: fc.nat({ max: 1000 }),
      length: fc.nat({ max: 700 }),
    }),
    { maxLength: OPERATIONS_MAX },
  )
  .map((draws) => {
    // Positions, not times: no two events at once.
    const times = draws.flatMap(({ call, length }, index) => [
      { index, isCall: true, at: call },
      { index, isCall: false, at: call + length },
    ]);
    times.sort((left, right) => left.at - right.at || Number(right.isCall) - Number(left.isCall));
    return draws.map(({ kind, quantity, stock }, index): Operation => {
      const calledAt = times.findIndex((time) => time.index === index && time.isCall);
      const answeredAt = times.findIndex((time) => time.index === index && !time.isCall);
      if (kind === 'read') return { kind, outcome: 'shown', stock, calledAt, answeredAt };
      const outcome = kind as 'sold' | 'refused' | 'open';
      return { kind: 'buy', quantity, outcome, calledAt, answeredAt: outcome === 'open' ? NEVER : answeredAt };
    });
  });

test('says the same as trying every order', (t) => {
  const counts = { right: 0, wrong: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), histories, (initial, operations) => {
      const expected = bruteForce(initial, operations);
      counts[expected ? 'right' : 'wrong']++;
      return checkStockHistory(initial, operations).isLinearizable === expected;
    }),
    { numRuns: runs(2_000) },
  );
  t.true(counts.right > 100 && counts.wrong > 100, JSON.stringify(counts));
});

test('a long history with many purchases under way, and ever more that stay open, is decided', (t) => {
  const history = new StockHistory(10_000);
  let sold = 0;
  for (let round = 0; round < 60; round++) {
    history.buy(1 + (round % 2));
    const quantities = Array.from({ length: 24 }, (_, index) => 1 + (index % 4));
    const purchases = quantities.map((quantity) => history.buy(quantity));
    history.read()(10_000 - sold - 20);
    for (const purchase of purchases) purchase.sold();
    sold += 60;
    history.read()(10_000 - sold);
  }
  t.deepEqual(checkStockHistory(10_000, history.operations()), { isLinearizable: true });
});

test('a history is recorded as it happened', (t) => {
  const history = new StockHistory(5);
  const first = history.buy(2);
  const look = history.read();
  first.sold();
  history.read();
  first.refused();
  look(3);
  history.buy(9);
  t.deepEqual(history.operations(), ['2 sold 0-2', 'shows 3 1-4', '9 open 5-'].map(parse));
});
