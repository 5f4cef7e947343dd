// catalog-seller.ts: the one that sells: it decides batches of purchases in memory, under their tags. What follows from a
// decision, up to the answer, is in open-batches.ts.
//
//   purchases ──► admitted? ──► known tag? its outcome ──► stock? taken out ──► open batch ──► outcomes
//
// All outcomes are remembered until the order service has settled them: one that is sent again gets the same answer.

import { compareTags, isOrderKey, NO_TAG, type PurchaseBatch, RESULT, type Result } from '../store-contract.js';
import { CatalogError } from './catalog-error.js';
import { BATCH_PURCHASES_MAX } from './catalog-limits.js';
import type { Sale } from './catalog-store.js';
import { Delegations } from './delegations.js';
import { type BatchOrigin, type OnStoring, OpenBatches, type SellingParts } from './open-batches.js';

export interface Purchase {
  readonly name: Uint8Array;
  /** 1 to 4294967295. */
  readonly quantity: number;
  /** Kept with the sale; empty if there is none. */
  readonly key: string;
}

/** Whether toys are sold. `full`: writing does not work just now. `failed`: not before the process is started again. */
export type SellingState = 'selling' | 'full' | 'failed' | 'closed';

export interface SellerStats {
  readonly batches: number;
  readonly purchases: number;
  readonly sold: number;
  /** See Delegations. */
  readonly delegated: { readonly sales: number; readonly recalls: number };
}

/** What was decided for a batch. */
interface Decision {
  readonly results: Result[];
  readonly sales: Sale[];
  readonly decided: number[];
  /** Toys of which there was not enough. */
  readonly short: number[];
  /** Some of them were executed before. */
  readonly hasRepeats: boolean;
}

/** What has no tag and comes from nobody that holds anything. */
const NOBODY: BatchOrigin = { incarnation: 0, holder: 0, recallsAll: false, short: [] };

export class CatalogSeller {
  readonly delegations: Delegations;
  readonly #options: SellingParts;
  readonly #open: OpenBatches;
  #isClosed = false;
  #batches = 0;
  #purchases = 0;
  /** Names of toys that have sold, as they stand in sales. */
  readonly #names = new Map<number, Buffer>();

  constructor(options: SellingParts) {
    this.#options = options;
    this.delegations = new Delegations(options);
    this.#open = new OpenBatches({ ...options, delegations: this.delegations });
  }

