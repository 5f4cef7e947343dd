// file-order-log.ts: the orders that are: numbered without a gap, written before anyone is told, found by number and by key.
//
//   append(group) ─► journal: write ─┬─► numbers ─► fdatasync of the journal ─► durable
//                 ─► orders.csv     ─┘
//   checkpoint    ─► fdatasync orders.csv ─► the journal begins anew with a head: length, checksum, count, last tag
//
// The journal is the truth: what a crash tore off orders.csv is written again from it, and what orders.csv has beyond the
// journal is cut off. A crash between the two steps of a checkpoint leaves the old journal, and rows that
// are the same when written again.
//
// A disk without room: append() waits, trying again, while `state` is 'full'. What it was given has been sold; there is
// no way back.

import { join } from 'node:path';
import { assert } from '../assert.js';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { type FileSystem, Journal, type JournalStats, StorageError } from '../storage/index.js';
import { IdempotencyKeys, type KeyStats } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import { encodeHead, encodeOrders, type LogHead, type OrderGroup } from './order-record.js';
import { OrderReplay } from './order-replay.js';
import { formatRows } from './order-row.js';
import { compareTags, type LoggedOrder, type SoldOrder, type Tag } from './order-types.js';
import { EMPTY_HEAD, OrdersFile } from './orders-file.js';
import { PatientWrites } from './patient-writes.js';

/** A journal larger than this makes a checkpoint due: about half a million orders, replayed in well under a second. */
const CHECKPOINT_BYTES = 32 * 1024 * 1024;
/** Rows written at once when orders.csv is mended. */
const MEND_TEXT_MAX = 1024 * 1024;

export interface OrderLogOptions {
  /** Where journal and orders.csv are; must exist, and be nobody else's. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly logger: Log;
  /** How soon a group is on disk after it was written. */
  readonly syncPeriodMs: number;
  /** Any number, see IdempotencyKeys. */
  readonly keySeed: number;
  readonly checkpointBytes?: number;
}

export interface OrderLogStats {
  readonly orders: number;
  readonly journalBytes: number;
  readonly checkpoints: number;
  readonly keys: KeyStats;
  readonly journal: JournalStats;
}

export interface AppendedOrders {
  /** The number of the first; the others follow it. */
  readonly firstNumber: number;
  /** Resolves when they are on disk; rejects with OrderError SYNC_FAILED: they may be. */
  readonly durable: Promise<void>;
}

export class FileOrderLog {
  readonly #options: OrderLogOptions;
  readonly #journal: Journal;
  readonly #file: OrdersFile;
  readonly #keys: IdempotencyKeys;
  readonly #writes: PatientWrites;
  #lastTag: Tag;
  /** An append has begun that has not succeeded: orders.csv may have rows that are in no journal and under no tag yet. */
  #isAppending = false;
  /** A sync of orders.csv failed. */
  #hasSyncFailed = false;
  /** orders.csv is on disk nearly whole: the checkpoint's own sync will be short. */
  #checkpoint: 'none' | 'syncing' | 'due' = 'none';
  /** The sync that brings it there; never rejects. */
  #earlySync: Promise<void> | undefined;
  /** The size of the journal at which the next one is due. */
  #checkpointBytes: number;
  #checkpointCount = 0;

  private constructor(options: OrderLogOptions, journal: Journal, file: OrdersFile, keys: IdempotencyKeys, last: Tag) {
    this.#options = options;
    this.#journal = journal;
    this.#file = file;
    this.#keys = keys;
    this.#writes = new PatientWrites(options.clock, options.logger);
    this.#lastTag = last;
    this.#checkpointBytes = options.checkpointBytes ?? CHECKPOINT_BYTES;
  }

