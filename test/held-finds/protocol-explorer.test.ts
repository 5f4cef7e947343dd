// Every schedule of a few queries and sales through the protocol by which front ends hold toys; and that the explorer
// sees mistakes.

import test from 'ava';
import { testCases } from './explorer/case-tests.js';
import type { Case } from './explorer/explored-case.js';
import type { Mistake } from './explorer/mistakes.js';
import { explore } from './explorer/protocol-explorer.js';

const KILLED_HELD: Case = { fronts: [[1]], isPrimed: true, sales: 1, crashes: 1 };

const cases: Record<string, Case> = {
  'a front end that comes to hold a toy': { fronts: [[3]], sales: 2, connects: 1 },
  'one that comes to hold two toys that share a word': { toys: 2, fronts: [[3]], sales: 1, connects: 1 },
  'two front ends that hold a toy': { fronts: [[1], []], isPrimed: true, sales: 1, calls: 1 },
  'leases of two ticks': { fronts: [[2]], isPrimed: true, sales: 1, renewals: 1, lease: 2 },
  'a stream that is cut': { fronts: [[1]], isPrimed: true, sales: 1, cuts: 1, connects: 1 },
  'a catalog that is killed twice': { ...KILLED_HELD, crashes: 2 },
  'a catalog that is stopped and started': { fronts: [[1]], isPrimed: true, sales: 1, stops: 1, connects: 1 },
  'a front end that stops': { fronts: [[1]], isPrimed: true, sales: 1, goodbyes: 1, renewals: 1 },
  'a front end that is killed': { fronts: [[1]], isPrimed: true, sales: 1, frontKills: 1, connects: 1 },
};

/** Up to a hundred thousand states each, and close to others above: half a minute for all of them. */
const largeCases: Record<string, Case> = {
  'two threads of one front end': { fronts: [[1, 1]], isPrimed: true, sales: 1, renewals: 1 },
  'leases of two ticks that are renewed twice': { fronts: [[2]], isPrimed: true, sales: 1, renewals: 2, lease: 2 },
  'a stream that is cut, and two queries': { fronts: [[2]], isPrimed: true, sales: 1, cuts: 1, connects: 1 },
  'a catalog that is killed, and two queries': { fronts: [[2]], isPrimed: true, sales: 1, crashes: 1, connects: 1 },
  'a catalog that is killed, and connected to again': { ...KILLED_HELD, connects: 1 },
  'a catalog that is stopped and started, and two queries': {
    fronts: [[2]],
    isPrimed: true,
    sales: 1,
    stops: 1,
    connects: 1,
  },
  'a front end that stops, and two queries': { fronts: [[2]], isPrimed: true, sales: 1, goodbyes: 1, renewals: 1 },
  'a front end that is killed, and two queries': {
    fronts: [[2]],
    isPrimed: true,
    sales: 1,
    frontKills: 1,
    connects: 1,
  },
  'leases that are over': { fronts: [[2]], isPrimed: true, sales: 1, connects: 1, renewals: 1 },
  'a catalog that is killed, and asked by somebody else': { ...KILLED_HELD, calls: 1, connects: 1 },
};

testCases(cases, largeCases);

const HELD: Case = { fronts: [[2]], sales: 1, calls: 1, connects: 1 };
const REGISTERED_AGAIN: Case = { fronts: [[2]], sales: 1, calls: 1, connects: 2 };
const KILLED: Case = { fronts: [[1]], isPrimed: true, sales: 1, calls: 1, crashes: 1 };

const mistakes: Record<Mistake, Case> = {
  'the generation is noted after asking': HELD,
  'the generation is looked at before the lease': REGISTERED_AGAIN,
  'a toy that is held sets the word that it shares to what it was': { toys: 2, fronts: [[3]], sales: 1, connects: 1 },
  'a lease is counted from the receipt of its renewal': HELD,
  'confirmed before all threads see the generation': HELD,
  'what is held is kept over a new registration': REGISTERED_AGAIN,
  'the lease begins before the generation is counted up': { fronts: [[2]], isPrimed: true, sales: 1, connects: 1 },
  'the number of an earlier registration goes with a new generation': { ...REGISTERED_AGAIN, calls: 0, cuts: 1 },
  'goodbye is said before the lease is given up': { ...HELD, goodbyes: 1 },
  'a bit is set outside the lock': HELD,
  'an order is answered before the confirmation': HELD,
  'a sale is shown before it is in the journal': HELD,
  'held while in between': HELD,
  'a later sale is shown before an earlier one': { fronts: [[1]], isPrimed: true, sales: 2 },
  'a number of before the restart is believed': { ...REGISTERED_AGAIN, calls: 0, stops: 1 },
  'leases are forgotten at a restart': KILLED,
  'an unsure toy is shown as the journal has it': KILLED,
  'an unsure toy is shown as it was before': KILLED,
  'orders of before the restart are answered at once': KILLED,
  'a holder whose stream ends is not waited for': { ...HELD, cuts: 1 },
  'a clean stop does not wait for confirmations': { fronts: [[1]], isPrimed: true, sales: 1, stops: 1 },
  'one that is told nothing any more is renewed': { fronts: [[1]], isPrimed: true, sales: 1, renewals: 1 },
};

for (const [mistake, explored] of Object.entries(mistakes) as [Mistake, Case][]) {
  test(`the explorer sees a mistake: ${mistake}`, (t) => {
    const { violation } = explore(explored, [mistake]);
    t.not(violation, undefined);
    t.log(`${violation?.what}:\n${violation?.trace.join('\n')}`);
  });
}
