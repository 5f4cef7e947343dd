// catalog-memory.ts: what all threads of the catalog share, under one reader-writer lock.
//
//   control  | lock | doorbell words | positions and state | counters, a row for each seller |
//   table    stock-table.ts     tags   purchase-tags.ts     ring   sale-ring.ts
//
//   state    selling ──a write fails──> full ──the journal takes writes again──> selling
//            selling ──a sync fails──> failed, for good        any ──close──> closed
//
// Positions are places in the ring, counted in bytes from the start of the process. `appended`: up to here sales have been
// made. `resolved`: up to here they are on disk, or have been undone. A purchase may be answered once `resolved` has passed
// it; undoings are kept for a while so that it can tell which of the two happened.
//
// A section that ends by an error that nobody expected has left things half done: from then on no thread gets in, and the
// process ends. Recovery from the journal is the one way out that is known to work.

import { SharedRwLock } from '../lock/index.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogRows } from './catalog-file.js';
import { LOCK_TIMEOUT_MS, SELLERS_MAX, UNDO_HISTORY } from './catalog-limits.js';
import { PurchaseTags } from './purchase-tags.js';
import { SaleRing } from './sale-ring.js';
import { StockTable } from './stock-table.js';

/** Whether toys are sold. `full`: writing does not work just now. `failed`: not before the process is started again. */
const SELLING_STATES = ['selling', 'full', 'failed', 'closed'] as const;

export type SellingState = (typeof SELLING_STATES)[number];

/** What became of a place in the ring. */
export type Fate = 'open' | 'durable' | 'undone' | 'unknown';

/** The shared memory itself: what a thread is given to attach. */
export interface CatalogMemoryParts {
  readonly control: SharedArrayBuffer;
  readonly table: SharedArrayBuffer;
  readonly tags: SharedArrayBuffer;
  readonly ring: SharedArrayBuffer;
}

/** Sums since the start, of one seller or of all. Times in milliseconds. */
export interface SellerCounters {
  readonly findBatches: number;
  readonly finds: number;
  readonly purchaseBatches: number;
  readonly purchases: number;
  readonly sold: number;
  readonly lockReadWaits: number;
  readonly lockWriteWaits: number;
  readonly lockLongestWaitMs: number;
}

const COUNTERS = [
  'findBatches',
  'finds',
  'purchaseBatches',
  'purchases',
  'sold',
  'lockReadWaits',
  'lockWriteWaits',
  'lockLongestWaitMs',
] as const satisfies readonly (keyof SellerCounters)[];

/** Words of 32 bits, used through Atomics. */
const BELLS_WORD = SharedRwLock.WORDS;
const WORDS = BELLS_WORD + SELLERS_MAX + ((BELLS_WORD + SELLERS_MAX) & 1);

/** Words of 64 bits behind them, used under the lock. */
const APPENDED = 0;
const RESOLVED = 1;
const STATE = 2;
const IS_BROKEN = 3;
const IS_KEEPER_AWAKE = 4;
const UNDO_COUNT = 5;
const UNDONE_FROM = 6;
const COUNTERS_AT = UNDONE_FROM + UNDO_HISTORY;
const NUMBERS = COUNTERS_AT + SELLERS_MAX * COUNTERS.length;

export class CatalogMemory {
  readonly table: StockTable;
  readonly tags: PurchaseTags;
  readonly ring: SaleRing;
  readonly #lock: SharedRwLock;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  /** Attaches, in any thread. Each attachment is a holder of the lock and is used by one thread, without overlap. */
  constructor(readonly parts: CatalogMemoryParts) {
    this.table = new StockTable(parts.table);
    this.tags = new PurchaseTags(parts.tags);
    this.ring = new SaleRing(parts.ring);
    this.#words = new Int32Array(parts.control, 0, WORDS);
    this.#numbers = new Float64Array(parts.control, WORDS * 4, NUMBERS);
    this.#lock = new SharedRwLock(this.#words);
  }

  /** New memory with the toys of a file. */
  static create(rows: CatalogRows): CatalogMemory {
    return new CatalogMemory({
      control: new SharedArrayBuffer(WORDS * 4 + NUMBERS * 8),
      table: StockTable.build(rows).memory,
      tags: new SharedArrayBuffer(PurchaseTags.BYTES),
      ring: new SharedArrayBuffer(SaleRing.BYTES),
    });
  }

  // ---- sections ------------------------------------------------------------------------------------------------------

  /**
   * Runs `section` under the write lock. A CatalogError that it throws passes through, and must be thrown before anything
   * was changed; any other error breaks the catalog.
   */
  write<T>(section: () => T): T {
    if (!this.#lock.acquireWrite(LOCK_TIMEOUT_MS)) throw lockLost();
    try {
      this.#requireWhole();
      return section();
    } catch (error) {
      if (!(error instanceof CatalogError)) this.#numbers[IS_BROKEN] = 1;
      throw error;
    } finally {
      this.#lock.releaseWrite();
    }
  }

  /** Runs `section`, which changes nothing, under the read lock. */
  read<T>(section: () => T): T {
    if (!this.#lock.acquireRead(LOCK_TIMEOUT_MS)) throw lockLost();
    try {
      this.#requireWhole();
      return section();
    } finally {
      this.#lock.releaseRead();
    }
  }

  /** Puts the lock right after the end of a thread. Whether the thread ended inside a write section: see `isBroken`. */
  repairAfter(deadThreadId: number): void {
    this.#lock.repair(deadThreadId, () => {
      this.#numbers[IS_BROKEN] = 1;
    });
  }

