// shop.ts: an order engine on a real directory with a catalog of a few lines behind it. The catalog keeps the ledger
// protocol (tags, repeats, fencing), and can be told to hold its answers back, so that a test can stop at any step.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { Log } from '../../src/log.js';
import type { CatalogLink, LogPosition, Recovery } from '../../src/order/catalog-link.js';
import type { EngineLimits } from '../../src/order/engine-options.js';
import { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import { OrderError } from '../../src/order/order-error.js';
import type { OrderRequest, SoldOrder } from '../../src/order/order-types.js';
import { type FileSystem, nodeFileSystem } from '../../src/storage/index.js';
import { compareTags, NO_TAG, type PurchaseBatch, RESULT, type Tag } from '../../src/store-contract.js';

/** A catalog in a few lines. It outlives the engines that are started on it. */
export class TestCatalog {
  /** Part of every tag. */
  store = 'testtest';
  /** How far it was told that all is on the order service's disk. */
  settled: Tag = NO_TAG;
  /** How many of its newest sales it has in memory; those before are gone where it keeps them no longer. */
  keptMax = Number.POSITIVE_INFINITY;
  /** Its own last run did not end cleanly. */
  endedUncleanly = false;
  readonly stock = new Map([
    ['Tux', 100],
    ['Whale', 100],
    ['Duck, "yellow"\nand wet', 100],
  ]);
  readonly sales: SoldOrder[] = [];
  readonly batches: PurchaseBatch<OrderRequest>[] = [];
  /** With those without purchases. */
  readonly all: PurchaseBatch<OrderRequest>[] = [];
  isAway = false;
  isSelling = true;
  readonly #outcomes = new Map<string, number>();
  #incarnation = 0;
  #held: (() => void)[] | undefined;

  /** Sells at once, and answers only at release(). */
  hold(): void {
    this.#held ??= [];
  }

  /** Answers what is held, in the order in which it was asked, or the last first. */
  release(order: 'first come' | 'last first' = 'first come'): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const answer of order === 'first come' ? held : held.reverse()) answer();
  }

  get heldCount(): number {
    return this.#held?.length ?? 0;
  }

  link(): CatalogLink {
    return {
      processOrders: (batch) => this.#processOrders(batch),
      recover: (position) => this.#recover(position),
      restore: (store, sales) => this.#restore(store, sales),
      recall: () => (this.isAway ? Promise.reject(new Error('no connection')) : Promise.resolve()),
    };
  }

  async #recover({ logged, store, endedUncleanly }: LogPosition): Promise<Recovery> {
    if (this.isAway) throw new Error('no connection');
    const refuse = (why: string): never => {
      throw new OrderError('REFUSED', why);
    };
    if (store !== '' && store !== this.store) refuse(`the order log is of store ${store}`);
    const newest = this.sales.at(-1)?.tag ?? NO_TAG;
    if (compareTags(logged, newest) > 0) {
      if (this.endedUncleanly) return { store: this.store, lacking: newest };
      refuse('the catalog is behind the order log');
    }
    const missing = this.sales.filter((sale) => compareTags(sale.tag, logged) > 0);
    const isKept = missing.length <= this.keptMax;
    if (compareTags(logged, this.settled) < 0 && !(endedUncleanly && isKept)) refuse('the order log is behind');
    this.#incarnation = Math.max(this.#incarnation, newest.incarnation) + 1;
    return { store: this.store, incarnation: this.#incarnation, sales: missing };
  }

  async #restore(store: string, sales: AsyncIterable<readonly SoldOrder[]>): Promise<void> {
    if (store !== this.store) throw new OrderError('REFUSED', 'another store');
    for await (const group of sales) {
      for (const sale of group) {
        this.sales.push(sale);
        this.stock.set(sale.name, this.stock.get(sale.name)! - sale.quantity);
      }
    }
  }

  async #processOrders(batch: PurchaseBatch<OrderRequest>): Promise<readonly number[]> {
    if (batch.incarnation !== this.#incarnation) throw new OrderError('FENCED', 'an incarnation of before');
    this.all.push(batch);
    if (batch.purchases.length > 0) this.batches.push(batch);
    if (batch.settledSequence > 0) {
      this.settled = { incarnation: batch.incarnation, sequence: batch.settledSequence };
    }
    const results = batch.purchases.map((request, index) => this.#sell(request, batch, index));
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return results;
  }

  #sell(request: OrderRequest, batch: PurchaseBatch<OrderRequest>, index: number): number {
    const tag = `${batch.incarnation}:${batch.firstSequence + index}`;
    const outcome = this.#outcomes.get(tag) ?? this.#sellNew(request, batch, index);
    this.#outcomes.set(tag, outcome);
    return outcome;
  }

  #sellNew(request: OrderRequest, batch: PurchaseBatch<OrderRequest>, index: number): number {
    const left = this.stock.get(request.name);
    if (left === undefined) return RESULT.UNKNOWN_TOY;
    if (!this.isSelling) return RESULT.NOT_SELLING;
    if (left < request.quantity) return RESULT.NOT_ENOUGH_STOCK;
    this.stock.set(request.name, left - request.quantity);
    const tag = { incarnation: batch.incarnation, sequence: batch.firstSequence + index };
    this.sales.push({ name: request.name, quantity: request.quantity, key: request.key, tag });
    return RESULT.DONE;
  }
}

export interface ShopOptions {
  readonly directory?: string;
  readonly fileSystem?: FileSystem;
  readonly limits?: Partial<EngineLimits>;
  readonly logger?: Log;
}

/** A running engine with what it stands on. */
export interface Shop {
  readonly engine: OrderEngine;
  readonly log: FileOrderLog;
  readonly directory: string;
  /** Places one order: `result` or the number. */
  buy(name: string, quantity: number, key?: string): Promise<string>;
  /** Ends as a process does that is killed: nothing more is written. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

const RESULT_NAMES = new Map(Object.entries(RESULT).map(([name, value]) => [value as number, name]));

export async function openShop(catalog: TestCatalog, options: ShopOptions = {}): Promise<Shop> {
  const directory = options.directory ?? (await makeDirectory());
  const log = await openLog(directory, options);
  const engine = new OrderEngine({
    link: catalog.link(),
    log,
    clock: systemClock,
    logger: options.logger ?? silent,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  await engine.start();
  return {
    engine,
    log,
    directory,
    async buy(name, quantity, key = '') {
      const { results, numbers } = await engine.place([{ name, quantity, key, requestId: '' }]);
      return results[0] === RESULT.DONE ? `number ${numbers[0]}` : RESULT_NAMES.get(results[0]!)!;
    },
    async crash() {
      // The engine is abandoned as it stands: whatever it waits for never comes.
      await engine.stop();
    },
    async close() {
      await engine.stop();
      await log.close();
    },
  };
}

export const silent = new Log('silent');

export function openLog(directory: string, options: ShopOptions = {}): Promise<FileOrderLog> {
  return FileOrderLog.open({
    directory,
    fileSystem: options.fileSystem ?? nodeFileSystem,
    clock: systemClock,
    logger: options.logger ?? silent,
    syncPeriodMs: 5,
    keySeed: 1,
  });
}

const made: string[] = [];

/** A new empty directory; removeDirectories() takes it away again. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'toystore-order-'));
  made.push(directory);
  return directory;
}

export async function removeDirectories(): Promise<void> {
  await Promise.all(made.splice(0).map((directory) => rm(directory, { recursive: true, force: true })));
}
