/** A purchase under its tag: the incarnation of whoever sends it, and a number that counts up within it. */
export interface Purchase {
  readonly incarnation: number;
  readonly sequence: number;
  readonly quantity: number;
}

export type Outcome = 'sold' | 'sold out' | 'refused';

/** Sells one kind of toy, to one order service, which sends again whatever it has no answer to. */
export class Seller {
  stock: number;
  #incarnation = 0;
  /** Of the newest incarnation, oldest first. */
  readonly #sold: Purchase[] = [];

  constructor(stock: number) {
    this.stock = stock;
  }

  /** The same tag gets the same outcome, however often it comes, whatever happened in between. */
  purchase(purchase: Purchase): Outcome {
    const isKnown = this.#sold.some(({ sequence }) => sequence === purchase.sequence);
    if (isKnown) return 'sold';
    if (purchase.quantity > this.stock) return 'sold out';
    this.stock -= purchase.quantity;
    this.#sold.push(purchase);
    return 'sold';
  }

  /**
   * The order service has started anew. It knows its orders up to a tag, and forgot what it had sent beyond.
   *
   * @returns the incarnation that it sends under from now on, and what was sold that it does not know, oldest first
   */
  recover(logged: { incarnation: number; sequence: number }): { incarnation: number; sales: Purchase[] } {
    const sales = this.#sold.filter(({ sequence }) => sequence > logged.sequence);
    this.#incarnation++;
    return { incarnation: this.#incarnation, sales };
  }
}
