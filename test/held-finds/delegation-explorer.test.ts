// Every schedule of a few orders, queries and sales through the protocol by which toys are delegated to front ends; and
// that the explorer sees mistakes in it. Time stands still where no lease has to end: that leaves a tenth of the states.

import test from 'ava';
import { testCases } from './explorer/case-tests.js';
import type { Case } from './explorer/explored-case.js';
import type { DelegationMistake } from './explorer/mistakes.js';
import { explore } from './explorer/protocol-explorer.js';

const OWN = { front: 0, thread: 0 };
const OTHER_THREAD = { front: 0, thread: 1 };
const OTHER_FRONT = { front: 1, thread: 0 };
const UNARY = {};
const UNARY_OTHER_TOY = { toy: 1 };
const LOOK_UP = { kind: 'look-up', about: 0 } as const;
const NEXT_LOOK_UP = { kind: 'look-up', about: 1 } as const;
const REPEAT = { kind: 'repeat', about: 0 } as const;

/** Both threads of a front end hold the toy; the first orders it, the other is asked for it. */
const ORDER: Case = { fronts: [[0, 1]], isPrimed: true, sales: 0, orders: [OWN], isTimeStill: true };
const BOTH_FIND: Case = { ...ORDER, fronts: [[1, 1]] };
/** The thread that orders is asked for it too, and there is no other. */
const ONE_THREAD: Case = { ...ORDER, fronts: [[1]] };
const TWO_FRONTS: Case = { ...ORDER, fronts: [[1], [1]] };
/** Of two toys one is held. */
const TWO_TOYS: Case = { ...ORDER, toys: 2, primedToys: 1 };
/** The toy is delegated from the beginning, and the first thread holds it. */
const DELEGATED: Case = { ...ORDER, isDelegated: true };
/** Leases end, and a front end registers anew. */
const REGISTERED_AGAIN: Case = { ...ONE_THREAD, connects: 1, isTimeStill: false };

const cases: Record<string, Case> = {
  'an order, and a find of somebody else': { ...ORDER, calls: 1, isTimeStill: false },
  'an order, and a purchase without a tag': { ...BOTH_FIND, sales: 1 },
  'two orders of a thread, and a unary one': { ...ORDER, orders: [OWN, OWN, UNARY] },
  'orders of two threads': { ...ORDER, orders: [OWN, OTHER_THREAD] },
  'an order where another front end holds the toy': TWO_FRONTS,
  'an order, and a unary one of another toy': { ...TWO_TOYS, orders: [OWN, UNARY_OTHER_TOY], calls: 1 },
  'orders of two toys, and a look-up': { ...TWO_TOYS, orders: [OWN, { ...OWN, toy: 1 }], asks: [NEXT_LOOK_UP] },
  'two look-ups, and the key sent by another': { ...ORDER, asks: [LOOK_UP, LOOK_UP, REPEAT] },
  'orders of two threads, and a key sent by another': { ...ORDER, orders: [OWN, OTHER_THREAD], asks: [REPEAT] },
  'an order service that is killed': { ...ORDER, restarts: 1, asks: [LOOK_UP, REPEAT] },
  'a link to the catalog that breaks': { ...ORDER, linkCuts: 1, orders: [OWN, OTHER_THREAD] },
  'a stream to the order service that breaks': { ...ORDER, streamCuts: 1, asks: [LOOK_UP] },
  'the last one in stock': { ...ORDER, stock: 1, sales: 1, orders: [OWN, OTHER_THREAD] },
  'a front end that comes to hold the toy': { fronts: [[2]], sales: 0, connects: 1, orders: [OWN], isTimeStill: true },
  'a front end that stops': { ...ONE_THREAD, goodbyes: 1, calls: 1 },
  'a delegated toy, two finds and a sale': { ...DELEGATED, fronts: [[2]], sales: 1, calls: 1 },
  'a delegated toy, and another thread': { ...DELEGATED, fronts: [[1, 1]] },
};

