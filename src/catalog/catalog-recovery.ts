// catalog-recovery.ts: from what a stop or a crash left on the disk to the stock as it is.
//
//   catalog.csv ── fingerprint ──┐
//   journal      … Base(f1) sale sale Base(f2) sale │ the Base that catalog.csv matches last: the sales behind it count
//
// A checkpoint first journals the fingerprint of the catalog.csv that it is about to write, then replaces the file. So at
// every instant catalog.csv is one that the journal knows, and the sales that it lacks are those after that Base:
//
//   | crash                                   | catalog.csv | matches  | sales taken out of it                   |
//   | before Base is on disk                  | old         | f1       | all after f1                            |
//   | between Base and the rename             | old         | f1       | all after f1, those before f2 too       |
//   | after the rename                        | new         | f2       | those after f2                          |
//   | a new journal has begun, with Base(f2)  | new         | f2       | those after f2                          |
//
// A clean stop leaves a journal without sales: catalog.csv then is the truth, whoever edited it. Where sales are journaled
// and catalog.csv matches no Base, it was changed after a crash, and nobody can tell what is sold: that stops the start.

import { NO_TAG } from '../store-contract.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogMarks, LoadedCatalog } from './catalog-store.js';
import { KeptSales } from './kept-sales.js';
import {
  BASE,
  CARRIED,
  CLEAN,
  LEASES,
  type RecordedSale,
  readRecord,
  readSales,
  SALES,
  STORE,
} from './sale-records.js';
import type { StockTable } from './stock-table.js';

/** Replays the journal of a catalog: feed it every record, then apply what it found. */
export class CatalogRecovery {
  readonly #table: StockTable;
  readonly #fingerprint: number | undefined;
  /** What the sales after the Base that matches took, by toy. */
  readonly #sold = new Map<number, number>();
  readonly #kept = new KeptSales();
  #marks: CatalogMarks = { incarnation: 0, settled: NO_TAG };
  #storeId: string | undefined;
  #leaseMs = 0;
  #endedCleanly = true;
  #hasMatched = false;
  #hasSales = false;
  #problem: string | undefined;

  /**
   * @param table as catalog.csv says; untouched until apply()
   * @param isFile false if there is no catalog.csv, and the table comes from the seed
   */
  constructor(table: StockTable, isFile: boolean) {
    this.#table = table;
    this.#fingerprint = isFile ? table.fingerprint(table.shown) : undefined;
  }

  /** Takes in the next record. */
  onRecord(payload: Uint8Array): void {
    const record = readRecord(payload);
    switch (record.type) {
      case CLEAN:
        this.#begin(false);
        this.#endedCleanly = true;
        break;
      case BASE:
        if (record.fingerprint === this.#fingerprint) this.#begin(true);
        this.#endedCleanly = false;
        break;
      case STORE:
        this.#storeId = record.id;
        break;
      case LEASES:
        this.#leaseMs = record.leaseMs;
        break;
      case SALES:
      case CARRIED:
        for (const sale of readSales(record.bytes)) {
          const toy = this.#table.find(sale.name);
          if (record.type === SALES) this.#takeOut(toy, sale);
          // The record lies in the reader's buffer, which is used again.
          if (sale.incarnation !== 0) this.#kept.add({ ...sale, toy, name: Buffer.from(sale.name) });
        }
        this.#marks = record.marks;
        this.#kept.settle(record.marks.settled);
        break;
    }
  }

  /** The store's id, if the journal says it. */
  get storeId(): string | undefined {
    return this.#storeId;
  }

  /** Whether the journal knows catalog.csv; if not, and it is accepted, a Base must be journaled before anything is sold. */
  get hasMatched(): boolean {
    return this.#hasMatched;
  }

  /** How many toys differ from catalog.csv. */
  get changed(): number {
    return this.#sold.size;
  }

  /**
   * Takes what was sold out of what the table shows.
   *
   * @param paths for the messages
   * @throws CatalogError BAD_JOURNAL if catalog.csv and journal do not belong together
   */
  apply(paths: { readonly csv: string; readonly journal: string }): Omit<LoadedCatalog, 'storeId' | 'mayLackSales'> {
    const { shown } = this.#table;
    if (this.#hasSales && !this.#hasMatched) {
      throw new CatalogError(
        'BAD_JOURNAL',
        `${paths.csv}: ${this.#fingerprint === undefined ? 'is missing' : 'was changed'} after a stop that was not ` +
          `clean, while ${paths.journal} holds sales of it: put it back as it was, start and stop, and then edit it`,
      );
    }
    if (this.#problem !== undefined) throw new CatalogError('BAD_JOURNAL', `${paths.journal}: ${this.#problem}`);
    for (const [toy, quantity] of this.#sold) {
      if (shown[toy]! < quantity) {
        const name = JSON.stringify(this.#table.nameOf(toy).toString());
        throw new CatalogError('BAD_JOURNAL', `${paths.journal}: more of ${name} was sold than ${paths.csv} had`);
      }
      shown[toy]! -= quantity;
    }
    return {
      table: this.#table,
      marks: this.#marks,
      sales: this.#kept.all(),
      endedCleanly: this.#endedCleanly,
      leaseMs: this.#leaseMs,
    };
  }

  /** The sales so far are in catalog.csv. */
  #begin(hasMatched: boolean): void {
    this.#hasMatched = hasMatched;
    this.#hasSales = false;
    this.#sold.clear();
    this.#problem = undefined;
  }

  #takeOut(toy: number, { name, quantity }: RecordedSale): void {
    this.#hasSales = true;
    if (toy === -1) this.#problem ??= `it holds a sale of ${JSON.stringify(name.toString())}, which is no toy`;
    else this.#sold.set(toy, (this.#sold.get(toy) ?? 0) + quantity);
  }
}