  /**
   * Opens the log, mending what a crash left. Memory beyond the log's own: one journal's worth of orders.
   *
   * @throws StorageError, or OrderError MISMATCH or CORRUPT; files are then as they were
   */
  static async open(options: OrderLogOptions): Promise<FileOrderLog> {
    const { directory, fileSystem, logger, syncPeriodMs } = options;
    const csvPath = join(directory, 'orders.csv');
    const replay = new OrderReplay();
    const journal = await Journal.open({
      path: join(directory, 'orders.journal'),
      fileSystem,
      clock: options.clock,
      log: logger,
      syncMode: { periodMs: syncPeriodMs },
      onRecord: (payload) => replay.take(payload),
    });
    try {
      if (replay.head === undefined) {
        await OrdersFile.create(csvPath, fileSystem);
        journal.append(encodeHead(EMPTY_HEAD));
        await journal.commit();
        await journal.synced();
      }
      const keys = new IdempotencyKeys(options.keySeed);
      const file = await OrdersFile.open(csvPath, replay.head ?? EMPTY_HEAD, keys, fileSystem);
      const log = new FileOrderLog(options, journal, file, keys, replay.lastTag);
      await log.#mend(replay.groups());
      return log;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  get orderCount(): number {
    return this.#file.index.count;
  }

  /** The tag of the newest order. */
  get lastTag(): Tag {
    return this.#lastTag;
  }

  /** `full`: nothing can be written for now. `failed`: nothing more before a restart. Reading goes on in any case. */
  get state(): 'open' | 'full' | 'failed' {
    if (this.#hasSyncFailed || this.#journal.state === 'failed') return 'failed';
    return this.#writes.isWaiting ? 'full' : this.#journal.state;
  }

  /**
   * Makes orders of sales: written to the journal and to orders.csv, and their keys bound, when this resolves. One call at
   * a time.
   *
   * @param orders in tag order, after all before them
   * @throws OrderError SYNC_FAILED when a sync has failed (the orders may be on disk or not), CLOSED at the end
   */
  async append(orders: readonly SoldOrder[]): Promise<AppendedOrders> {
    const firstNumber = this.orderCount;
    const orderedAtMs = this.#options.clock.wallMs();
    assert(orders.length > 0 && compareTags(orders[0]!.tag, this.#lastTag) > 0, 'sales must come in tag order');
    const records = encodeOrders(orders, firstNumber, orderedAtMs);
    const rows = formatRows(orders, firstNumber, orderedAtMs);
    this.#isAppending = true;
    // Both at once. A row that a crash leaves without its record is cut off, and comes back by recovery: the catalog has
    // sold it, and it is the next one in tag order.
    const toJournal = this.#writes.until('journal', async () => {
      this.#journal.appendMany(records);
      await this.#journal.commit();
    });
    const toFile = this.#writes.until('file', () => this.#file.append(rows));
    await Promise.all([toJournal, toFile]).catch((error: unknown) => {
      throw error instanceof OrderError ? error : this.#syncFailure(error);
    });
    this.#note({ orders, firstNumber, orderedAtMs });
    this.#isAppending = false;
    this.#prepareCheckpoint();
    return { firstNumber, durable: this.#synced() };
  }

  /** The order of that number, if there is one. */
  async get(number: number): Promise<LoggedOrder | undefined> {
    if (!Number.isInteger(number) || number < 0 || number >= this.orderCount) return undefined;
    return this.#file.read(number);
  }

  /** The order that the key is bound to; undefined at once where there certainly is none. */
  findByKey(key: string): undefined | Promise<LoggedOrder | undefined> {
    const numbers = this.#keys.candidates(key);
    return numbers.length === 0 ? undefined : this.#firstWithKey(key, numbers);
  }

  /** Whether a checkpoint should be made now. */
  get wantsCheckpoint(): boolean {
    return this.#checkpoint === 'due';
  }

  /** Begins a new journal. Not while an append is under way: the rows that it writes are not under `lastTag` yet. */
  async checkpoint(): Promise<void> {
    assert(!this.#isAppending, 'a checkpoint vouches for whole groups');
    // The kernel tells of a failed write once: of two syncs side by side the other would find that all is well.
    await this.#earlySync;
    await this.#syncFile();
    if (this.#hasSyncFailed) throw this.#syncFailure(undefined);
    const head: LogHead = {
      csvBytes: this.#file.bytes,
      csvChecksum: this.#file.checksum,
      orderCount: this.orderCount,
      lastTag: this.#lastTag,
    };
    this.#checkpoint = 'none';
    try {
      await this.#journal.restart([encodeHead(head)]);
    } catch (error) {
      if (!(error instanceof StorageError && error.code === 'WRITE_FAILED')) throw this.#syncFailure(error);
      // The old journal is as good as before, only long. Not again at once: each try costs a sync of orders.csv.
      this.#checkpointBytes = 2 * this.#journal.bytes;
      this.#options.logger.warn('the order journal cannot be begun anew: it goes on growing', { error });
      return;
    }
    this.#checkpointBytes = this.#options.checkpointBytes ?? CHECKPOINT_BYTES;
    this.#checkpointCount++;
  }

  /** Ends waiting appends; with a checkpoint, unless an append is under way or the disk is in trouble. */
  async close(): Promise<void> {
    this.#writes.end();
    try {
      if (this.state === 'open' && !this.#isAppending) await this.checkpoint();
    } finally {
      await this.#journal.close();
      await this.#file.close();
    }
  }

  stats(): OrderLogStats {
    return {
      orders: this.orderCount,
      journalBytes: this.#journal.bytes,
      checkpoints: this.#checkpointCount,
      keys: this.#keys.stats(),
      journal: this.#journal.stats(),
    };
  }

  async #mend(groups: Iterable<OrderGroup>): Promise<void> {
    let rows = '';
    for (const group of groups) {
      rows += formatRows(group.orders, group.firstNumber, group.orderedAtMs);
      this.#note(group);
      if (rows.length < MEND_TEXT_MAX) continue;
      await this.#file.append(rows);
      rows = '';
    }
    if (rows !== '') await this.#file.append(rows);
    await this.#file.cutRest();
    this.#prepareCheckpoint();
  }

  /** What an order leaves in memory. */
  #note({ orders, firstNumber, orderedAtMs }: OrderGroup): void {
    for (let index = 0; index < orders.length; index++) {
      const { key, transient } = orders[index]!;
      if (key !== '') this.#keys.bind(key, transient, firstNumber + index, orderedAtMs);
    }
    this.#lastTag = orders.at(-1)!.tag;
  }

  async #firstWithKey(key: string, numbers: readonly number[]): Promise<LoggedOrder | undefined> {
    for (const number of numbers) {
      const order = await this.get(number);
      if (order?.key === key) return order;
    }
    return undefined;
  }

  /** A large orders.csv takes long to sync; most of it is done while orders go on, and only the rest holds them up. */
  #prepareCheckpoint(): void {
    if (this.#checkpoint !== 'none' || this.#journal.bytes <= this.#checkpointBytes) return;
    this.#checkpoint = 'syncing';
    this.#earlySync = this.#syncFile().then(
      () => {
        this.#checkpoint = 'due';
      },
      (error: unknown) => this.#options.logger.error('orders.csv cannot be synced: not selling', { error }),
    );
  }

  async #synced(): Promise<void> {
    try {
      await this.#journal.synced();
    } catch (error) {
      throw this.#syncFailure(error);
    }
  }

  /** After a failed sync nobody knows what is on disk: no checkpoint may ever vouch for it. */
  async #syncFile(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw this.#syncFailure(error);
    }
  }

  #syncFailure(cause: unknown): OrderError {
    this.#hasSyncFailed = true;
    return new OrderError('SYNC_FAILED', 'what is on disk of the order log is unknown', { cause });
  }
}
