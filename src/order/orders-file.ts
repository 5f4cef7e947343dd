// orders-file.ts: orders.csv on the disk: appended to, synced, looked after, and read row by row.
//
//   header │ rows on the disk …           │ rows since the last sync │
//          │ … on the disk only  ═══ in memory too: the tail ═══════ │
//                                         ^ checked: what is behind is compared with memory after each sync
//
// A sync says that the file's bytes are on the disk, but not that the path names this file, nor that nobody has cut it in
// between: a row that is written behind a cut leaves a hole of zeros. So the newest rows are read back after each sync. What
// is missing is written again from memory, as far as memory goes.

import {
  type FileSystem,
  GuardedFile,
  isOutOfRoom,
  type OpenFile,
  readFully,
  StorageError,
  type StorageLog,
  writeAll,
} from '../storage/index.js';
import { FileTail } from './file-tail.js';
import type { IdempotencyKeys } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import { OrderIndex } from './order-index.js';
import { COLUMN, ORDERS_HEADER, parseOrderRow, scanRows } from './order-row.js';
import type { LoggedOrder } from './order-types.js';
import { type LoadedOrders, loadOrders } from './orders-loader.js';

/** Newest rows kept in memory: some 5,000. */
const TAIL_BYTES = 512 * 1024;
/**
 * Rows at the end that are written again at a start after a crash: more than ever wait for the catalog to hear that they are
 * on disk (unsettledMax of the engine), 400 bytes each at most.
 */
const REWRITTEN_BYTES = 16 * 1024 * 1024;
const HEADER = Buffer.from(ORDERS_HEADER);
const NUL = 0;

export class OrdersFile {
  readonly index: OrderIndex;
  readonly #guarded: GuardedFile;
  readonly #log: StorageLog;
  readonly #tail: FileTail;
  #bytes: number;
  /** All before this was compared with memory, after a sync. */
  #checkedBytes: number;

  private constructor(guarded: GuardedFile, log: StorageLog, index: OrderIndex, tail: FileTail, bytes: number) {
    this.#guarded = guarded;
    this.#log = log;
    this.index = index;
    this.#tail = tail;
    this.#bytes = bytes;
    this.#checkedBytes = bytes;
  }

  /**
   * Opens the file, or makes it, and reads what it has; nothing of it is changed. `keys` gets the keys of all rows.
   *
   * @throws OrderError UNREADABLE, StorageError
   */
  static async open(
    path: string,
    fileSystem: FileSystem,
    keys: IdempotencyKeys,
    log: StorageLog,
  ): Promise<{ file: OrdersFile; loaded: LoadedOrders }> {
    const guarded = await GuardedFile.open({ path, fileSystem, log });
    try {
      if (guarded.file === undefined) await create(guarded);
      const index = new OrderIndex(HEADER.length);
      const tail = new FileTail(TAIL_BYTES);
      const loaded = await loadOrders(guarded.path, guarded.file!, { index, keys, tail });
      return { file: new OrdersFile(guarded, log, index, tail, loaded.bytes), loaded };
    } catch (error) {
      await guarded.close(!guarded.endedUncleanly).catch(() => undefined);
      throw error;
    }
  }

  get path(): string {
    return this.#guarded.path;
  }

  get endedUncleanly(): boolean {
    return this.#guarded.endedUncleanly;
  }

  /** Bytes of whole rows, header included. */
  get bytes(): number {
    return this.#bytes;
  }

