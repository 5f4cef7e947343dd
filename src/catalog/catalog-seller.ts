// catalog-seller.ts: what any thread of the catalog does for those who call: it finds toys and sells them.
//
//   find       look up the names ─ read lock ─ prices, quantities on disk
//   purchase   look up the names ─ write lock ─ tags, stock, ring ─ unlock ─ wait for the disk ─ outcomes
//
// A batch is one section of the lock, whole or not at all. Nothing of it may be told before everything that its outcomes
// rest on is on disk: not only its own sales, but also those of others that used up the stock it was refused.

import { CatalogError } from './catalog-error.js';
import { BATCH_NAMES_MAX, BATCH_PURCHASES_MAX, KEY_BYTES_MAX } from './catalog-limits.js';
import type { CatalogMemory } from './catalog-memory.js';
import { NOT_ENOUGH_STOCK, NOT_SELLING, type PurchaseOutcome, SOLD, UNKNOWN_TOY } from './purchase-outcome.js';
import { SALES, SALES_HEAD_BYTES, saleBytesMax, writeSale, writeSalesHead } from './sale-records.js';
import { SaleRing } from './sale-ring.js';
import { TicketWaiters } from './ticket-waiters.js';

/** The toys of a batch of names, as columns in the order of the names. */
export interface FoundToys {
  /** 0: found; -1: there is no toy of that name. */
  readonly results: number[];
  /** 0 where not found. */
  readonly pricesCents: number[];
  /** 0 where not found. */
  readonly quantities: number[];
}

export interface Purchase {
  readonly name: Uint8Array;
  /** 1 to 4294967295. */
  readonly quantity: number;
  /** Kept with the sale; empty if there is none. */
  readonly key: string;
  /** The key is not a client's. Kept too. */
  readonly transientKey: boolean;
}

/** Purchases under consecutive tags, in the words of the interface (ProcessOrdersRequest). */
export interface PurchaseBatch {
  readonly incarnation: number;
  readonly firstSequence: number;
  readonly settledSequence: number;
  readonly purchases: readonly Purchase[];
}

/** What a section leaves behind: outcomes that hold if everything up to `ticket` gets to the disk. */
interface Section {
  readonly outcomes: PurchaseOutcome[];
  readonly ticket: number;
  readonly undoCount: number;
  readonly mustWait: boolean;
}

/** The batch of the unary call: no tag, nothing to remember. */
const NO_TAG = { incarnation: 0, firstSequence: 0, settledSequence: 0 };

export class CatalogSeller {
  readonly #memory: CatalogMemory;
  readonly #index: number;
  readonly #ringKeeper: () => void;
  readonly #waiters: TicketWaiters;

  /**
   * @param memory an attachment of this seller's own
   * @param index 0 to SELLERS_MAX - 1: which bell is this seller's
   * @param ringKeeper tells the journal's thread that there is something in the ring
   */
  constructor(memory: CatalogMemory, index: number, ringKeeper: () => void) {
    this.#memory = memory;
    this.#index = index;
    this.#ringKeeper = ringKeeper;
    this.#waiters = new TicketWaiters(memory, index);
  }

  /** This seller's bell: what purchases wait for may have come. */
  ring(): void {
    this.#waiters.look();
  }

  /** The toys of those names; quantities are what is on disk. */
  find(names: readonly Uint8Array[]): FoundToys {
    const { length } = names;
    if (length > BATCH_NAMES_MAX) {
      throw new CatalogError('BAD_PURCHASE', `${length} names in one message: at most ${BATCH_NAMES_MAX} are allowed`);
    }
    const { table } = this.#memory;
    // Names, index and prices never change: only the quantities need the lock.
    const toys = names.map((name) => table.find(name));
    const quantities = this.#memory.read(() => toys.map((toy) => (toy === -1 ? 0 : table.shown[toy]!)));
    this.#memory.count(this.#index, 'find', length, 0);
    this.#memory.countWaits(this.#index);
    return {
      results: toys.map((toy) => (toy === -1 ? UNKNOWN_TOY : 0)),
      pricesCents: toys.map((toy) => (toy === -1 ? 0 : table.pricesCents[toy]!)),
      quantities,
    };
  }

