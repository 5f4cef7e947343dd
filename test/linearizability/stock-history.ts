// stock-history.ts: writes down who asked what about one toy's stock, and when the answer came.
//
//   calledAt ──── the operation takes effect at one moment in between ──── answeredAt
//
// Times are positions in one count of all events: one process records, so nothing is ever measured at the same time as
// something else, and no clock can be wrong. A purchase without an answer may take effect at any time after its call, or
// never; a query without one says nothing and is left out.

/** The answer of a purchase that nobody heard. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Someone wanted to buy. */
export interface Purchase {
  readonly kind: 'buy';
  readonly quantity: number;
  readonly outcome: 'sold' | 'refused' | 'open';
  readonly calledAt: number;
  /** NEVER while the outcome is open. */
  readonly answeredAt: number;
}

/** Someone looked how much is left. */
export interface Query {
  readonly kind: 'read';
  readonly outcome: 'shown';
  readonly stock: number;
  readonly calledAt: number;
  readonly answeredAt: number;
}

export type Operation = Purchase | Query;

/** A purchase under way. Only the first answer counts: later ones can only repeat it. */
export interface OpenPurchase {
  sold(): void;
  refused(): void;
}

export class StockHistory {
  readonly #answered: Operation[] = [];
  readonly #open = new Set<Purchase>();
  #now = 0;

  /** @param initial the stock before the first operation */
  constructor(readonly initial: number) {}

  /** Call before the request is sent. */
  buy(quantity: number): OpenPurchase {
    const open: Purchase = { kind: 'buy', quantity, outcome: 'open', calledAt: this.#now++, answeredAt: NEVER };
    this.#open.add(open);
    const end = (outcome: 'sold' | 'refused'): void => {
      if (this.#open.delete(open)) this.#answered.push({ ...open, outcome, answeredAt: this.#now++ });
    };
    return { sold: () => end('sold'), refused: () => end('refused') };
  }

  /** Call before the request is sent, and the returned function with the stock that the answer showed. */
  read(): (stock: number) => void {
    const calledAt = this.#now++;
    return (stock) =>
      void this.#answered.push({ kind: 'read', outcome: 'shown', stock, calledAt, answeredAt: this.#now++ });
  }

  /** All operations so far, in the order of their calls. */
  operations(): Operation[] {
    return [...this.#answered, ...this.#open].sort((left, right) => left.calledAt - right.calledAt);
  }
}

/** An operation in words, as `buy 3 → sold [4, 9]`. */
export function describe(operation: Operation): string {
  const { calledAt, answeredAt } = operation;
  const what =
    operation.kind === 'buy' ? `buy ${operation.quantity} → ${operation.outcome}` : `read → ${operation.stock}`;
  return `${what} [${calledAt}, ${answeredAt === NEVER ? '…' : answeredAt}]`;
}
