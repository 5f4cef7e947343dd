// chaos-notes.ts: what the buyers of a run wanted, and what they were told: one side of the books.
//
// It also finds what needs no books to be wrong: two answers to one order that differ, answers that the contract does not
// know. Everything found wrong is a sentence in `violations`.

import { NEVER, type OpenPurchase, StockHistory } from '../linearizability/stock-history.js';
import type { ChaosToy } from './shelf.js';

/** Past this many the rest says nothing new. */
const VIOLATIONS_KEPT_MAX = 200;

/** One order that a buyer wants, however often it is sent. */
export interface Wish {
  /** The Idempotency-Key; undefined without. */
  readonly key: string | undefined;
  readonly toy: string;
  readonly quantity: number;
  /** The order number that the buyer was given. */
  number?: number;
  /** The status that said that nothing was sold. */
  refusal?: 404 | 409;
}

/** Why a request was sent again, or given up. */
export interface Failures {
  /** 503 */
  unavailable: number;
  /** 504 */
  tooLate: number;
  /** Connection lost before the answer; the buyer's own doing included. */
  lost: number;
  /** No connection at all. */
  unreachable: number;
}

export class ChaosNotes {
  readonly wishes: Wish[] = [];
  readonly violations: string[] = [];
  readonly failures: Failures = { unavailable: 0, tooLate: 0, lost: 0, unreachable: 0 };
  /** Toy -> what happened to its stock. */
  readonly histories: ReadonlyMap<string, StockHistory>;
  queries = 0;
  /** Requests that asked again for what had been answered before. */
  repeats = 0;
  sold = 0;
  refused = 0;
  readonly #purchases = new Map<Wish, OpenPurchase>();
  #lastAnswerAt: number | undefined;
  #longestOutageMs = 0;

  constructor(shelf: readonly ChaosToy[]) {
    this.histories = new Map(shelf.map(({ name, stock }) => [name, new StockHistory(stock)]));
  }

  /** The longest time between two answers that settled an order, in milliseconds. */
  get longestOutageMs(): number {
    return this.#longestOutageMs;
  }

  /** Orders whose outcome nobody was told. */
  get open(): number {
    return this.wishes.length - this.sold - this.refused;
  }

  /** A new wish: call before it is sent for the first time. */
  wish(toy: string, quantity: number, key?: string): Wish {
    const wish: Wish = { key, toy, quantity };
    this.wishes.push(wish);
    const purchase = this.histories.get(toy)?.buy(quantity);
    if (purchase !== undefined) this.#purchases.set(wish, purchase);
    return wish;
  }

  /** The buyer was given an order number. */
  tellSold(wish: Wish, number: number): void {
    this.#noteAnswer();
    if (wish.refusal !== undefined)
      this.violate(`${nameOf(wish)}: refused with ${wish.refusal}, then sold as ${number}`);
    if (wish.number === number) return;
    if (wish.number !== undefined) return this.violate(`${nameOf(wish)}: given number ${wish.number}, then ${number}`);
    wish.number = number;
    this.sold++;
    this.#purchases.get(wish)?.sold();
    this.#purchases.delete(wish);
  }

  /** The buyer was told that nothing was sold. */
  tellRefused(wish: Wish, refusal: 404 | 409): void {
    this.#noteAnswer();
    if (wish.number !== undefined)
      this.violate(`${nameOf(wish)}: sold as ${wish.number}, then refused with ${refusal}`);
    if (this.histories.has(wish.toy) !== (refusal === 409)) this.violate(`${nameOf(wish)}: answered with ${refusal}`);
    if (wish.refusal !== undefined) return;
    wish.refusal = refusal;
    this.refused++;
    this.#purchases.get(wish)?.refused();
    this.#purchases.delete(wish);
  }

  violate(what: string): void {
    if (this.violations.length < VIOLATIONS_KEPT_MAX) this.violations.push(what);
  }

  /** The operations of every toy, one a line, for those who look for the cause of a violation. */
  *lines(): Generator<string> {
    for (const [toy, history] of this.histories) {
      for (const operation of history.operations()) {
        const answeredAt = operation.answeredAt === NEVER ? null : operation.answeredAt;
        yield JSON.stringify({ toy, ...operation, answeredAt });
      }
    }
    for (const wish of this.wishes) yield JSON.stringify(wish);
  }

  #noteAnswer(): void {
    const now = performance.now();
    if (this.#lastAnswerAt !== undefined) {
      this.#longestOutageMs = Math.max(this.#longestOutageMs, now - this.#lastAnswerAt);
    }
    this.#lastAnswerAt = now;
  }
}

/** A wish in words. */
export function nameOf({ key, toy, quantity }: Wish): string {
  return `${key ?? 'an order without a key'} (${quantity} of ${toy})`;
}