  /**
   * Executes a batch of purchases under tags; those that were executed before get the outcome that they got then.
   *
   * @returns one outcome for each, once all that they rest on is on disk
   * @throws CatalogError FOREIGN_INCARNATION, SETTLED_TAG, TAG_WINDOW, BAD_PURCHASE, STOPPED: nothing was sold.
   *   NOT_JOURNALED: whether it was sold, the next start will tell
   */
  purchase(batch: PurchaseBatch): Promise<PurchaseOutcome[]> {
    return this.#execute(batch, true);
  }

  /** Sells without a tag, as the unary call does; its outcome is remembered nowhere. Throws as purchase() does. */
  async purchaseUntagged(name: Uint8Array, quantity: number): Promise<PurchaseOutcome> {
    const batch = { ...NO_TAG, purchases: [{ name, quantity, key: '', transientKey: false }] };
    return (await this.#execute(batch, false))[0]!;
  }

  async #execute(batch: PurchaseBatch, isTagged: boolean): Promise<PurchaseOutcome[]> {
    checkBatch(batch, isTagged);
    const { table } = this.#memory;
    const toys = batch.purchases.map(({ name }) => table.find(name));
    const section = this.#sell(batch, toys, isTagged);
    if (!section.mustWait) return section.outcomes;
    const fate = await this.#waiters.wait(section.ticket, section.undoCount);
    if (fate === 'durable') return section.outcomes;
    if (fate === 'undone') return this.#outcomesAfterUndo(batch, section, isTagged);
    throw new CatalogError('NOT_JOURNALED', 'the journal failed: whether the purchases are on disk is unknown');
  }

  /** The one lock section of a batch. */
  #sell(batch: PurchaseBatch, toys: readonly number[], isTagged: boolean): Section {
    const memory = this.#memory;
    let mustRingKeeper = false;
    const section = memory.write((): Section => {
      if (isTagged) this.#admit(batch);
      if (memory.state === 'closed') throw new CatalogError('STOPPED', 'the catalog is stopping');
      if (memory.state === 'failed') {
        throw new CatalogError('NOT_JOURNALED', 'the journal failed: nothing is sold before the catalog is restarted');
      }
      const before = memory.appended;
      const outcomes = this.#decide(batch, toys, isTagged);
      const hasSold = memory.appended > before;
      if (hasSold && !memory.isKeeperAwake) {
        memory.isKeeperAwake = true;
        mustRingKeeper = true;
      }
      const ticket = memory.appended;
      if (isTagged) this.#rememberAll(batch, outcomes, ticket);
      const mustWait = ticket > memory.resolved && outcomes.some(restsOnStock);
      if (mustWait) memory.requestBell(this.#index);
      return { outcomes, ticket, undoCount: memory.undoCount, mustWait };
    });
    if (mustRingKeeper) this.#ringKeeper();
    const sold = section.outcomes.filter((outcome) => outcome === SOLD).length;
    memory.count(this.#index, 'purchase', toys.length, sold);
    memory.countWaits(this.#index);
    return section;
  }

  /** Whether tags of this batch may be executed at all; takes note of what it says is settled. */
  #admit(batch: PurchaseBatch): void {
    const { tags } = this.#memory;
    const { incarnation, firstSequence, settledSequence, purchases } = batch;
    if (incarnation === 0 || incarnation !== tags.incarnation) {
      throw new CatalogError(
        'FOREIGN_INCARNATION',
        `purchases of incarnation ${incarnation} are refused: the newest is ${tags.incarnation}`,
      );
    }
    if (purchases.length > 0 && firstSequence <= tags.settled) {
      throw new CatalogError(
        'SETTLED_TAG',
        `purchase ${firstSequence} was settled before: ${tags.settled} is the mark`,
      );
    }
    tags.settle(settledSequence);
    if (!tags.hasRoomFor(firstSequence + purchases.length - 1)) {
      throw new CatalogError('TAG_WINDOW', `too many purchases after ${tags.settled}, the newest that is settled`);
    }
  }

  /** The outcome of each purchase; what is sold leaves the stock and goes into the ring as one frame. */
  #decide(batch: PurchaseBatch, toys: readonly number[], isTagged: boolean): PurchaseOutcome[] {
    const { ring, table, tags } = this.#memory;
    const { purchases, firstSequence } = batch;
    const position = this.#placeFrame(batch, toys);
    const payloadAt = position === undefined ? 0 : ring.payloadOffset(position, purchases.length);
    let at = payloadAt;
    let effects = 0;
    const outcomes = purchases.map((purchase, index): PurchaseOutcome => {
      const sequence = firstSequence + index;
      const known = isTagged ? tags.recall(sequence) : undefined;
      if (known !== undefined) return known;
      const toy = toys[index]!;
      if (toy === -1) return UNKNOWN_TOY;
      if (position === undefined) return NOT_SELLING;
      const { name, quantity, key } = purchase;
      const left = table.sellable[toy]!;
      if (quantity > left) return NOT_ENOUGH_STOCK;
      table.sellable[toy] = left - quantity;
      if (effects === 0) at = writeSalesHead(ring.bytes, at, SALES, batch.incarnation, tags.settled);
      ring.setEffect(position, effects++, toy, quantity);
      at = writeSale(ring.bytes, at, sequence, quantity, name, key, purchase.transientKey);
      return SOLD;
    });
    if (position !== undefined && effects > 0) {
      this.#memory.appended = ring.finish(position, effects, payloadAt, at - payloadAt);
    }
    return outcomes;
  }

