// In which turn of the event loop a batch leaves, by who waits, who was answered, and who comes back when.

import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { Departure } from '../../src/rpc/departure.js';

/** Far more than any departure takes. */
const TURNS = 60;
/** What each turn takes, by the departure's clock. */
const TURN_MS = 0.05;

interface Case {
  readonly what: string;
  readonly waiting: number;
  /** Callers answered now; undefined: a call came instead. */
  readonly answered?: number;
  /** Turns in which one more call comes. */
  readonly comesAt?: readonly number[];
  readonly batchItemsMax?: number;
  /** In turns. */
  readonly roundTrip?: number;
  /** How long callers took to come back, in parts of a round trip, as often as anybody remembers. Undefined: nobody came before. */
  readonly before?: number;
  /** 0: at once; undefined: never. */
  readonly leavesAt: number | undefined;
}

const CASES: readonly Case[] = [
  { what: 'a call leaves in the next turn', waiting: 1, leavesAt: 1 },
  { what: 'a lone caller answered, nobody waiting: nothing leaves', waiting: 0, answered: 1, leavesAt: undefined },
  // Of that turn the look comes before callers do.
  { what: 'a lone caller who comes back leaves in the next turn', waiting: 0, answered: 1, comesAt: [9], leavesAt: 9 },
  { what: 'a lone caller answered, one waiting: it is waited for', waiting: 1, answered: 1, comesAt: [4], leavesAt: 4 },
  { what: 'all answered are back', waiting: 0, answered: 3, comesAt: [1, 2, 5], leavesAt: 5 },
  { what: 'one does not come back', waiting: 0, answered: 3, comesAt: [1, 2], leavesAt: 8 },
  { what: 'nobody is left of those answered', waiting: 2, answered: 0, leavesAt: 1 },
  { what: 'a full batch waits already', waiting: 5, answered: 5, batchItemsMax: 5, leavesAt: 1 },
  { what: 'a batch becomes full', waiting: 3, answered: 4, comesAt: [2, 3], batchItemsMax: 5, leavesAt: 3 },
  { what: 'one item in a message: a call leaves at once', waiting: 1, batchItemsMax: 1, leavesAt: 0 },
  { what: 'one item in a message: who waits leaves at once', waiting: 2, answered: 1, batchItemsMax: 1, leavesAt: 0 },
  // A round trip of 30 turns: one who waits does so for 15, two for 10 each.
  { what: 'one is not back: one waits for half a round trip', waiting: 1, answered: 1, roundTrip: 30, leavesAt: 15 },
  { what: 'one is not back: two wait for a third', waiting: 2, answered: 1, roundTrip: 30, leavesAt: 10 },
  { what: 'who comes back is waited on anew', waiting: 1, answered: 2, comesAt: [9], roundTrip: 30, leavesAt: 19 },
  { what: 'a round trip that took very long', waiting: 1, answered: 1, roundTrip: 1_000, leavesAt: 20 },
  { what: 'quick callers are waited for', waiting: 1, answered: 1, roundTrip: 30, before: 0.5, leavesAt: 15 },
  {
    what: 'callers who took as long as a message have 8 turns',
    waiting: 1,
    answered: 1,
    roundTrip: 30,
    before: 0.9,
    leavesAt: 8,
  },
  { what: 'and so have those who did not come', waiting: 1, answered: 1, roundTrip: 30, before: 2, leavesAt: 8 },
];

for (const { what, waiting, answered, comesAt = [], batchItemsMax = 100, roundTrip = 4, before, leavesAt } of CASES) {
  test(what, async (t) => {
    const queue = { callCount: 0 };
    let turn = 0;
    let nowMs = 0;
    const left: number[] = [];
    const leave = (): void => void left.push(turn);
    const departure = new Departure(queue, batchItemsMax, leave, () => nowMs);
    for (let answer = 0; before !== undefined && answer < 20; answer++) {
      departure.noteAnswers(1, roundTrip * TURN_MS, nowMs);
      if (before < 1) departure.noteCall(nowMs + before * roundTrip * TURN_MS);
      nowMs += roundTrip * TURN_MS;
    }
    queue.callCount = waiting;
    const startMs = nowMs;
    // Set up first, so that in each turn callers come before the departure looks.
    const takeTurn = (): void => {
      turn++;
      nowMs = startMs + turn * TURN_MS;
      if (comesAt.includes(turn)) {
        queue.callCount++;
        departure.noteCall(nowMs);
        departure.soon();
      }
      if (turn < TURNS) setImmediate(takeTurn);
    };
    setImmediate(takeTurn);
    if (answered === undefined) departure.soon();
    else departure.noteAnswers(answered, roundTrip * TURN_MS, nowMs);
    while (turn < TURNS) await nextTurn();
    t.deepEqual(left, leavesAt === undefined ? [] : [leavesAt]);
  });
}
