// pending-order.ts: an order on its way, its callers of an order, and the sheet on which the answers to one message are collected.
//
//   message of 3 orders  ── AnswerSheet [ · , · , · ]
//                                   │   │   └── PendingOrder Fox ×2  (tag 17)
//                                   └───┴────── PendingOrder Tux ×1  (tag 16): two callers with one key, one order
//
// A sheet is done when each of its places is filled. An order outlives its callers: once it is sent it is driven to
// its outcome, whoever still waits.

import { assert } from '../assert.js';
import { RESULT } from '../store-contract.js';
import type { OrderRequest, SoldOrder } from './order-types.js';

/** The answers to one message: two columns with one row for each order. */
export interface Answers {
  /** RESULT of each. */
  readonly results: number[];
  /** The order's number where sold, else 0. */
  readonly numbers: number[];
}

export class AnswerSheet {
  readonly done: Promise<Answers>;
  readonly #answers: Answers;
  #openCount: number;
  #resolve: (answers: Answers) => void = () => {};

  constructor(count: number) {
    this.#answers = { results: new Array<number>(count).fill(RESULT.OPEN), numbers: new Array<number>(count).fill(0) };
    this.#openCount = count;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (count === 0) this.#resolve(this.#answers);
  }

  fill(index: number, result: number, number: number): void {
    this.#answers.results[index] = result;
    this.#answers.numbers[index] = number;
    this.#openCount--;
    assert(this.#openCount >= 0, 'an order was answered twice');
    if (this.#openCount === 0) this.#resolve(this.#answers);
  }
}

/** How a message came. */
export interface Origin {
  /** The stream, numbered over all threads; 0: by itself, in a unary call. */
  readonly stream: number;
  /** What the catalog's Watch calls the front end at the other end of it; 0: nothing that shows sales by itself. */
  readonly holder: number;
}

/** One caller's place on a sheet. */
export interface Caller {
  readonly sheet: AnswerSheet;
  readonly index: number;
  readonly request: OrderRequest;
  readonly origin: Origin;
  /** When the caller stops waiting, on the engine's clock. */
  readonly deadlineMs: number;
}

/** Answers one caller. */
export function answer(caller: Caller, result: number, number = 0): void {
  caller.sheet.fill(caller.index, result, number);
}

/** One order on its way, with all who wait for its outcome. */
export class PendingOrder {
  readonly request: OrderRequest;
  /** Set when it is sent: its tag, within the incarnation. */
  sequence = 0;
  /** Set when it is sold: RESULT.DONE or DELEGATED. */
  result = 0;
  /** Callers with the same key and another order: they wait for this one's outcome. */
  rivals: Caller[] = [];
  #callers: Caller[];

  constructor(first: Caller) {
    this.request = first.request;
    this.#callers = [first];
  }

  /** How it came, where all who wait for its outcome came by one stream; else undefined. */
  get origin(): Origin | undefined {
    const { origin } = this.#callers[0] ?? {};
    if (this.#callers.length === 1 && this.rivals.length === 0) return origin;
    const isOwn = (caller: Caller): boolean => caller.origin.stream === origin?.stream;
    return this.#callers.every(isOwn) && this.rivals.every(isOwn) ? origin : undefined;
  }

  /** Whether another one asks for the same. */
  isSameOrder({ name, quantity }: Pick<OrderRequest, 'name' | 'quantity'>): boolean {
    return name === this.request.name && quantity === this.request.quantity;
  }

  join(caller: Caller): void {
    this.#callers.push(caller);
  }

  /** The moment from which nobody waits any more. */
  get deadlineMs(): number {
    return this.#callers.reduce((latest, caller) => Math.max(latest, caller.deadlineMs), 0);
  }

  /** The order that it becomes when the catalog has sold it. */
  sold(incarnation: number): SoldOrder {
    const { name, quantity, key } = this.request;
    return { tag: { incarnation, sequence: this.sequence }, name, quantity, key };
  }

  /** Answers the callers; who joins later is answered later. Only one of them is told that a sale is delegated. */
  answer(result: number, number = 0): void {
    const callers = this.#callers;
    this.#callers = [];
    let own = result;
    for (const caller of callers) {
      answer(caller, own, number);
      if (own === RESULT.DELEGATED) own = RESULT.DONE;
    }
  }
}
