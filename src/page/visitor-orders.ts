// visitor-orders.ts: the orders of this browser: what was bought, and what was sent and not answered yet.
//
//   wanted (key drawn, kept) ──sent──> sold | refused        both end it
//                               └────> open ──sent again under the same key, after a while, or after a reload
//
// A purchase is written down before it is sent, so that neither a reload nor a lost answer can buy twice: whoever comes
// back sends it again under its key.

import { newKey, type OrderOutcome, type PlacedOrder, placeOrder } from './store-api.js';

/** A purchase whose outcome is not known. */
export interface OpenPurchase {
  readonly key: string;
  readonly name: string;
  readonly quantity: number;
}

interface Kept {
  readonly orders: PlacedOrder[];
  readonly open: OpenPurchase[];
}

const STORAGE_KEY = 'toystore-orders';
/** Orders that are shown and kept; the oldest go first. */
const ORDERS_MAX = 50;
/** Between two tries of a purchase whose outcome is open. */
const RETRY_MS = 2_000;

export class VisitorOrders {
  readonly #kept: Kept = load();
  readonly #onChange: () => void;

  /** @param onChange called when orders or open purchases have changed */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Newest first. */
  get orders(): readonly PlacedOrder[] {
    return this.#kept.orders;
  }

  get open(): readonly OpenPurchase[] {
    return this.#kept.open;
  }

  /** Buys; resolves with what became of it, which is never `open`: that is tried until it is known. */
  buy(name: string, quantity: number): Promise<OrderOutcome> {
    const purchase = { key: newKey(), name, quantity };
    this.#kept.open.push(purchase);
    this.#save();
    return this.#drive(purchase);
  }

  /** Sends again what was open when the page was left. */
  resume(): void {
    for (const purchase of [...this.#kept.open]) void this.#drive(purchase);
  }

  async #drive(purchase: OpenPurchase): Promise<OrderOutcome> {
    for (;;) {
      const outcome = await placeOrder(purchase.name, purchase.quantity, purchase.key);
      if (outcome.kind !== 'open') {
        this.#end(purchase, outcome);
        return outcome;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #end(purchase: OpenPurchase, outcome: OrderOutcome): void {
    const index = this.#kept.open.findIndex(({ key }) => key === purchase.key);
    if (index !== -1) this.#kept.open.splice(index, 1);
    if (outcome.kind === 'sold') {
      this.#kept.orders.unshift({ number: outcome.orderNumber, name: purchase.name, quantity: purchase.quantity });
      this.#kept.orders.splice(ORDERS_MAX);
    }
    this.#save();
  }

  #save(): void {
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#kept));
    } catch {
      // A browser that keeps nothing still buys; only a reload forgets.
    }
    this.#onChange();
  }
}

function load(): Kept {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '') as Kept;
    if (Array.isArray(kept.orders) && Array.isArray(kept.open)) return kept;
  } catch {
    // Nothing is kept, or somebody else wrote it.
  }
  return { orders: [], open: [] };
}
