// open-batches.ts: batches that were decided and are not answered yet. Several are in flight; each is shown and answered in
// the order in which they were decided.
//
//   decided ──► store.append ──────► durable ──┐
//          └──► holders.invalidate ─► told ────┴─► those before are done ─► shown ─► answered
//
//   a write fails     every batch that is not stored is undone, newest first: its purchases find the store not selling
//   a sync fails      nobody knows what is stored: nothing is undone, nothing is answered, only a new start helps
//
// Nothing of a batch may be told before everything that its outcomes rest on is durable and shown: not only its own sales,
// but also those of others that used up the stock it was refused.

import { StorageError } from '../storage/index.js';
import { RESULT } from '../store-contract.js';
import type { Span } from '../tracing/index.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogStore, Sale } from './catalog-store.js';
import type { Delegations } from './delegations.js';
import type { HeldToy, Holders } from './holders.js';
import type { KeptSales } from './kept-sales.js';
import type { PurchaseTags } from './purchase-tags.js';
import type { StockTable } from './stock-table.js';

/** What selling works with. */
export interface SellingParts {
  readonly table: StockTable;
  /** What may still be sold, by toy: it runs ahead of what is shown. */
  readonly sellable: Uint32Array;
  readonly tags: PurchaseTags;
  readonly kept: KeptSales;
  readonly store: CatalogStore;
  readonly holders: Holders;
  /** What is in memory can no longer be trusted: the process must end. */
  readonly onBroken: (error: Error) => void;
}

/** Follows what is sold to the disk; see src/tracing. Undefined: nothing of it is recorded. */
export type OnStoring = () => Span | undefined;

interface OpenBatch {
  /** What it sold. */
  readonly sales: readonly Sale[];
  /** Sequences whose outcome was decided here and does not hold if the batch is undone. */
  readonly decided: readonly number[];
  readonly incarnation: number;
  isDurable: boolean;
  isUndone: boolean;
}

/** Whom a batch comes from, and what must be recalled before it is answered. */
export interface BatchOrigin {
  /** The incarnation of its tags; 0: it has none. */
  readonly incarnation: number;
  /** The holder whose own sales are delegated to it; 0: nobody's. */
  readonly holder: number;
  readonly recallsAll: boolean;
  /** Toys of which it is told that there was not enough. */
  readonly short: readonly number[];
}

/** What became of a batch. */
export interface CarriedOut {
  /** False if it was undone. */
  readonly isStored: boolean;
  /** Toys whose sales nobody was told of: their holder does what is needed. */
  readonly delegated: ReadonlySet<number>;
}

const NO_TOYS: ReadonlySet<number> = new Set();

export class OpenBatches {
  readonly #options: SellingParts & { readonly delegations: Delegations };
  /** Oldest first. */
  readonly #open: OpenBatch[] = [];
  /** Resolves when all that was decided so far has been shown or undone. */
  #last: Promise<void> = Promise.resolve();
  /** The same for the storing alone. */
  #lastDurable: Promise<void> = Promise.resolve();
  #sold = 0;

  constructor(options: SellingParts & { readonly delegations: Delegations }) {
    this.#options = options;
  }

  /** How many sales have been shown. */
  get sold(): number {
    return this.#sold;
  }

  /** Resolves when everything that was decided is stored, undone or lost. */
  stored(): Promise<void> {
    return this.#lastDurable.catch(() => undefined);
  }