  /** Whether a section was left in the middle: the process must end. */
  get isBroken(): boolean {
    return this.#numbers[IS_BROKEN] === 1;
  }

  /** Gives the place among the lock's holders back; nothing is used after this. */
  detach(): void {
    this.#lock[Symbol.dispose]();
  }

  // ---- under the lock ------------------------------------------------------------------------------------------------

  get appended(): number {
    return this.#numbers[APPENDED]!;
  }

  set appended(position: number) {
    this.#numbers[APPENDED] = position;
  }

  get resolved(): number {
    return this.#numbers[RESOLVED]!;
  }

  set resolved(position: number) {
    this.#numbers[RESOLVED] = position;
  }

  get state(): SellingState {
    return SELLING_STATES[this.#numbers[STATE]!]!;
  }

  set state(state: SellingState) {
    this.#numbers[STATE] = SELLING_STATES.indexOf(state);
  }

  /** Whether the journal's thread will look at the ring again without being rung for. */
  get isKeeperAwake(): boolean {
    return this.#numbers[IS_KEEPER_AWAKE] === 1;
  }

  set isKeeperAwake(isAwake: boolean) {
    this.#numbers[IS_KEEPER_AWAKE] = isAwake ? 1 : 0;
  }

  /** How often sales have been undone. */
  get undoCount(): number {
    return this.#numbers[UNDO_COUNT]!;
  }

  /** Takes back everything after `resolved`: what could not be written has not been sold. */
  undoUnresolved(): void {
    const { ring, table, tags, resolved, appended, undoCount } = this;
    for (const frame of ring.frames(resolved, appended)) ring.applyEffects(frame, table.sellable, 1);
    tags.undoAfter(resolved);
    this.#numbers[UNDONE_FROM + (undoCount % UNDO_HISTORY)] = resolved;
    this.#numbers[UNDO_COUNT] = undoCount + 1;
    this.resolved = appended;
  }

  /**
   * What became of the sales up to `ticket`.
   *
   * @param ticket a position that was at or before `appended` when undoCount was `undoCount`
   */
  fateOf(ticket: number, undoCount: number): Fate {
    if (this.undoCount === undoCount) {
      if (ticket <= this.resolved) return 'durable';
      return this.state === 'failed' ? 'unknown' : 'open';
    }
    if (this.undoCount - undoCount > UNDO_HISTORY) return 'unknown';
    // The first undoing after the ticket was given took back all that was not on disk then.
    return ticket <= this.#numbers[UNDONE_FROM + (undoCount % UNDO_HISTORY)]! ? 'durable' : 'undone';
  }

  // ---- without the lock ----------------------------------------------------------------------------------------------

  /** Says that this seller waits for `resolved` to move. Before it looks whether it has, so that no ring is missed. */
  requestBell(seller: number): void {
    Atomics.store(this.#words, BELLS_WORD + seller, 1);
  }

  /** The sellers that wait to be rung for; each is told once for each request. */
  takeBellRequests(): number[] {
    const sellers: number[] = [];
    for (let seller = 0; seller < SELLERS_MAX; seller++) {
      if (Atomics.exchange(this.#words, BELLS_WORD + seller, 0) === 1) sellers.push(seller);
    }
    return sellers;
  }

  /** Adds to the counters of a seller, which nobody else writes; readers may see one batch more or less. */
  count(seller: number, kind: 'find' | 'purchase', items: number, sold: number): void {
    const at = COUNTERS_AT + seller * COUNTERS.length + (kind === 'find' ? 0 : 2);
    this.#numbers[at]! += 1;
    this.#numbers[at + 1]! += items;
    if (kind === 'find') return;
    this.#numbers[at + 2]! += sold;
  }

  /** Puts this holder's waits for the lock into the counters of a seller. */
  countWaits(seller: number): void {
    const { readWaits, writeWaits, longestReadWaitMs, longestWriteWaitMs } = this.#lock.stats();
    const at = COUNTERS_AT + seller * COUNTERS.length + COUNTERS.indexOf('lockReadWaits');
    this.#numbers[at] = readWaits;
    this.#numbers[at + 1] = writeWaits;
    this.#numbers[at + 2] = Math.max(longestReadWaitMs, longestWriteWaitMs);
  }

  /** The counters of all sellers together. */
  counters(): SellerCounters {
    const sums = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<keyof SellerCounters, number>;
    for (let seller = 0; seller < SELLERS_MAX; seller++) {
      for (const [place, name] of COUNTERS.entries()) {
        const value = this.#numbers[COUNTERS_AT + seller * COUNTERS.length + place]!;
        sums[name] = name === 'lockLongestWaitMs' ? Math.max(sums[name], value) : sums[name] + value;
      }
    }
    return sums;
  }

  #requireWhole(): void {
    if (this.#numbers[IS_BROKEN] === 1) {
      throw new CatalogError('BROKEN', 'the table in memory is half written: a thread ended while it changed it');
    }
  }
}

function lockLost(): CatalogError {
  return new CatalogError('BROKEN', `the lock of the catalog was not to be had for ${LOCK_TIMEOUT_MS} ms`);
}