/** Up to a hundred thousand states each: a minute for all of them. */
const largeCases: Record<string, Case> = {
  'orders of two threads, which are both asked': { ...BOTH_FIND, orders: [OWN, OTHER_THREAD] },
  'orders of two front ends': { ...TWO_FRONTS, orders: [OWN, OTHER_FRONT] },
  'three orders of two threads': { ...ORDER, orders: [OWN, OTHER_THREAD, OWN] },
  'three look-ups of two orders': { ...ORDER, orders: [OWN, OWN], asks: [LOOK_UP, NEXT_LOOK_UP, LOOK_UP] },
  'an order service that is killed, and leases that end': {
    ...ORDER,
    restarts: 1,
    asks: [LOOK_UP],
    isTimeStill: false,
  },
  'two orders, and a stream that breaks': { ...ORDER, streamCuts: 1, orders: [OWN, OWN], asks: [LOOK_UP] },
  'the last two in stock': { ...ORDER, stock: 2, sales: 1, orders: [OWN, OWN, UNARY] },
  'a catalog that is killed': { ...ORDER, crashes: 1, calls: 1, isTimeStill: false },
  'a catalog that is killed, and a look-up': { ...ORDER, crashes: 1, asks: [LOOK_UP], isTimeStill: false },
  'a catalog and an order service that are killed': { ...ORDER, crashes: 1, restarts: 1, isTimeStill: false },
  'a catalog that is stopped and started': { ...ONE_THREAD, stops: 1, calls: 1, connects: 1 },
  'a front end that registers again': { ...REGISTERED_AGAIN, cuts: 1 },
  'a front end that registers again with a new catalog': { ...REGISTERED_AGAIN, crashes: 1 },
  'a front end that comes to hold the toy, and a sale': {
    fronts: [[2]],
    sales: 1,
    connects: 1,
    orders: [OWN],
    isTimeStill: true,
  },
  'a front end that is killed': { ...ORDER, frontKills: 1, calls: 1, isTimeStill: false },
  'a delegated toy, and another front end': { ...DELEGATED, fronts: [[1], [2]], orders: [OWN, OTHER_FRONT] },
  'a delegated toy, another thread and a sale': { ...DELEGATED, fronts: [[1, 2]], sales: 1 },
  'a delegated toy, and two orders': { ...DELEGATED, fronts: [[1]], sales: 1, calls: 1, orders: [OWN, OWN] },
};

testCases(cases, largeCases);

/** A query shows one version, and a newer one was known when it began. */
function stale(shown: number, known: number): string {
  return `stale: a query shows version ${shown}, and ${known} was known when it began`;
}

const mistakes: Record<DelegationMistake, readonly [Case, string]> = {
  'a sale is delegated although somebody else holds its toy': [{ ...ORDER, fronts: [[0], [1]] }, stale(0, 1)],
  'a sale is delegated while its toy is recalled': [{ ...DELEGATED, fronts: [[1]], sales: 1, calls: 1 }, stale(1, 2)],
  'a toy is delegated no more once its recall is sent': [{ ...ORDER, calls: 1 }, stale(0, 1)],
  'a find of the own front end is answered without a recall': [{ ...DELEGATED, fronts: [[1, 1]] }, stale(0, 1)],
  'Recover is answered without a recall': [{ ...ORDER, restarts: 1, asks: [LOOK_UP] }, stale(0, 1)],
  'a repeat of a tag is answered without a recall': [{ ...ORDER, linkCuts: 1 }, stale(0, 1)],
  'a refusal for lack of stock is answered without a recall': [{ ...ORDER, stock: 1, sales: 1 }, stale(0, 1)],
  'what is delegated is settled': [{ ...ORDER, crashes: 1, calls: 1, isTimeStill: false }, stale(0, 1)],
  'an order by another stream is answered without a recall': [
    { ...TWO_TOYS, orders: [OWN, UNARY_OTHER_TOY] },
    stale(0, 1),
  ],
  'an order is looked up without a recall': [{ ...ORDER, asks: [LOOK_UP] }, stale(0, 1)],
  'a key that another sends again is answered without a recall': [{ ...ORDER, asks: [REPEAT] }, stale(0, 1)],
  'a look-up behind a recall is answered at once': [{ ...ORDER, asks: [LOOK_UP, LOOK_UP] }, stale(0, 1)],
  'a new stream of a thread counts as the one before': [{ ...ORDER, streamCuts: 1 }, stale(0, 1)],
  'a thread sends its next message before it has the answer to the one before': [
    { ...ORDER, orders: [OWN, OWN], asks: [LOOK_UP] },
    stale(0, 1),
  ],
  'the customer is told before the generation is counted up': [ORDER, stale(0, 1)],
  'an answer for which nobody waits any more is thrown away': [
    { ...TWO_TOYS, orders: [OWN, { ...OWN, toy: 1 }] },
    stale(0, 1),
  ],
  'what is left is held although something else was invalidated': [{ ...ONE_THREAD, sales: 1, calls: 1 }, stale(1, 2)],
};

for (const [mistake, [explored, what]] of Object.entries(mistakes) as [DelegationMistake, [Case, string]][]) {
  test(`the explorer sees a mistake: ${mistake}`, (t) => {
    const { violation } = explore(explored, [mistake]);
    t.is(violation?.what, what);
    t.log(`${violation?.what}:\n${violation?.trace.join('\n')}`);
  });
}