  /**
   * Brings what was decided to the disk and shows it, after all that was decided before.
   *
   * @param onStoring told when it goes to the store
   */
  async carryOut(
    sales: readonly Sale[],
    decided: readonly number[],
    origin: BatchOrigin,
    onStoring?: OnStoring,
  ): Promise<CarriedOut> {
    const { store, tags } = this.#options;
    const batch: OpenBatch = {
      sales,
      decided,
      incarnation: origin.incarnation,
      isDurable: false,
      isUndone: false,
    };
    const { told, delegated } = this.#beginChanges(sales, origin);
    const span = onStoring?.();
    const stored = store.append({ incarnation: tags.incarnation, settled: tags.settled, sales }).then(() => {
      batch.isDurable = true;
      span?.end();
    });
    this.#lastDurable = stored;
    return { isStored: await this.#finish(batch, stored, told), delegated };
  }

  /**
   * Waits for what was decided before, for outcomes that rest on it.
   *
   * @returns false if that was undone; undefined: there is nothing to wait for
   */
  wait(decided: readonly number[], origin: BatchOrigin): Promise<boolean> | undefined {
    const { incarnation } = origin;
    // A refusal tells of the stock too: no front end may go on showing what an earlier process has shown.
    const told = allOf(this.#options.holders.invalidate([]), this.#recall([], origin));
    if (this.#open.length === 0 && told === undefined) return undefined;
    const batch: OpenBatch = { sales: [], decided, incarnation, isDurable: false, isUndone: false };
    const stored = this.#lastDurable.then(() => {
      batch.isDurable = true;
    });
    return this.#finish(batch, stored, told);
  }

  async #finish(batch: OpenBatch, stored: Promise<void>, told: Promise<unknown> | undefined): Promise<boolean> {
    const before = this.#last;
    let setDone: () => void = () => undefined;
    this.#last = new Promise((resolve) => {
      setDone = resolve;
    });
    this.#open.push(batch);
    try {
      const isStored = await stored.then(
        () => true,
        (error: unknown) => this.#onStoreFailure(error),
      );
      if (told !== undefined && isStored) await told;
      await before;
      if (isStored) this.#show(batch.sales);
      return isStored;
    } finally {
      const place = this.#open.indexOf(batch);
      if (place !== -1) this.#open.splice(place, 1);
      setDone();
    }
  }

  /** What a write that failed means; throws where nobody knows what was stored. */
  #onStoreFailure(cause: unknown): false {
    if (cause instanceof StorageError && cause.code === 'WRITE_FAILED') {
      this.#undoUnstored();
      return false;
    }
    const message = 'the journal failed: whether the purchases are on disk is unknown';
    throw new CatalogError('NOT_JOURNALED', message, { cause });
  }

  /** Marks the toys as changing; tells those who hold them, or leaves it to whom they are delegated. */
  #beginChanges(
    sales: readonly Sale[],
    origin: BatchOrigin,
  ): { told: Promise<unknown> | undefined; delegated: ReadonlySet<number> } {
    const { table, holders, delegations } = this.#options;
    if (sales.length === 0) return { told: this.#recall([], origin), delegated: NO_TOYS };
    const slot = holders.slotOfOnly(origin.holder);
    const held: HeldToy[] = [];
    const others: number[] = [];
    let delegated = NO_TOYS as Set<number>;
    table.write(() => {
      for (const { toy } of sales) {
        if (slot !== -1 && delegations.delegate(toy, slot)) {
          table.beginDelegatedChange(toy);
          if (delegated === NO_TOYS) delegated = new Set();
          delegated.add(toy);
          continue;
        }
        const bits = table.beginChange(toy, slot !== -1);
        if (bits !== 0) held.push({ toy, bits });
        else if (delegations.has(toy)) others.push(toy);
      }
    });
    return { told: allOf(holders.invalidate(held), this.#recall(others, origin)), delegated };
  }

  /** Takes back what the outcomes tell of; a holder may be told of what is delegated to it. */
  #recall(sold: readonly number[], { holder, recallsAll, short }: BatchOrigin): Promise<unknown> | undefined {
    const { holders, delegations } = this.#options;
    if (recallsAll) return delegations.recallAll();
    return delegations.recall(holders.slotOfOnly(holder) === -1 ? [...sold, ...short] : sold);
  }

  #show(sales: readonly Sale[]): void {
    const { table } = this.#options;
    this.#sold += sales.length;
    if (sales.length === 0) return;
    try {
      table.write(() => {
        for (const { toy, quantity } of sales) table.endChange(toy, quantity);
      });
    } catch (error) {
      // What is stored cannot be shown: only a new start helps.
      this.#options.onBroken(error as Error);
      throw error;
    }
  }

  /** Takes back all that is not stored, newest first. */
  #undoUnstored(): void {
    const { table, sellable, tags, kept } = this.#options;
    const undone = this.#open.filter(({ isDurable, isUndone }) => !isDurable && !isUndone).reverse();
    for (const batch of undone) {
      batch.isUndone = true;
      for (const sale of batch.sales) {
        sellable[sale.toy]! += sale.quantity;
        if (sale.incarnation !== 0) kept.remove(sale);
      }
      if (batch.incarnation !== tags.incarnation) continue;
      for (const sequence of batch.decided) {
        if (sequence > tags.settledSequence) tags.remember(sequence, RESULT.NOT_SELLING);
      }
    }
    table.write(() => {
      for (const { toy } of undone.flatMap(({ sales }) => sales)) table.endChange(toy, 0);
    });
  }
}

function allOf(one: Promise<unknown> | undefined, other: Promise<unknown> | undefined): Promise<unknown> | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Promise.all([one, other]);
}
