// held-toys.ts: the toys that one thread of the front end holds: name -> the answer's body, ready to be sent.
//
//   find   held, lease not over, not invalidated: the body. No promise, no timer, no lock, no message; the catalog has
//          promised that whoever is told of a change is told after this.
//   hold   an answer that the catalog calls holdable, under what was noted before it was asked (lease-board.ts).
//   sell   the toy is delegated, and an order of this thread has sold some of it: nobody else tells this front end. What all
//          threads hold is invalidated, and this one goes on with what is left.
//
// An answer that is over stays in its place until it is replaced or thrown out: it says that somebody asks for the toy.
//
// Memory: 680 bytes for a name of 64 bytes that are all escaped in JSON, the worst there is; 290 for one like "Dolphin". So the
// default of 10,000 toys takes 7 MB at most.

import type { ReadyBody } from '../http/index.js';
import { RESULT } from '../store-contract.js';
import type { LeaseBoard, LeaseClock, Noted } from './lease-board.js';
import { type Shelved, SieveShelf } from './sieve-shelf.js';
import { productBody } from './store-json.js';

/** Delegated sales of a toy for which nobody has asked meanwhile: more, and letting go of it costs less than keeping it. */
const UNASKED_SALES_MAX = 16;

interface HeldToy extends Shelved {
  priceCents: number;
  quantity: number;
  /** Undefined: to be made when somebody asks for it, which after a sale may take until many more. */
  body: ReadyBody | undefined;
  noted: Noted;
  /** Delegated sales since it was last asked for. */
  unaskedSales: number;
}

export class HeldToys {
  readonly #board: LeaseBoard;
  readonly #clock: Pick<LeaseClock, 'nowMs'>;
  readonly #shelf: SieveShelf<HeldToy>;
  #hits = 0;
  #misses = 0;

  /** @param capacity toys */
  constructor(board: LeaseBoard, clock: Pick<LeaseClock, 'nowMs'>, capacity: number) {
    this.#board = board;
    this.#clock = clock;
    this.#shelf = new SieveShelf(capacity);
  }

  /** Finds that needed no question, finds that did, and toys held, those that are over included. */
  get stats(): { readonly hits: number; readonly misses: number; readonly toys: number } {
    return { hits: this.#hits, misses: this.#misses, toys: this.#shelf.size };
  }

  /** The number to ask the catalog with; 0: it need not be asked for anything that may be held. */
  get holder(): number {
    return this.#board.holder;
  }

  /** The body of the answer; undefined: the catalog must be asked, after a `note`. */
  find(name: string): ReadyBody | undefined {
    const held = this.#shelf.get(name);
    if (held !== undefined) {
      held.isAskedFor = true;
      held.unaskedSales = 0;
      if (this.#board.isLeased(this.#clock.nowMs()) && this.#board.isCurrent(held.noted)) {
        this.#hits++;
        held.body ??= productBody(name, held.priceCents, held.quantity);
        return held.body;
      }
    }
    this.#misses++;
    return undefined;
  }

  /** To be called before the catalog is asked. */
  note(name: string): Noted {
    return this.#board.note(name);
  }

  /** The catalog has answered, and the answer may be held. @param noted before it was asked @returns the answer's body */
  hold(name: string, { priceCents, quantity }: StockOfToy, noted: Noted): ReadyBody {
    const body = productBody(name, priceCents, quantity);
    const held = this.#shelf.get(name);
    if (held === undefined) {
      this.#shelf.add({
        name,
        priceCents,
        quantity,
        body,
        noted,
        isAskedFor: false,
        unaskedSales: 0,
        newer: undefined,
        older: undefined,
      });
    } else {
      held.priceCents = priceCents;
      held.quantity = quantity;
      held.body = body;
      held.noted = noted;
    }
    return body;
  }

  /**
   * A message of orders is about to leave, be it once more. Nothing is noted for toys that this thread does not hold, nor for
   * those that are bought and not asked for any more: not to be told of their sales costs more than it saves.
   *
   * @returns the number to order with; 0: nobody's, and the catalog takes back what it finds held
   */
  prepare(orders: readonly SentOrder[]): number {
    const isOfUse = orders.some(({ name }) => this.#paysToKeep(name));
    // Before the number is read: see lease-board.ts.
    for (const order of orders) order.noted = isOfUse ? this.#board.note(order.name) : undefined;
    return isOfUse ? this.holder : 0;
  }

  #paysToKeep(name: string): boolean {
    const held = this.#shelf.get(name);
    return held !== undefined && held.unaskedSales <= UNASKED_SALES_MAX;
  }

  /**
   * Takes what orders of this thread have sold of delegated toys from what is shown. To be called for all orders of a message
   * before anybody is told of one.
   *
   * @param results of the orders, in their order
   */
  sell(results: readonly number[], orders: readonly SentOrder[]): void {
    if (!results.includes(RESULT.DELEGATED)) return;
    const newest = new Map<string, Noted>();
    for (const [index, { name, quantity, noted }] of orders.entries()) {
      if (results[index] !== RESULT.DELEGATED || noted === undefined) continue;
      newest.set(name, this.#sell(name, quantity, newest.get(name) ?? noted));
    }
  }

  /** @returns what counts as noted for the next order of the same message */
  #sell(name: string, quantity: number, noted: Noted): Noted {
    const held = this.#shelf.get(name);
    const isKnown = held !== undefined && isSame(held.noted, noted);
    // What is over counts too: other threads sell of it.
    if (held !== undefined) held.unaskedSales++;
    const next = this.#board.replace(noted);
    if (next === undefined) return noted;
    if (isKnown) {
      held.quantity -= quantity;
      held.body = undefined;
      held.noted = next;
    }
    return next;
  }
}

interface SentOrder {
  readonly name: string;
  readonly quantity: number;
  /** When its message left; undefined: it left for nobody. */
  noted: Noted | undefined;
}

interface StockOfToy {
  readonly priceCents: number;
  readonly quantity: number;
}

function isSame(one: Noted, other: Noted): boolean {
  return one.group === other.group && one.generation === other.generation && one.epoch === other.epoch;
}

/** How many of all toys that may be held the thread at `index` of `threads` may. */
export function shareOf(toys: number, index: number, threads: number): number {
  return Math.floor(toys / threads) + (index < toys % threads ? 1 : 0);
}
