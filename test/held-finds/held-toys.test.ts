// What one thread of the front end shows of the toys that it holds: the catalog's newest answer, less what its own orders have
// sold since.

import test from 'ava';
import { HeldToys } from '../../src/frontend/held-toys.js';
import { LeaseBoard, type Noted } from '../../src/frontend/lease-board.js';
import type { ReadyBody } from '../../src/http/index.js';
import { RESULT } from '../../src/store-contract.js';

interface Shown {
  readonly price: number;
  readonly quantity: number;
}

const shown = (body: ReadyBody | undefined): Shown | undefined => {
  if (body === undefined) return undefined;
  const { price, quantity } = JSON.parse(Buffer.from(body, 'latin1').toString()).data;
  return { price, quantity };
};

/** One thread with a lease that does not end. */
class Thread {
  readonly held: HeldToys;

  constructor(
    readonly board: LeaseBoard,
    capacity = 10,
  ) {
    board.register(7);
    board.lease(1_000);
    this.held = new HeldToys(board, { nowMs: () => 0 }, capacity);
  }

  /** Asks the catalog, which answers with that. @returns what the customer who asked gets */
  ask(name: string, priceCents: number, quantity: number): Shown | undefined {
    const noted = this.held.note(name);
    return shown(this.held.hold(name, { priceCents, quantity }, noted));
  }

  /** Sends an order, whose outcome is that. */
  order(name: string, quantity: number, result: number): void {
    this.held.sell([result], [{ name, quantity, noted: this.held.note(name) }]);
  }

  find(name: string): Shown | undefined {
    return shown(this.held.find(name));
  }
}

/** Two threads of one front end. */
function twoThreads(): [Thread, Thread] {
  const board = LeaseBoard.create();
  return [new Thread(board), new Thread(board)];
}

/** An order of one. */
const ONE = { quantity: 1, noted: undefined as Noted | undefined };

const steps: [what: string, step: (thread: Thread) => unknown, found: Shown | undefined][] = [
  ['nothing', () => undefined, { price: 19.5, quantity: 100 }],
  [
    'an own sale that is delegated',
    (thread) => thread.order('Tux', 3, RESULT.DELEGATED),
    { price: 19.5, quantity: 97 },
  ],
  ['an own sale that is not', (thread) => thread.order('Tux', 3, RESULT.DONE), { price: 19.5, quantity: 100 }],
  ['an invalidation', (thread) => thread.board.invalidate('Tux'), undefined],
  ['the end of the lease', (thread) => thread.board.endLease(), undefined],
  ['another answer', (thread) => thread.ask('Tux', 2_050, 40), { price: 20.5, quantity: 40 }],
  [
    'another answer, and an own sale that is delegated',
    (thread) => {
      thread.ask('Tux', 2_050, 40);
      thread.order('Tux', 1, RESULT.DELEGATED);
    },
    { price: 20.5, quantity: 39 },
  ],
];

for (const [what, step, found] of steps) {
  test(`a toy that is held, after ${what}`, (t) => {
    const thread = new Thread(LeaseBoard.create());
    t.deepEqual(thread.ask('Tux', 1_950, 100), { price: 19.5, quantity: 100 });
    step(thread);
    t.deepEqual(thread.find('Tux'), found);
  });
}

test('what does not fit is answered all the same', (t) => {
  const thread = new Thread(LeaseBoard.create(), 0);
  t.deepEqual(thread.ask('Tux', 1_950, 100), { price: 19.5, quantity: 100 });
  t.is(thread.find('Tux'), undefined);
});

test('an answer that was invalidated while it was on its way is given to whoever asked, and shown to nobody else', (t) => {
  const thread = new Thread(LeaseBoard.create());
  const noted = thread.held.note('Tux');
  thread.board.invalidate('Tux');
  t.deepEqual(shown(thread.held.hold('Tux', { priceCents: 1_950, quantity: 100 }, noted)), {
    price: 19.5,
    quantity: 100,
  });
  t.is(thread.find('Tux'), undefined);
});

test('orders of what this thread holds are sent for this front end, and those of all else for nobody', (t) => {
  const [thread, other] = twoThreads();
  for (const name of ['Tux', 'Fox']) thread.ask(name, 1_950, 100);
  const holderOf = (...names: string[]): number => thread.held.prepare(names.map((name) => ({ ...ONE, name })));
  t.is(holderOf('Tux'), 7);
  t.is(holderOf('Whale'), 0, 'it is not held');
  t.is(other.held.prepare([{ ...ONE, name: 'Tux' }]), 0, 'another thread holds it');
  t.is(holderOf('Whale', 'Fox'), 7, 'a message is for one holder');
  for (let sale = 0; sale <= 16; sale++) thread.order('Tux', 1, RESULT.DELEGATED);
  t.is(holderOf('Tux'), 0, 'nobody asks for it any more');
  t.is(thread.find('Tux')?.quantity, 83, 'it is held until the catalog takes it back');
  t.is(holderOf('Tux'), 7, 'and asked for again');
  for (let sale = 0; sale <= 16; sale++) thread.order('Tux', 1, RESULT.DELEGATED);
  thread.board.invalidate('Tux');
  t.is(holderOf('Tux'), 0, 'taken back it is not held again by orders');
});

test('sales of a toy that nobody asks for are counted by each of two threads that sell it in turn', (t) => {
  const [thread, other] = twoThreads();
  for (const { held } of [thread, other]) {
    held.hold('Tux', { priceCents: 1_950, quantity: 100 }, held.note('Tux'));
  }
  for (let sale = 0; sale <= 16; sale++) {
    for (const each of [thread, other]) each.order('Tux', 1, RESULT.DELEGATED);
  }
  t.is(thread.held.prepare([{ ...ONE, name: 'Tux' }]), 0);
  t.is(other.held.prepare([{ ...ONE, name: 'Tux' }]), 0);
});

test('what leaves for nobody is noted for nobody, be it that it left for this front end before', (t) => {
  const thread = new Thread(LeaseBoard.create());
  thread.ask('Tux', 1_950, 100);
  const order = { ...ONE, name: 'Tux' };
  t.is(thread.held.prepare([order]), 7);
  t.deepEqual(order.noted, thread.held.note('Tux'));
  for (let sale = 0; sale <= 16; sale++) thread.order('Tux', 1, RESULT.DELEGATED);
  t.is(thread.held.prepare([order]), 0);
  t.is(order.noted, undefined);
});
