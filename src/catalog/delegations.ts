// delegations.ts: toys whose sales one front end shows by itself. Where a toy is held by the front end that it is ordered through,
// and by nobody else, the order's own answer tells that front end of the sale: no invalidation, no confirmation, no find.
//
//   sale for holder h, only h holds ──► delegated ──sale for h──► delegated
//                                          └── anybody else wants to know of it ──► recalled: h told, h confirms ──► as ever
//
// While a toy is delegated h may show what it was before sales that are in the table already. So nobody is told of the toy
// before it was recalled: no find, no refusal for lack of stock, no other sale. The mark goes only when h has confirmed, said
// goodbye, or its lease is over. The word is NFSv4's (RFC 8881, section 10.2): a client acts for the server until recalled.

import type { Holders } from './holders.js';
import type { StockTable } from './stock-table.js';

export interface DelegationParts {
  readonly table: StockTable;
  readonly holders: Holders;
  readonly onBroken: (error: Error) => void;
}

export class Delegations {
  readonly #options: DelegationParts;
  readonly #toys = new Set<number>();
  /** By toy, until it is delegated no more. */
  readonly #recalls = new Map<number, Promise<void>>();
  #saleCount = 0;
  #recallCount = 0;

  constructor(options: DelegationParts) {
    this.#options = options;
  }

  /** Sales that their front end was left to show, and toys that were taken back. */
  get stats(): { readonly sales: number; readonly recalls: number } {
    return { sales: this.#saleCount, recalls: this.#recallCount };
  }

  /**
   * Delegates a toy of which a sale for that holder is being decided, or leaves it delegated. Under the table's write lock.
   *
   * @param slot of a front end that may be trusted with it: see Holders.slotOfOnly()
   */
  delegate(toy: number, slot: number): boolean {
    const { table } = this.#options;
    if (this.#recalls.has(toy) || !table.isHeldBy(toy, slot)) return false;
    table.markDelegated(toy);
    this.#toys.add(toy);
    this.#saleCount++;
    return true;
  }

  has(toy: number): boolean {
    return this.#toys.has(toy);
  }

  /** Takes toys back. @returns when none of them is delegated; undefined: none is */
  recall(toys: Iterable<number>): Promise<unknown> | undefined {
    const recalls: Promise<void>[] = [];
    for (const toy of toys) if (this.#toys.has(toy)) recalls.push(this.#recalls.get(toy) ?? this.#recall(toy));
    return recalls.length === 0 ? undefined : Promise.all(recalls);
  }

  /** The same for all that are delegated by now. */
  recallAll(): Promise<unknown> | undefined {
    return this.recall([...this.#toys]);
  }

  #recall(toy: number): Promise<void> {
    const { table, holders } = this.#options;
    this.#recallCount++;
    const recall = Promise.resolve(holders.invalidate([{ toy, bits: table.holdersOf(toy) }])).then(() => {
      try {
        table.write(() => table.endDelegation(toy));
      } catch (error) {
        // Whoever waits would be told what may be over.
        this.#options.onBroken(error as Error);
        throw error;
      }
      this.#toys.delete(toy);
      this.#recalls.delete(toy);
    });
    this.#recalls.set(toy, recall);
    return recall;
  }
}
