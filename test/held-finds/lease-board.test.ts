// The board on which the main thread writes whether what is held may be shown.

import test from 'ava';
import { monotonicUs } from '../../src/clock.js';
import { LeaseBoard, LeaseClock } from '../../src/frontend/lease-board.js';

const leases: [why: string, untilMs: number, nowMs: number, isLeased: boolean][] = [
  ['before its end', 5_000, 4_999, true],
  ['a fraction of a millisecond before', 5_000, 4_999.5, false],
  ['at its end', 5_000, 5_000, false],
  ['after its end', 5_000, 6_000, false],
  ['a machine that has been up for 25 days', 2 ** 31 + 500, 2 ** 31, true],
  ['the moment at which 32 bits have come full circle', 2 ** 32, 2 ** 32 - 500, true],
  ['after that moment', 2 ** 32 + 500, 2 ** 32 + 499, true],
  ['over since before that moment', 2 ** 32 - 500, 2 ** 32 + 1, false],
];

for (const [why, untilMs, nowMs, isLeased] of leases) {
  test(`a lease: ${why}`, (t) => {
    const board = LeaseBoard.create();
    t.false(board.isLeased(nowMs), 'without one');
    board.lease(untilMs);
    t.is(board.isLeased(nowMs), isLeased);
    t.true(board.endLease());
    t.false(board.endLease(), 'there is none any more');
    t.false(board.isLeased(nowMs));
  });
}

const changes: [what: string, change: (board: LeaseBoard) => void, isCurrent: boolean][] = [
  ['nothing', () => undefined, true],
  ['a lease', (board) => board.lease(9), true],
  ['an invalidation of it', (board) => board.invalidate('Tux'), false],
  ['an invalidation of another toy', (board) => board.invalidate('Fox'), true],
  ['an invalidation of everything', (board) => board.invalidateAll(), false],
  ['a new registration', (board) => board.register(8), false],
  ['the end of the holder number', (board) => board.forgetHolder(), true],
];

for (const [what, change, isCurrent] of changes) {
  test(`what was noted of a toy, after ${what}`, (t) => {
    const board = LeaseBoard.create();
    const noted = new LeaseBoard(board.memory).note('Tux');
    change(board);
    t.is(board.isCurrent(noted), isCurrent);
  });
}

test('a generation that has come full circle is not taken for the first one', (t) => {
  const board = LeaseBoard.create();
  const noted = board.note('Tux');
  new Int32Array(board.memory).fill(-1, noted.group, noted.group + 1);
  board.invalidate('Tux');
  t.is(board.note('Tux').generation, noted.generation);
  t.false(board.isCurrent(noted));
});

test('a holder number has 53 bits', (t) => {
  const board = LeaseBoard.create();
  board.register(Number.MAX_SAFE_INTEGER);
  t.is(new LeaseBoard(board.memory).holder, Number.MAX_SAFE_INTEGER);
  board.forgetHolder();
  t.is(board.holder, 0);
});

test('the clock of a thread is that of the process, and never behind it', (t) => {
  const clock = new LeaseClock();
  for (let look = 0; look < 1_000; look++) {
    const before = monotonicUs() / 1_000;
    const now = clock.nowMs();
    t.true(now >= before, `${now} is before ${before}`);
  }
});

const replacements: [what: string, before: (board: LeaseBoard) => void, isReplaced: boolean][] = [
  ['nothing has happened since', () => undefined, true],
  ['another toy was invalidated', (board) => board.invalidate('Fox'), true],
  ['the toy was invalidated', (board) => board.invalidate('Tux'), false],
];

for (const [what, before, isReplaced] of replacements) {
  test(`an own sale invalidates what was noted, and may go on under another note: ${what}`, (t) => {
    const board = LeaseBoard.create();
    const noted = board.note('Tux');
    before(board);
    const held = board.note('Tux');
    const next = board.replace(noted);
    t.false(board.isCurrent(held), 'nobody shows what was');
    t.is(next !== undefined && board.isCurrent(next), isReplaced);
  });
}

test('an own sale under the note of before a new registration is not shown', (t) => {
  const board = LeaseBoard.create();
  const noted = board.note('Tux');
  board.register(8);
  const next = board.replace(noted);
  t.false(next !== undefined && board.isCurrent(next));
});
