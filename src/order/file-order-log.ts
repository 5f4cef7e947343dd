// file-order-log.ts: the order log in a file: orders.csv is the log itself.
//
//   append(group) ─► rows written ─► number told            readers see them
//                         └─ ten times a second ─► fdatasync ─► is it still the file that the path names? ─► durable
//
// Nothing is checked off against a second file: the catalog has every sale on its own disk and keeps it until it hears that
// the order is on ours. So what a crash takes from the end of orders.csv comes back from there, under the same numbers.
//
// A disk without room: append() waits, trying again, while `state` is 'full'. What it was given has been sold; there is
// no way back. A sync that failed is never tried again as if it could still succeed.

import { join } from 'node:path';
import { assert } from '../assert.js';
import { type Clock, pause, type Timer } from '../clock.js';
import type { Log } from '../log.js';
import { type FileSystem, StorageError, SyncTimes } from '../storage/index.js';
import { compareTags, type Tag } from '../store-contract.js';
import { IdempotencyKeys } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import type { AppendedOrders, OrderLog, OrderLogStats } from './order-log.js';
import { formatRows } from './order-row.js';
import type { LoggedOrder, SoldOrder } from './order-types.js';
import { OrdersFile } from './orders-file.js';
import type { LoadedOrders } from './orders-loader.js';

/** How often the file's name is looked after when nothing is written: the contract says a second. */
const CHECK_PERIOD_MS = 250;
/** Between two tries to write what the disk had no room for. */
const RETRY_MS = 500;
/** Of the version before: the journal that its orders.csv was made from. */
const EARLIER_JOURNAL = 'orders.journal';

