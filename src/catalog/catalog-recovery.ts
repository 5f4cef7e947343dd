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

import { CatalogError } from './catalog-error.js';
import type { CatalogMemory } from './catalog-memory.js';
import { SOLD } from './purchase-outcome.js';
import { BASE, CARRIED, CLEAN, MARK, readRecord, readSales, SALES } from './sale-records.js';
import type { StockTable } from './stock-table.js';
import { incarnationOf, UnsettledSales } from './unsettled-sales.js';

/** Replays the journal of a catalog: feed it every record, then apply what it found. */
export class CatalogRecovery {
  readonly unsettled = new UnsettledSales();
  readonly #table: StockTable;
  readonly #fingerprint: number | undefined;
  /** What the sales after the Base that matches took, by toy. */
  readonly #sold = new Map<number, number>();
  #hasMatched = false;
  #hasSales = false;
  #problem: string | undefined;
  #incarnation = 0;
  #sellingIncarnation = 0;
  #settled = 0;

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
        break;
      case BASE:
        if (record.fingerprint === this.#fingerprint) this.#begin(true);
        break;
      case MARK:
        this.#incarnation = Math.max(this.#incarnation, record.incarnation);
        this.#settled = record.settled;
        break;
      case SALES:
        this.#takeOut(record.bytes);
        this.#keep(record.bytes, record.incarnation, record.settled);
        break;
      case CARRIED:
        this.#keep(record.bytes, record.incarnation, record.settled);
        break;
    }
  }

  /** Whether the journal knows catalog.csv; if not, and it is accepted, a Base must be journaled before anything is sold. */
  get hasMatched(): boolean {
    return this.#hasMatched;
  }

  /**
   * Takes what was sold out of the stock and restores the tags.
   *
   * @param paths for the messages
   * @returns how many toys differ from catalog.csv
   * @throws CatalogError BAD_JOURNAL if catalog.csv and journal do not belong together
   */
  apply(memory: CatalogMemory, paths: { readonly csv: string; readonly journal: string }): number {
    const { table, tags } = memory;
    if (this.#hasSales && !this.#hasMatched) {
      throw new CatalogError(
        'BAD_JOURNAL',
        `${paths.csv}: ${this.#fingerprint === undefined ? 'is missing' : 'was changed'} after a stop that was not ` +
          `clean, while ${paths.journal} holds sales of it: put it back as it was, start and stop, and then edit it`,
      );
    }
    if (this.#problem !== undefined) throw new CatalogError('BAD_JOURNAL', `${paths.journal}: ${this.#problem}`);
    for (const [toy, quantity] of this.#sold) {
      const left = table.shown[toy]! - quantity;
      if (left < 0) {
        const name = JSON.stringify(table.nameOf(toy));
        throw new CatalogError('BAD_JOURNAL', `${paths.journal}: more of ${name} was sold than ${paths.csv} had`);
      }
      table.shown[toy] = left;
      table.sellable[toy] = left;
    }
    this.unsettled.settle(this.#sellingIncarnation, this.#settledOf(this.#sellingIncarnation));
    tags.begin(this.#incarnation, this.#settledOf(this.#incarnation));
    if (this.#sellingIncarnation === this.#incarnation) tags.settle(this.#settled);
    for (const { incarnation, sequence } of this.unsettled.all()) {
      const isOpen = incarnation === this.#incarnation && sequence > tags.settled;
      if (isOpen && tags.hasRoomFor(sequence)) tags.remember(sequence, SOLD, 0);
    }
    return this.#sold.size;
  }

  /** The sales so far are in catalog.csv. */
  #begin(hasMatched: boolean): void {
    this.#hasMatched = hasMatched;
    this.#hasSales = false;
    this.#sold.clear();
    this.#problem = undefined;
  }

  #takeOut(record: Buffer): void {
    this.#hasSales = true;
    for (const { name, quantity } of readSales(record)) {
      const toy = this.#table.find(name);
      if (toy === -1) this.#problem ??= `it holds a sale of ${JSON.stringify(name.toString())}, which is no toy`;
      else this.#sold.set(toy, (this.#sold.get(toy) ?? 0) + quantity);
    }
  }

  #keep(record: Buffer, incarnation: number, settled: number): void {
    if (incarnationOf(record) === 0) return;
    // The record lies in the reader's buffer, which is used again.
    this.unsettled.add(Buffer.from(record), 0);
    if (record[0] === SALES) {
      this.#sellingIncarnation = Math.max(this.#sellingIncarnation, incarnation);
      if (incarnation === this.#incarnation) this.#settled = Math.max(this.#settled, settled);
    }
    this.unsettled.settle(this.#sellingIncarnation, this.#settledOf(this.#sellingIncarnation));
  }

  /** The mark of an incarnation, as far as it is known: that of the newest. */
  #settledOf(incarnation: number): number {
    return incarnation === this.#incarnation ? this.#settled : 0;
  }
}