  get state(): SellingState {
    const { state } = this.#options.store;
    if (state === 'failed') return 'failed';
    if (this.#isClosed) return 'closed';
    return state === 'open' ? 'selling' : 'full';
  }

  stats(): SellerStats {
    const { sold } = this.#open;
    return { batches: this.#batches, purchases: this.#purchases, sold, delegated: this.delegations.stats };
  }

  /**
   * Executes a batch of purchases under tags; those that were executed before get the outcome that they got then.
   *
   * @returns one outcome for each, once all that they rest on is durable and shown; RESULT.DELEGATED where the holder that the
   *   batch names has to show it by itself
   * @throws CatalogError FOREIGN_INCARNATION, SETTLED_TAG, TAG_WINDOW, BAD_PURCHASE, STOPPED: nothing was sold.
   *   NOT_JOURNALED: whether it was sold, the next start will tell
   */
  async purchase(batch: PurchaseBatch<Purchase>, onStoring?: OnStoring): Promise<Result[]> {
    const { tags } = this.#options;
    checkBatch(batch);
    this.#requireSelling();
    const isNewsSettled = this.#admit(batch);
    const decision = this.#decide(batch);
    // Of a batch that was executed before nobody knows what was delegated then, and whether its holder was told.
    const isFresh = !decision.hasRepeats;
    const origin: BatchOrigin = {
      incarnation: batch.incarnation,
      holder: isFresh ? (batch.holder ?? 0) : 0,
      recallsAll: batch.recall === true || !isFresh,
      short: decision.short,
    };
    if (decision.sales.length > 0) {
      const { sales, decided, results } = decision;
      const { isStored, delegated } = await this.#open.carryOut(sales, decided, origin, onStoring);
      if (isStored) return delegated.size === 0 ? results : withDelegated(decision, delegated);
    } else {
      const tells = origin.recallsAll || decision.results.some(restsOnStock);
      const waited = tells ? this.#open.wait(decision.decided, origin) : undefined;
      // The mark is stored with the next sales; where none come, by itself. Nobody waits for it.
      if (isNewsSettled) this.#storeMarks();
      if (waited === undefined || (await waited)) return decision.results;
    }
    // What could not be stored was undone. The tags know which purchases were stored before all the same.
    return decision.results.map((_, index) => {
      const sequence = batch.firstSequence + index;
      const result = tags.incarnation === batch.incarnation ? tags.recall(sequence) : undefined;
      if (result !== undefined) return result;
      throw new CatalogError('SETTLED_TAG', `purchase ${sequence} was settled while this copy of it waited`);
    });
  }

  /** Sells without a tag, as the unary call does; its outcome is remembered nowhere. Throws as purchase() does. */
  async purchaseUntagged(name: Uint8Array, quantity: number, onStoring?: OnStoring): Promise<Result> {
    checkBatch({ ...NO_TAG, firstSequence: 0, settledSequence: 0, purchases: [{ name, quantity, key: '' }] });
    this.#requireSelling();
    this.#count(1);
    const toy = this.#options.table.find(name);
    const result = this.#sell(toy, quantity);
    if (result !== RESULT.DONE) {
      const waited = restsOnStock(result) ? this.#open.wait([], { ...NOBODY, short: [toy] }) : undefined;
      return waited === undefined || (await waited) ? result : RESULT.NOT_SELLING;
    }
    const sale = { ...NO_TAG, toy, name: this.#nameOf(toy), quantity, key: '' };
    return (await this.#open.carryOut([sale], [], NOBODY, onStoring)).isStored ? result : RESULT.NOT_SELLING;
  }

  /**
   * Takes sales out of the stock that were made before, and lost: all of them or none. Those that are known already are
   * left out.
   *
   * @param sales by tag
   * @throws CatalogError BOOKS_DIFFER where the stock cannot have held them, NOT_JOURNALED, STOPPED
   */
  async restore(sales: readonly Omit<Sale, 'toy'>[]): Promise<void> {
    const { table, sellable, kept } = this.#options;
    this.#requireSelling();
    if (this.state !== 'selling') throw new CatalogError('NOT_JOURNALED', 'the catalog cannot write now');
    const lost = sales
      .filter((sale) => compareTags(sale, kept.newest) > 0)
      .map((sale) => ({ ...sale, toy: table.find(sale.name) }));
    const left = new Map<number, number>();
    for (const { toy, quantity, name } of lost) {
      left.set(toy, (left.get(toy) ?? sellable[toy] ?? 0) - quantity);
      if (left.get(toy)! >= 0) continue;
      const toyName = JSON.stringify(name.toString());
      throw new CatalogError('BOOKS_DIFFER', `the order log sold more of ${toyName} than the catalog ever had`);
    }
    for (const [toy, quantity] of left) sellable[toy] = quantity;
    for (const sale of lost) kept.add(sale);
    if (lost.length > 0 && !(await this.#open.carryOut(lost, [], NOBODY)).isStored) {
      throw new CatalogError('NOT_JOURNALED', 'the sales could not be written');
    }
  }

  /** Begins an incarnation of the order service. Durable when it resolves, with all that was decided before, and shown. */
  async begin(incarnation: number): Promise<void> {
    const { tags, holders, store } = this.#options;
    this.#requireSelling();
    if (this.state !== 'selling') {
      throw new CatalogError('NOT_JOURNALED', 'the catalog cannot write now: a new incarnation has to wait');
    }
    tags.begin(incarnation);
    const { isStored } = await this.#open.carryOut([], [], { ...NOBODY, recallsAll: true });
    if (!isStored) throw new CatalogError('NOT_JOURNALED', 'the new incarnation could not be written');
    // An order service that is told of sales answers for them: they must be the ones that everybody sees.
    await holders.earlierOver;
    // Also where the store is synced now and then: an incarnation that a power failure takes back would begin twice.
    await store.synced();
  }

  /** Refuses purchases from now on; resolves when all before are stored, undone or lost. Not all may be shown by then. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#open.stored();
  }

  #requireSelling(): void {
    const { state } = this;
    if (state === 'closed') throw new CatalogError('STOPPED', 'the catalog is stopping');
    if (state === 'failed')
      throw new CatalogError('NOT_JOURNALED', 'the journal failed: nothing is sold before a restart');
  }

  /** Whether tags of this batch may be executed at all; takes note of what it says is settled, and returns if that is news. */
  #admit({ incarnation, firstSequence, settledSequence, purchases }: PurchaseBatch<Purchase>): boolean {
    const { tags, kept } = this.#options;
    if (incarnation === 0 || incarnation !== tags.incarnation) {
      throw new CatalogError(
        'FOREIGN_INCARNATION',
        `purchases of incarnation ${incarnation} are refused: the newest is ${tags.incarnation}`,
      );
    }
    if (purchases.length > 0 && firstSequence <= tags.settledSequence) {
      const mark = tags.settledSequence;
      throw new CatalogError('SETTLED_TAG', `purchase ${firstSequence} was settled before: ${mark} is the mark`);
    }
    const isNews = tags.settle(settledSequence);
    if (isNews) kept.settle(tags.settled);
    if (!tags.hasRoomFor(firstSequence + purchases.length - 1)) {
      throw new CatalogError(
        'TAG_WINDOW',
        `too many purchases after ${tags.settledSequence}, the newest that is settled`,
      );
    }
    return isNews;
  }

  /** The outcome of each purchase; what is sold leaves the stock. */
  #decide({ incarnation, firstSequence, purchases }: PurchaseBatch<Purchase>): Decision {
    const { table, tags, kept } = this.#options;
    const [results, sales, decided, short]: [Result[], Sale[], number[], number[]] = [[], [], [], []];
    let hasRepeats = false;
    for (const [index, { name, quantity, key }] of purchases.entries()) {
      const sequence = firstSequence + index;
      let result = tags.recall(sequence);
      if (result !== undefined) {
        hasRepeats = true;
      } else {
        const toy = table.find(name);
        result = this.#sell(toy, quantity);
        tags.remember(sequence, result);
        if (restsOnStock(result)) decided.push(sequence);
        if (result === RESULT.NOT_ENOUGH_STOCK) short.push(toy);
        if (result === RESULT.DONE) {
          const sale = { incarnation, sequence, toy, name: this.#nameOf(toy), quantity, key };
          sales.push(sale);
          kept.add(sale);
        }
      }
      results.push(result);
    }
    this.#count(purchases.length);
    return { results, sales, decided, short, hasRepeats };
  }

  #sell(toy: number, quantity: number): Result {
    const { sellable } = this.#options;
    if (toy === -1) return RESULT.UNKNOWN_TOY;
    if (this.state !== 'selling') return RESULT.NOT_SELLING;
    const left = sellable[toy]!;
    if (quantity > left) return RESULT.NOT_ENOUGH_STOCK;
    sellable[toy] = left - quantity;
    return RESULT.DONE;
  }

  #storeMarks(): void {
    if (this.state !== 'selling') return;
    // What cannot be written now is written with the next sales.
    this.#open.carryOut([], [], NOBODY).catch(() => undefined);
  }

  #count(purchases: number): void {
    this.#batches++;
    this.#purchases += purchases;
  }

  /** A name of which there is one copy for all sales: they are kept for long, and the message they came in is not. */
  #nameOf(toy: number): Buffer {
    let name = this.#names.get(toy);
    if (name === undefined) {
      name = this.#options.table.nameOf(toy);
      this.#names.set(toy, name);
    }
    return name;
  }
}

