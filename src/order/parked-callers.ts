// parked-callers.ts: those who wait until nothing is delegated any more (untold-sales.ts): orders that came by another way, and
// look-ups of orders that only one front end may know of yet.

import { RESULT } from '../store-contract.js';
import { OrderError } from './order-error.js';
import type { LoggedOrder } from './order-types.js';
import { answer, type Caller } from './pending-order.js';

/** A look-up that waits. */
interface Lookup {
  readonly number: number;
  readonly deadlineMs: number;
  resolve(order: Promise<LoggedOrder | undefined>): void;
  reject(error: OrderError): void;
}

export class ParkedCallers {
  #callers: Caller[] = [];
  #lookups: Lookup[] = [];

  park(caller: Caller): void {
    this.#callers.push(caller);
  }

  /** Rejects with CATALOG_AWAY where nobody has let it in by then. */
  lookUp(number: number, deadlineMs: number): Promise<LoggedOrder | undefined> {
    return new Promise((resolve, reject) => {
      this.#lookups.push({ number, deadlineMs, resolve, reject });
    });
  }

  letIn(take: (caller: Caller) => void, look: (number: number) => Promise<LoggedOrder | undefined>): void {
    const [callers, lookups] = this.#takeAll();
    for (const caller of callers) take(caller);
    for (const { number, resolve } of lookups) resolve(look(number));
  }

  /** Sends all away, or those whose time is up. @param nowMs on the engine's clock */
  refuse(nowMs = Number.POSITIVE_INFINITY): void {
    const [callers, lookups] = this.#takeAll();
    for (const caller of callers) {
      if (caller.deadlineMs > nowMs) this.#callers.push(caller);
      else answer(caller, RESULT.NOT_SELLING);
    }
    for (const lookup of lookups) {
      if (lookup.deadlineMs > nowMs) this.#lookups.push(lookup);
      else lookup.reject(catalogAway());
    }
  }

  #takeAll(): [Caller[], Lookup[]] {
    const all: [Caller[], Lookup[]] = [this.#callers, this.#lookups];
    this.#callers = [];
    this.#lookups = [];
    return all;
  }
}

/** Why an order that is in the log cannot be told of. */
export function catalogAway(cause?: unknown): OrderError {
  const message = 'the catalog does not answer, and a front end may not have shown the order yet';
  return new OrderError('CATALOG_AWAY', message, { cause });
}
