// In which turn of the event loop a batch leaves, by who waits, who was answered, and who comes back when.

import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { Departure } from '../../src/rpc/departure.js';

/** Far more than any departure takes. */
const TURNS = 30;

interface Case {
  readonly what: string;
  readonly waiting: number;
  /** Callers answered now; undefined: a call came instead. */
  readonly answered?: number;
  /** Turns in which one more call comes. */
  readonly comesAt?: readonly number[];
  readonly batchItemsMax?: number;
  /** 0: at once; undefined: never. */
  readonly leavesAt: number | undefined;
}

const CASES: readonly Case[] = [
  { what: 'a call leaves in the next turn', waiting: 1, leavesAt: 1 },
  { what: 'a lone caller answered, nobody waiting: nothing leaves', waiting: 0, answered: 1, leavesAt: undefined },
  { what: 'a lone caller answered, one waiting: it is waited for', waiting: 1, answered: 1, comesAt: [4], leavesAt: 4 },
  { what: 'all answered are back', waiting: 0, answered: 3, comesAt: [1, 2, 5], leavesAt: 5 },
  { what: 'one does not come back', waiting: 0, answered: 3, comesAt: [1, 2], leavesAt: 8 },
  { what: 'nobody is left of those answered', waiting: 2, answered: 0, leavesAt: 1 },
  { what: 'a full batch waits already', waiting: 5, answered: 5, batchItemsMax: 5, leavesAt: 1 },
  { what: 'a batch becomes full', waiting: 3, answered: 4, comesAt: [2, 3], batchItemsMax: 5, leavesAt: 3 },
  { what: 'one item in a message: a call leaves at once', waiting: 1, batchItemsMax: 1, leavesAt: 0 },
  { what: 'one item in a message: who waits leaves at once', waiting: 2, answered: 1, batchItemsMax: 1, leavesAt: 0 },
];

for (const { what, waiting, answered, comesAt = [], batchItemsMax = 100, leavesAt } of CASES) {
  test(what, async (t) => {
    const queue = { callCount: waiting };
    let turn = 0;
    const left: number[] = [];
    const departure = new Departure(queue, batchItemsMax, () => left.push(turn));
    // Set up first, so that in each turn callers come before the departure looks.
    const takeTurn = (): void => {
      turn++;
      if (comesAt.includes(turn)) queue.callCount++;
      if (turn < TURNS) setImmediate(takeTurn);
    };
    setImmediate(takeTurn);
    if (answered === undefined) departure.soon();
    else departure.whenBack(answered);
    while (turn < TURNS) await nextTurn();
    t.deepEqual(left, leavesAt === undefined ? [] : [leavesAt]);
  });
}
