// perfect-catalog.ts: a catalog without faults for the simulated world. It forgets outcomes as soon as it may: when they are
// settled. A promise of the ledger protocol can be taken away, to see that the books then go wrong.

import type { LogPosition, PurchaseBatch, Recovery } from '../../src/order/catalog-link.js';
import type { SoldOrder } from '../../src/order/order-types.js';
import { compareTags, RESULT } from '../../src/store-contract.js';
import type { CatalogEnd, Delivery } from './simulated-network.js';

export class PerfectCatalog implements CatalogEnd {
  readonly life = 1;
  readonly stock: Map<string, number>;
  #sales: SoldOrder[] = [];
  #outcomes = new Map<number, number>();
  #incarnation = 0;
  #settled = 0;

  constructor(
    stock: ReadonlyMap<string, number>,
    readonly broken: 'dedupe' | 'recovery' | 'fencing' | undefined,
  ) {
    this.stock = new Map(stock);
  }

  async recover({ logged }: LogPosition): Promise<Recovery> {
    this.#incarnation++;
    this.#settled = 0;
    this.#outcomes = new Map();
    this.#sales = this.#sales.filter((sale) => compareTags(sale.tag, logged) > 0);
    return { store: 'perfect0', incarnation: this.#incarnation, sales: this.broken === 'recovery' ? [] : this.#sales };
  }

  async process(batch: PurchaseBatch, isStray: boolean): Promise<Delivery> {
    if (batch.incarnation !== this.#incarnation && this.broken !== 'fencing') return 'fenced';
    if (batch.firstSequence <= this.#settled) {
      if (isStray || this.broken === 'fencing') return 'fenced';
      throw new Error('a settled tag was sent again');
    }
    this.#settled = Math.max(this.#settled, batch.settledSequence);
    for (const sequence of this.#outcomes.keys()) if (sequence <= this.#settled) this.#outcomes.delete(sequence);
    return batch.purchases.map((_, index) => this.#sell(batch, index));
  }

  #sell({ incarnation, firstSequence, purchases }: PurchaseBatch, index: number): number {
    const sequence = firstSequence + index;
    const before = this.broken === 'dedupe' ? undefined : this.#outcomes.get(sequence);
    if (before !== undefined) return before;
    const { name, quantity, key } = purchases[index]!;
    const left = this.stock.get(name)!;
    const isSold = quantity <= left;
    this.#outcomes.set(sequence, isSold ? RESULT.DONE : RESULT.NOT_ENOUGH_STOCK);
    if (!isSold) return RESULT.NOT_ENOUGH_STOCK;
    this.stock.set(name, left - quantity);
    this.#sales.push({ tag: { incarnation, sequence }, name, quantity, key });
    return RESULT.DONE;
  }
}
