// idempotency-gate.ts: one key, one order. Every order with a key passes here first.
//
//   key is bound to an order of the log   same order: its number       another: KEY_TAKEN
//   key is on its way with a purchase     same order: joins it         another: waits; then KEY_TAKEN, or its own turn
//   neither                               becomes a purchase
//
// Only a sold order binds its key (contract). A key goes on its way before the log is asked about it, for that may take a
// read of orders.csv, and a second caller may come meanwhile.

import { ChurnMap } from '../../churn-map.js';
import { isSold, RESULT } from '../../store-contract.js';
import type { LoggedOrder } from '../order-types.js';
import { answer, type Caller, PendingOrder } from '../pending-order.js';

export interface IdempotencyGateOptions {
  /** The order that a key is bound to: at once when there certainly is none. */
  findByKey(key: string): undefined | Promise<LoggedOrder | undefined>;
  /** Takes a new order in, or answers it. */
  onPending(pending: PendingOrder): void;
  /** Whether anything may be sold now; a key that is bound is answered in any case. */
  isSelling(): boolean;
  /** When the order of that number may be told; undefined: now. Rejects where that cannot be known. */
  untilTold(number: number): Promise<void> | undefined;
  /** The log could not be read. */
  onError(error: unknown): void;
}

export class IdempotencyGate {
  readonly #options: IdempotencyGateOptions;
  readonly #onTheirWay = new ChurnMap<string, PendingOrder>();

  constructor(options: IdempotencyGateOptions) {
    this.#options = options;
  }

  take(caller: Caller): void {
    const { key } = caller.request;
    const ahead = this.#onTheirWay.get(key);
    if (key === '') this.#options.onPending(new PendingOrder(caller));
    else if (ahead === undefined) this.#begin(caller);
    else this.#queueBehind(ahead, caller);
  }

  /** The outcome of a purchase: its callers are answered, its key is free (or, if sold, bound by the log already). */
  finish(pending: PendingOrder, result: number, number = 0): void {
    const { key } = pending.request;
    if (key !== '') this.#onTheirWay.delete(key);
    pending.answer(result, number);
    const { rivals } = pending;
    pending.rivals = [];
    for (const rival of rivals) {
      if (isSold(result)) answer(rival, RESULT.KEY_TAKEN);
      else this.take(rival);
    }
  }

  /** Nobody waits any longer; the order stays on its way. Its rivals never became one. */
  release(pending: PendingOrder): void {
    pending.answer(RESULT.OPEN);
    for (const rival of pending.rivals) answer(rival, RESULT.NOT_SELLING);
    pending.rivals = [];
  }

  #begin(caller: Caller): void {
    const { key } = caller.request;
    const pending = new PendingOrder(caller);
    this.#onTheirWay.set(key, pending);
    const bound = this.#options.findByKey(key);
    if (bound === undefined) this.#options.onPending(pending);
    else void this.#check(pending, bound);
  }

  #queueBehind(ahead: PendingOrder, caller: Caller): void {
    if (!this.#options.isSelling()) answer(caller, RESULT.NOT_SELLING);
    else if (ahead.isSameOrder(caller.request)) ahead.join(caller);
    else ahead.rivals.push(caller);
  }

  async #check(pending: PendingOrder, lookup: Promise<LoggedOrder | undefined>): Promise<void> {
    let order: LoggedOrder | undefined;
    try {
      order = await lookup;
      if (order !== undefined) await this.#options.untilTold(order.number);
    } catch (error) {
      this.#options.onError(error);
      return this.finish(pending, RESULT.NOT_SELLING);
    }
    if (order === undefined) return this.#options.onPending(pending);
    this.#finishBound(pending, order);
  }

  /** The first caller may ask for another order than the one that has the key, and its rivals for the right one. */
  #finishBound(pending: PendingOrder, order: LoggedOrder): void {
    this.#onTheirWay.delete(pending.request.key);
    const isSame = pending.isSameOrder(order);
    pending.answer(isSame ? RESULT.DONE : RESULT.KEY_TAKEN, isSame ? order.number : 0);
    const { rivals } = pending;
    pending.rivals = [];
    for (const rival of rivals) this.take(rival);
  }
}