  /** Where the frame of a batch goes; undefined while the journal takes nothing, or is too far behind. */
  #placeFrame({ purchases }: PurchaseBatch, toys: readonly number[]): number | undefined {
    const { state, appended, resolved, ring } = this.#memory;
    if (state !== 'selling') return undefined;
    let payloadBytesMax = SALES_HEAD_BYTES;
    for (const [index, { name, key }] of purchases.entries()) {
      if (toys[index] !== -1) payloadBytesMax += saleBytesMax(name.length, key);
    }
    return ring.place(appended, resolved, SaleRing.frameBytes(purchases.length, payloadBytesMax));
  }

  #rememberAll({ firstSequence }: PurchaseBatch, outcomes: readonly PurchaseOutcome[], ticket: number): void {
    const { tags } = this.#memory;
    for (let index = 0; index < outcomes.length; index++) {
      const sequence = firstSequence + index;
      const outcome = outcomes[index]!;
      if (tags.recall(sequence) === undefined) tags.remember(sequence, outcome, restsOnStock(outcome) ? ticket : 0);
    }
  }

  /** What could not be written was undone. The tags know which purchases were on disk before all the same. */
  #outcomesAfterUndo(batch: PurchaseBatch, { outcomes }: Section, isTagged: boolean): PurchaseOutcome[] {
    if (!isTagged) return outcomes.map(() => NOT_SELLING);
    const { tags } = this.#memory;
    return this.#memory.read(() =>
      outcomes.map((_, index) => {
        const sequence = batch.firstSequence + index;
        const outcome = tags.incarnation === batch.incarnation ? tags.recall(sequence) : undefined;
        if (outcome !== undefined) return outcome;
        throw new CatalogError('SETTLED_TAG', `purchase ${sequence} was settled while this copy of it waited`);
      }),
    );
  }
}

/** Whether an outcome holds only if the sales before it hold. */
function restsOnStock(outcome: PurchaseOutcome): boolean {
  return outcome === SOLD || outcome === NOT_ENOUGH_STOCK;
}

/** @throws CatalogError BAD_PURCHASE for what no correct caller sends */
function checkBatch({ purchases, firstSequence, settledSequence }: PurchaseBatch, isTagged: boolean): void {
  const refuse = (reason: string): never => {
    throw new CatalogError('BAD_PURCHASE', reason);
  };
  if (purchases.length > BATCH_PURCHASES_MAX) refuse(`${purchases.length} purchases in one message`);
  if (isTagged && purchases.length > 0 && firstSequence <= settledSequence)
    refuse('a purchase is settled before it is made');
  for (const { quantity, key } of purchases) {
    if (quantity === 0) refuse('a purchase of nothing');
    if (key.length > KEY_BYTES_MAX || Buffer.byteLength(key) > KEY_BYTES_MAX) refuse('a key is too long');
  }
}
