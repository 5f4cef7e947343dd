// visitor-orders.ts: the orders of this browser: what was bought, and what was sent and not answered yet.
//
//   wanted (key drawn, kept) ──sent──> sold | refused        both end it
//                               └────> open ──sent again under the same key, after a while, or after a reload
//
// A purchase is written down before it is sent, so that neither a reload nor a lost answer can buy twice: whoever comes
// back sends it again under its key.

import { newKey, type PlacedOrder, sendOrder, type VisitorOutcome } from './store-api.js';

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
  #kept: Kept = load() ?? { orders: [], open: [] };
  readonly #onChange: () => void;

  /** @param onChange called when orders or open purchases have changed, in another window of this browser too */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    window.addEventListener('storage', ({ key }) => {
      if (key !== STORAGE_KEY) return;
      this.#kept = load() ?? this.#kept;
      onChange();
    });
  }

  /** Newest first. */
  get orders(): readonly PlacedOrder[] {
    return this.#kept.orders;
  }

  get open(): readonly OpenPurchase[] {
    return this.#kept.open;
  }

  /**
   * Buys; resolves with what became of it, which is never `open`: that is tried until it is known.
   * @param onOpen called after each try that left it open, with what the store said
   */
  buy(name: string, quantity: number, onOpen: (message: string) => void): Promise<VisitorOutcome> {
    const purchase = { key: newKey(), name, quantity };
    this.#change(({ open }) => open.push(purchase));
    return this.#drive(purchase, onOpen);
  }

  /** Sends again what was open when the page was left. */
  resume(): void {
    for (const purchase of this.open) void this.#drive(purchase, () => undefined);
  }

  async #drive(purchase: OpenPurchase, onOpen: (message: string) => void): Promise<VisitorOutcome> {
    for (;;) {
      const outcome = await sendOrder(purchase.name, purchase.quantity, purchase.key);
      if (outcome.kind !== 'open') {
        this.#change((kept) => end(kept, purchase, outcome));
        return outcome;
      }
      onOpen(outcome.message);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Changes what is kept as it is now: another window may have written since this one looked. */
  #change(change: (kept: Kept) => void): void {
    this.#kept = load() ?? this.#kept;
    change(this.#kept);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.#kept));
    } catch {
      // A browser that keeps nothing still buys; only a reload forgets.
    }
    this.#onChange();
  }
}

function end({ orders, open }: Kept, purchase: OpenPurchase, outcome: VisitorOutcome): void {
  const index = open.findIndex(({ key }) => key === purchase.key);
  if (index !== -1) open.splice(index, 1);
  if (outcome.kind !== 'sold') return;
  const { orderNumber: number } = outcome;
  // Two windows may have sent it: under one key it is one order.
  if (orders.some((order) => order.number === number)) return;
  orders.unshift({ number, name: purchase.name, quantity: purchase.quantity });
  orders.splice(ORDERS_MAX);
}

function load(): Kept | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '') as Kept;
    if (Array.isArray(kept.orders) && Array.isArray(kept.open)) return kept;
  } catch {
    // Nothing is kept, or somebody else wrote it.
  }
  return undefined;
}