export interface OrderLogOptions {
  /** Where orders.csv is; must exist, and be nobody else's. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly logger: Log;
  /** How soon a group is on disk after it was written. */
  readonly syncPeriodMs: number;
  /** Any number, see IdempotencyKeys. */
  readonly keySeed: number;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export class FileOrderLog implements OrderLog {
  readonly damage: string | undefined;
  readonly #options: OrderLogOptions;
  readonly #file: OrdersFile;
  readonly #keys: IdempotencyKeys;
  readonly #syncTimes: SyncTimes;
  #store: string;
  #lastTag: Tag;
  #failure: OrderError | undefined;
  #isFull = false;
  /** An append has begun that has not succeeded. */
  #isAppending = false;
  #appending: Promise<void> | undefined;
  #isClosed = false;
  /** Told of the next sync: all that they wait for was written before it began. */
  #waiters: Waiter[] = [];
  #isSynced = true;
  /** A sync or a look at the file's name that is under way. */
  #tending: Promise<void> | undefined;
  #timer: Timer | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #counts = { records: 0, groups: 0 };

  private constructor(options: OrderLogOptions, file: OrdersFile, keys: IdempotencyKeys, loaded: LoadedOrders) {
    this.#options = options;
    this.#file = file;
    this.#keys = keys;
    this.#syncTimes = new SyncTimes(options.clock, options.logger, file.path);
    this.#store = loaded.store;
    this.#lastTag = loaded.lastTag;
    this.damage = loaded.damage;
  }

  /**
   * Opens the log as far as it is whole: what stands behind that is left as it is until begin().
   *
   * @throws StorageError, or OrderError UNREADABLE; files are then as they were
   */
  static async open(options: OrderLogOptions): Promise<FileOrderLog> {
    const { directory, fileSystem, logger } = options;
    if ((await fileSystem.stat(join(directory, EARLIER_JOURNAL))) !== undefined) {
      const what = `${directory} holds the orders of an earlier version of the store, with a journal that this one cannot read`;
      throw new OrderError(
        'UNREADABLE',
        `${what}: go on with that version, or move the data directory away to begin anew`,
      );
    }
    const keys = new IdempotencyKeys(options.keySeed);
    const { file, loaded } = await OrdersFile.open(join(directory, 'orders.csv'), fileSystem, keys, logger);
    const log = new FileOrderLog(options, file, keys, loaded);
    try {
      if (log.endedUncleanly) await file.rewriteNewest();
    } catch (cause) {
      // Orders can be read all the same.
      log.#fail(new OrderError('LOG_FAILED', `${file.path}: its newest rows may not be on disk`, { cause }));
    }
    log.#tendIn(CHECK_PERIOD_MS);
    return log;
  }

  get orderCount(): number {
    return this.#file.index.count;
  }

  get lastTag(): Tag {
    return this.#lastTag;
  }

  get store(): string {
    return this.#store;
  }

  get endedUncleanly(): boolean {
    return this.#file.endedUncleanly;
  }

  get state(): 'open' | 'full' | 'failed' {
    if (this.#failure !== undefined) return 'failed';
    return this.#isFull ? 'full' : 'open';
  }

  get failure(): OrderError | undefined {
    return this.#failure;
  }

  async begin(store: string): Promise<void> {
    assert(this.#store === '' || this.#store === store, 'the orders are of another store');
    if (this.damage !== undefined) this.#options.logger.warn(`${this.damage}: what stands behind that is cut off`);
    this.#store = store;
    await this.#untilWritten(() => this.#file.cutRest());
  }

  async append(orders: readonly SoldOrder[]): Promise<AppendedOrders> {
    const firstNumber = this.orderCount;
    const orderedAtMs = this.#options.clock.wallMs();
    assert(orders.length > 0 && compareTags(orders[0]!.tag, this.#lastTag) > 0, 'sales must come in tag order');
    const rows = formatRows(orders, firstNumber, orderedAtMs, this.#store);
    this.#isAppending = true;
    this.#appending = this.#untilWritten(() => this.#file.append(rows));
    await this.#appending;
    for (const [index, { key }] of orders.entries()) {
      if (key !== '') this.#keys.bind(key, firstNumber + index, orderedAtMs);
    }
    this.#lastTag = orders.at(-1)!.tag;
    this.#isAppending = false;
    this.#isSynced = false;
    this.#counts.records += orders.length;
    this.#counts.groups++;
    this.#tendIn(this.#options.syncPeriodMs);
    return { firstNumber, durable: new Promise((resolve, reject) => this.#waiters.push({ resolve, reject })) };
  }

  async get(number: number): Promise<LoggedOrder | undefined> {
    if (!Number.isInteger(number) || number < 0 || number >= this.orderCount) return undefined;
    return this.#file.read(number);
  }

  findByKey(key: string): undefined | Promise<LoggedOrder | undefined> {
    const numbers = this.#keys.candidates(key);
    return numbers.length === 0 ? undefined : this.#firstWithKey(key, numbers);
  }

  async *ordersAfter(tag: Tag): AsyncIterable<readonly LoggedOrder[]> {
    for (let number = await this.#firstAfter(tag); number < this.orderCount; ) {
      const orders = await this.#file.readFrom(number);
      yield orders;
      number += orders.length;
    }
  }

  stats(): OrderLogStats {
    return {
      orders: this.orderCount,
      bytes: this.#file.bytes,
      keys: this.#keys.stats(),
      writes: { ...this.#counts, ...this.#syncTimes.stats() },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#tending;
    await this.#appending?.catch(() => undefined);
    if (this.#failure === undefined) await this.#tend();
    await this.#file.close(this.state === 'open' && !this.#isAppending);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #firstWithKey(key: string, numbers: readonly number[]): Promise<LoggedOrder | undefined> {
    for (const number of numbers) {
      const order = await this.get(number);
      if (order?.key === key) return order;
    }
    return undefined;
  }

  /** The number of the first order with a tag after that one. Tags rise, so it is found by halving. */
  async #firstAfter(tag: Tag): Promise<number> {
    let first = 0;
    let end = this.orderCount;
    while (first < end) {
      const middle = Math.floor((first + end) / 2);
      const order = await this.#file.read(middle);
      if (compareTags(order.tag, tag) > 0) end = middle;
      else first = middle + 1;
    }
    return first;
  }

  /** Writes, again and again until it works, for as long as the disk has no room. */
  async #untilWritten(write: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#options;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosed) throw new OrderError('CLOSED', 'the order log is closed');
      try {
        await write();
        break;
      } catch (error) {
        if (!(error instanceof StorageError && error.code === 'WRITE_FAILED')) throw error;
        if (!this.#isFull) logger.error('orders.csv cannot be written: nothing is sold until it can', { error });
        this.#isFull = true;
      }
      await pause(clock, RETRY_MS);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isFull) logger.info('orders.csv can be written again');
    this.#isFull = false;
  }

  /** Syncs and looks after the file's name, that soon at the latest. */
  #tendIn(delayMs: number): void {
    const { clock } = this.#options;
    const dueAtMs = clock.monotonicMs() + delayMs;
    if (this.#isClosed || this.#failure !== undefined || dueAtMs >= this.#dueAtMs) return;
    this.#timer?.cancel();
    this.#dueAtMs = dueAtMs;
    this.#timer = clock.after(delayMs, () => {
      this.#tending ??= this.#tend().finally(() => {
        this.#tending = undefined;
        this.#dueAtMs = Number.POSITIVE_INFINITY;
        this.#tendIn(this.#isSynced ? CHECK_PERIOD_MS : this.#options.syncPeriodMs);
      });
    });
  }

  /** Never rejects. */
  async #tend(): Promise<void> {
    const waiters = this.#waiters;
    this.#waiters = [];
    try {
      if (!this.#isSynced) {
        this.#isSynced = true;
        await this.#syncTimes.measure(() => this.#file.datasync());
      }
      await this.#file.lookAfter();
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      this.#waiters.push(...waiters);
      this.#fail(error instanceof OrderError ? error : failure(error));
    }
  }

  /** After a failed sync nobody knows what is on disk: nothing may ever vouch for it. */
  #fail(error: OrderError): void {
    this.#failure = error;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}

function failure(cause: unknown): OrderError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new OrderError('LOG_FAILED', `${what}: nothing more is sold; start the order service again`, { cause });
}
