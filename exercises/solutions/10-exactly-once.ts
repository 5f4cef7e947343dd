/** A purchase under its tag: the incarnation of whoever sends it, and a number that counts up within it. */
export interface Purchase {
  readonly incarnation: number;
  readonly sequence: number;
  readonly quantity: number;
}

export type Outcome = 'sold' | 'sold out' | 'refused';

/** Remembers refusals like sales, sells to the newest incarnation alone, and keeps sales by their whole tag. */
export class Seller {
  stock: number;
  #incarnation = 0;
  /** Of the newest incarnation, by sequence. */
  readonly #outcomes = new Map<number, Outcome>();
  /** Of all incarnations, oldest first. */
  readonly #sold: Purchase[] = [];

  constructor(stock: number) {
    this.stock = stock;
  }

  purchase(purchase: Purchase): Outcome {
    if (purchase.incarnation !== this.#incarnation) return 'refused';
    const known = this.#outcomes.get(purchase.sequence);
    if (known !== undefined) return known;
    const outcome = purchase.quantity > this.stock ? 'sold out' : 'sold';
    this.#outcomes.set(purchase.sequence, outcome);
    if (outcome === 'sold') {
      this.stock -= purchase.quantity;
      this.#sold.push(purchase);
    }
    return outcome;
  }

  recover(logged: { incarnation: number; sequence: number }): { incarnation: number; sales: Purchase[] } {
    // Fencing comes first: from now on the list is complete.
    this.#incarnation++;
    this.#outcomes.clear();
    const isLater = ({ incarnation, sequence }: Purchase): boolean =>
      incarnation > logged.incarnation || (incarnation === logged.incarnation && sequence > logged.sequence);
    return { incarnation: this.#incarnation, sales: this.#sold.filter(isLater) };
  }
}