  get #file(): OpenFile {
    return this.#guarded.file!;
  }

  /**
   * Writes the newest rows once more and syncs them. After a sync that failed they may be right in memory and wrong on disk,
   * and the next sync would say that all is well. What is behind the last whole row stays.
   */
  async rewriteNewest(): Promise<void> {
    const from = Math.max(0, this.#bytes - REWRITTEN_BYTES);
    const newest = Buffer.allocUnsafe(this.#bytes - from);
    await readFully(this.#file, newest, from);
    await writeAll(this.#file, newest, from);
    await this.datasync();
  }

  /**
   * Cuts off what stands behind the last whole row; where there is not even a header, it is written.
   *
   * @throws StorageError WRITE_FAILED
   */
  async cutRest(): Promise<void> {
    try {
      if ((await this.#file.size()) > this.#bytes) await this.#file.truncate(this.#bytes);
      if (this.#bytes > 0) return;
      await writeAll(this.#file, HEADER, 0);
    } catch (error) {
      throw storageError('WRITE_FAILED', 'writing', this.path, error);
    }
    this.#tail.append(HEADER, 0);
    this.#bytes = HEADER.length;
    this.#checkedBytes = HEADER.length;
  }

  /**
   * Writes rows behind all others; readers see them from then on.
   *
   * @throws StorageError WRITE_FAILED; then none of the rows is there, and the same may be tried again
   */
  async append(rows: string): Promise<void> {
    const bytes = Buffer.from(rows);
    try {
      await writeAll(this.#file, bytes, this.#bytes);
    } catch (error) {
      // A part of a row may be there. If the cut fails as well the next append writes over it.
      await this.#file.truncate(this.#bytes).catch(() => {});
      throw storageError('WRITE_FAILED', 'writing', this.path, error);
    }
    this.#tail.append(bytes, this.#bytes);
    this.#bytes += bytes.length;
    let last = 0;
    scanRows(bytes, bytes.length, (start, ends) => {
      last = ends[COLUMN.TAG]! + 1;
      this.index.add(last - start);
      return true;
    });
  }

  /**
   * What was written before the call is on disk.
   *
   * @throws StorageError SYNC_FAILED
   */
  async datasync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw storageError('SYNC_FAILED', 'syncing', this.path, error);
    }
  }

  /**
   * Makes sure that the path names the file and that nobody has cut it, and puts right what can be.
   *
   * @throws OrderError LOG_FAILED where that is not possible; all that can still be had was written back by then
   */
  async lookAfter(): Promise<void> {
    const checked = this.#checkedBytes;
    const written = this.#bytes;
    const { finding } = await this.#guarded.check(written);
    if (finding === 'gone') return this.#writeBack(written);
    if (finding === 'cut' || !(await this.#isAsWritten(checked, written))) await this.#mend(written);
    this.#checkedBytes = Math.max(written, this.#checkedBytes);
  }

  /** Reads the row of an order; `number` must be less than the index's count. */
  async read(number: number): Promise<LoggedOrder> {
    const [order] = await this.#readRange(number, number + 1);
    return order!;
  }

  /** Orders from one number to another, as many as lie close together. */
  async readFrom(number: number): Promise<readonly LoggedOrder[]> {
    return this.#readRange(number, this.index.count);
  }

  /** Closes the file; after a clean stop it ends with its last row, and has one name. */
  async close(isClean: boolean): Promise<void> {
    if (isClean) await this.cutRest();
    await this.#guarded.close(isClean);
  }

  async #readRange(first: number, end: number): Promise<LoggedOrder[]> {
    const range = this.index.rangeOf(first);
    const bytes = Buffer.allocUnsafe(range.end - range.start);
    const isInMemory = this.#tail.read(bytes, range.start);
    const length = isInMemory ? bytes.length : await readFully(this.#file, bytes, range.start);
    const orders: LoggedOrder[] = [];
    let number = first - range.skipRows;
    scanRows(bytes, length, (start, ends) => {
      if (number >= first) orders.push(parseOrderRow(bytes, start, ends));
      number++;
      return number < end;
    });
    for (const [index, order] of orders.entries()) {
      if (order.number !== first + index) throw misplaced(this.path, first + index);
    }
    if (orders.length === 0) throw misplaced(this.path, first);
    return orders;
  }

  /** Whether the file has what was written from one byte to another: what memory has of that, and no hole before. */
  async #isAsWritten(from: number, to: number): Promise<boolean> {
    // Not even a header yet.
    if (from === 0) return true;
    const { start, kept } = this.#newest(from, to);
    const found = Buffer.allocUnsafe(to - from + 1);
    if ((await readFully(this.#file, found, from - 1)) < found.length) return false;
    const keptFrom = start - from + 1;
    return !found.subarray(0, keptFrom).includes(NUL) && found.subarray(keptFrom).equals(kept);
  }

  /** A copy of what memory has of these bytes: what is appended meanwhile pushes the oldest out. */
  #newest(from: number, to: number): { start: number; kept: Buffer } {
    const start = Math.min(to, Math.max(from, this.#tail.start));
    const kept = Buffer.allocUnsafe(to - start);
    this.#tail.read(kept, start);
    return { start, kept };
  }

  /** Writes again, from memory, what somebody has taken away from the end of the file. */
  async #mend(written: number): Promise<void> {
    const { start, kept } = this.#newest(0, written);
    const before = Buffer.alloc(1);
    if (start > 0 && ((await readFully(this.#file, before, start - 1)) === 0 || before[0] === NUL)) {
      const what = `${this.path} was cut short while it was in use, further than memory reaches`;
      throw new OrderError('LOG_FAILED', `${what}: nothing more is sold; start the order service again`);
    }
    await writeAll(this.#file, kept, start);
    await this.datasync();
    this.#log.warn(`${this.path} was cut short or changed while it was in use: its newest rows were written again`, {
      path: this.path,
    });
  }

  /** The file has no name any more: its content gets one, for the next start. */
  async #writeBack(written: number): Promise<never> {
    const what = `${this.path} was removed with its second name while it was in use: nothing more is sold`;
    let outcome = 'its orders are written back; start the order service again';
    try {
      await this.#guarded.writeBack(written);
    } catch (cause) {
      outcome = `its orders cannot be written back (${(cause as Error).message})`;
    }
    throw new OrderError('LOG_FAILED', `${what}; ${outcome}`);
  }
}

/** Without the header where the disk has no room for it: cutRest() writes it. */
async function create(guarded: GuardedFile): Promise<void> {
  try {
    await guarded.replace((file) => writeAll(file, HEADER, 0));
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    await guarded.replace(() => Promise.resolve());
  }
}

function storageError(code: 'WRITE_FAILED' | 'SYNC_FAILED', doing: string, path: string, cause: unknown): StorageError {
  return new StorageError(code, `${path}: ${doing} failed`, { path, cause });
}

function misplaced(path: string, number: number): OrderError {
  return new OrderError(
    'LOG_FAILED',
    `${path}: order ${number} is not where it was written; somebody has changed the file`,
  );
}
