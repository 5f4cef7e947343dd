// stock-checker.ts: could this history have been made by a stock that does one thing at a time?
//
//   stock:  buy(q) takes q and says sold if q <= stock, else refuses;  read shows what is left
//
// The search goes through the calls and answers in order and keeps every state that the stock may be in, in the manner of
// Wing & Gong ("Testing and verifying concurrent objects", 1993) with Lowe's delay ("Testing for linearizability", 2017):
// an operation takes effect only when an answer needs it, for until then nothing tells whether it has. A state is the set
// of operations under way that have taken effect; how much is sold follows from it. No state left: no such stock exists.
//
// Facts about this object that keep the states few and lose none that matters:
//   - Reads and refusals change nothing, so they take effect as soon as what they say is true.
//   - Stock only falls: below what a read under way has yet to show, a state is dead.
//   - Purchases commute: one that nobody needs for an answer, and no read sees the difference, may as well come later.
//   - Of purchases of one quantity, the one whose answer comes first may as well be first: the others can take its place.

import { assert } from '../../src/assert.js';
import { describe, NEVER, type Operation } from './stock-history.js';

/** Far above what dozens of connections make; past it the history cannot be decided in reasonable time and memory. */
const STATES_MAX = 200_000;

/** What the search found: `problem` says in words which answer no stock could have given. */
export type Verdict =
  | { readonly isLinearizable: true }
  | { readonly isLinearizable: false; readonly operation: Operation; readonly problem: string };

/** An operation under way. `bit` is its place in the states. */
interface Pending {
  readonly operation: Operation;
  readonly bit: bigint;
  /** What it takes from the stock; 0 for a read or a refusal. */
  readonly quantity: number;
}

/** The operations under way that have taken effect -> how much was sold in all. */
type States = Map<bigint, number>;

/** A state on the way to an answer. `hasNews`: the way began here, so what is true now may be news. */
interface Step {
  readonly done: bigint;
  readonly sold: number;
  readonly hasNews: boolean;
}

/**
 * Checks a history of one toy.
 *
 * @param initial the stock before the first operation
 * @throws AssertionError when there are too many possibilities to decide
 */
export function checkStockHistory(initial: number, operations: readonly Operation[]): Verdict {
  return new StockSearch(initial).check(operations);
}

class StockSearch {
  readonly #initial: number;
  readonly #pending = new Map<Operation, Pending>();
  readonly #freeBits: bigint[] = [];
  #bitCount = 0n;
  #states: States = new Map([[0n, 0]]);

  constructor(initial: number) {
    this.#initial = initial;
  }

  check(operations: readonly Operation[]): Verdict {
    const events = operations.flatMap((operation) => {
      const call = { at: operation.calledAt, isCall: true, operation };
      return operation.answeredAt === NEVER ? [call] : [call, { at: operation.answeredAt, isCall: false, operation }];
    });
    events.sort((left, right) => left.at - right.at);
    for (const { isCall, operation } of events) {
      if (isCall) this.#call(operation);
      else if (!this.#answer(operation)) return this.#refute(operation);
    }
    return { isLinearizable: true };
  }

  #call(operation: Operation): void {
    const bit = this.#freeBits.pop() ?? 1n << this.#bitCount++;
    const quantity = operation.kind === 'read' || operation.outcome === 'refused' ? 0 : operation.quantity;
    this.#pending.set(operation, { operation, bit, quantity });
  }

  /** Leaves the states in which `operation` has taken effect; false if there are none, and then they are as before. */
  #answer(operation: Operation): boolean {
    const answered = this.#pending.get(operation)!;
    const next: States = new Map();
    const steps = new Steps(this.#states);
    for (let step = steps.take(); step !== undefined; step = steps.take()) {
      const { sold } = step;
      const { done, soldMost, isAwaited } = this.#observe(step.done, sold);
      if (sold > soldMost) continue;
      if ((done & answered.bit) !== 0n) {
        next.set(done & ~answered.bit, sold);
        continue;
      }
      const hasNews = step.hasNews || done !== step.done;
      for (const purchase of this.#nextPurchases(done, soldMost - sold)) {
        // Others before the purchase that is answered are of use only to a read between them.
        const isOfUse = purchase === answered ? hasNews : operation.outcome !== 'sold' || isAwaited;
        if (isOfUse) steps.add({ done: done | purchase.bit, sold: sold + purchase.quantity, hasNews: false });
      }
      assert(steps.count <= STATES_MAX, `more than ${STATES_MAX} possibilities at ${describe(operation)}`);
    }
    if (next.size === 0) return false;
    this.#states = next;
    this.#pending.delete(operation);
    this.#freeBits.push(answered.bit);
    return true;
  }

  /**
   * The state with all reads and refusals that are true now, the most that may be sold before the reads that are still
   * awaited, and whether there are any.
   */
  #observe(done: bigint, sold: number): { done: bigint; soldMost: number; isAwaited: boolean } {
    const left = this.#initial - sold;
    let observed = done;
    let stockLeast = 0;
    let isAwaited = false;
    for (const { operation, bit } of this.#pending.values()) {
      if ((done & bit) !== 0n) continue;
      if (operation.kind === 'buy') {
        if (operation.outcome === 'refused' && operation.quantity > left) observed |= bit;
      } else if (operation.stock === left) {
        observed |= bit;
      } else {
        stockLeast = Math.max(stockLeast, operation.stock);
        isAwaited = true;
      }
    }
    return { done: observed, soldMost: this.#initial - stockLeast, isAwaited };
  }

  /** The purchases that may take effect next: of each quantity up to `quantityMax` the one that is answered first. */
  #nextPurchases(done: bigint, quantityMax: number): Iterable<Pending> {
    const first = new Map<number, Pending>();
    for (const pending of this.#pending.values()) {
      const { operation, quantity, bit } = pending;
      if (quantity === 0 || quantity > quantityMax || (done & bit) !== 0n) continue;
      const other = first.get(quantity);
      if (other === undefined || operation.answeredAt < other.operation.answeredAt) first.set(quantity, pending);
    }
    return first.values();
  }

  #refute(operation: Operation): Verdict {
    const sold = [...this.#states.values()];
    const stock = [...new Set(sold.map((quantity) => this.#initial - quantity))].sort((left, right) => left - right);
    const underWay = [...this.#pending.keys()].filter((other) => other !== operation).map(describe);
    const problem =
      `${describe(operation)}: the stock before it was ${stock.join(' or ')}, ` +
      `and under way beside it: ${underWay.join(', ') || 'nothing'}`;
    return { isLinearizable: false, operation, problem };
  }
}

/** The states still to be looked at, each once. */
class Steps {
  readonly #open: Step[] = [];
  readonly #seen = new Set<bigint>();

  constructor(states: States) {
    for (const [done, sold] of states) this.add({ done, sold, hasNews: true });
  }

  get count(): number {
    return this.#seen.size;
  }

  add(step: Step): void {
    if (this.#seen.has(step.done)) return;
    this.#seen.add(step.done);
    this.#open.push(step);
  }

  take(): Step | undefined {
    return this.#open.pop();
  }
}