/** The outcomes of a batch without repeats, of which sales of some toys are delegated. */
function withDelegated({ results, sales }: Decision, delegated: ReadonlySet<number>): Result[] {
  let sale = 0;
  return results.map((result) => {
    if (result !== RESULT.DONE) return result;
    return delegated.has(sales[sale++]!.toy) ? RESULT.DELEGATED : RESULT.DONE;
  });
}

/** Whether an outcome holds only if the sales before it hold. */
function restsOnStock(result: Result): boolean {
  return result === RESULT.DONE || result === RESULT.NOT_ENOUGH_STOCK;
}

/** @throws CatalogError BAD_PURCHASE for what no correct caller sends */
function checkBatch({ purchases, firstSequence, settledSequence }: PurchaseBatch<Purchase>): void {
  const refuse = (reason: string): never => {
    throw new CatalogError('BAD_PURCHASE', reason);
  };
  if (purchases.length > BATCH_PURCHASES_MAX) refuse(`${purchases.length} purchases in one message`);
  if (purchases.length > 0 && firstSequence > 0 && firstSequence <= settledSequence)
    refuse('a purchase is settled before it is made');
  for (const { quantity, key } of purchases) {
    if (quantity === 0) refuse('a purchase of nothing');
    if (!isOrderKey(key)) refuse('a key that neither a customer nor a front end may send');
  }
}
