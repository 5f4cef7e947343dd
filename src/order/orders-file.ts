// orders-file.ts: orders.csv: appended to, mended at the start, and read row by row. It is made from the journal and
// trusted only where the journal's head vouches for it:
//
//   header  rows of before the checkpoint          rows since                  torn row
//   |------ checked: length, checksum, numbers ----|--- written again -------- | cut off
//                                                  ^ head.csvBytes
//
// Rows since the checkpoint are written again even where they look right: they may be right in memory and wrong on disk,
// after a sync that failed. Nothing is cut before it is written, so a reader never sees fewer orders than before.

import { crc32 } from 'node:zlib';
import { type FileSystem, type OpenFile, readFully, replaceFile, StorageError, writeAll } from '../storage/index.js';
import { FileTail } from './file-tail.js';
import type { IdempotencyKeys } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import { OrderIndex } from './order-index.js';
import type { LogHead } from './order-record.js';
import {
  COLUMN,
  COLUMN_COUNT,
  type FieldEnds,
  fieldNumber,
  fieldStart,
  fieldText,
  ORDERS_HEADER,
  scanRows,
} from './order-row.js';
import { type LoggedOrder, NO_TAG } from './order-types.js';

/** Bytes read at once while the file is checked. A row is far shorter: 64 bytes of name, all quotes, are 130. */
const CHUNK_BYTES = 1024 * 1024;
/** Newest rows kept in memory: some 5,000. */
const TAIL_BYTES = 512 * 1024;
const HEADER = Buffer.from(ORDERS_HEADER);

/** The head of a log without orders. */
export const EMPTY_HEAD: LogHead = {
  csvBytes: HEADER.length,
  csvChecksum: crc32(HEADER),
  orderCount: 0,
  lastTag: NO_TAG,
};

export class OrdersFile {
  readonly index = new OrderIndex(HEADER.length);
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #tail = new FileTail(TAIL_BYTES);
  #bytes = HEADER.length;
  #checksum = EMPTY_HEAD.csvChecksum;

  private constructor(path: string, file: OpenFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Makes the file with its header alone, unless it is just that already. */
  static async create(path: string, fileSystem: FileSystem): Promise<void> {
    const file = await fileSystem.open(path, 'read');
    if (file !== undefined) {
      const content = Buffer.alloc(HEADER.length + 1);
      const length = await readFully(file, content, 0);
      await file.close();
      if (content.subarray(0, length).equals(HEADER)) return;
      const what = 'there are orders, but no journal to go with them';
      throw new OrderError('MISMATCH', `${path}: ${what}; put the journal back, or move the file away to begin anew`);
    }
    await replaceFile(path, [HEADER], fileSystem);
  }

  /**
   * Opens the file and checks all that the head vouches for. `keys` gets the keys of all rows.
   *
   * @throws OrderError MISMATCH where the file is not what the head says
   */
  static async open(path: string, head: LogHead, keys: IdempotencyKeys, fileSystem: FileSystem): Promise<OrdersFile> {
    const file = await fileSystem.open(path, 'update');
    const size = (await file?.size()) ?? 0;
    if (file === undefined || size < head.csvBytes) {
      await file?.close();
      const is = file === undefined ? 'it is missing' : `it has ${size} bytes`;
      throw mismatch(path, `${is}, but ${head.csvBytes} at the last checkpoint`);
    }
    const orders = new OrdersFile(path, file);
    try {
      await orders.#load(head, keys);
    } catch (error) {
      await file.close();
      throw error;
    }
    return orders;
  }

  /** Bytes of whole rows, header included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** CRC-32 of those bytes. */
  get checksum(): number {
    return this.#checksum;
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
      throw storageError('WRITE_FAILED', 'writing', this.#path, error);
    }
    this.#tail.append(bytes, this.#bytes);
    this.#bytes += bytes.length;
    this.#checksum = crc32(bytes, this.#checksum);
    let start = 0;
    scanRows(bytes, bytes.length, (_start, ends) => {
      this.index.add(ends[COLUMN_COUNT - 1]! + 1 - start);
      start = ends[COLUMN_COUNT - 1]! + 1;
      return true;
    });
  }

  /** Cuts off what stands behind the last whole row. */
  async cutRest(): Promise<void> {
    if ((await this.#file.size()) > this.#bytes) await this.#file.truncate(this.#bytes);
  }

  /** All rows are on disk. */
  async datasync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw storageError('SYNC_FAILED', 'syncing', this.#path, error);
    }
  }

  /** Reads the row of an order; `number` must be less than the index's count. */
  async read(number: number): Promise<LoggedOrder> {
    const range = this.index.rangeOf(number);
    const bytes = Buffer.allocUnsafe(range.end - range.start);
    const isInMemory = this.#tail.read(bytes, range.start);
    const length = isInMemory ? bytes.length : await readFully(this.#file, bytes, range.start);
    let skip = range.skipRows;
    let order: LoggedOrder | undefined;
    scanRows(bytes, length, (start, ends, fieldCount) => {
      if (skip-- > 0) return true;
      if (fieldCount === COLUMN_COUNT) order = parseOrder(bytes, start, ends);
      return false;
    });
    if (order?.number !== number) throw mismatch(this.#path, `order ${number} is not where it was written`);
    return order;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #load(head: LogHead, keys: IdempotencyKeys): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const loader = new RowLoader(this.index, keys, chunk);
    let position = 0;
    let carried = 0;
    this.#checksum = 0;
    while (position < head.csvBytes) {
      const want = Math.min(chunk.length - carried, head.csvBytes - position);
      const length = await readFully(this.#file, chunk.subarray(carried, carried + want), position);
      if (length < want) break;
      this.#checksum = crc32(chunk.subarray(carried, carried + length), this.#checksum);
      position += length;
      const end = carried + length;
      const done = loader.take(end, position === length ? HEADER.length : 0);
      chunk.copyWithin(0, done, end);
      carried = end - done;
      if (done === 0 || loader.isWrong) break;
    }
    this.#bytes = position;
    const { count } = this.index;
    if (loader.isWrong) throw mismatch(this.#path, `the row where order ${count} should stand is another`);
    if (position !== head.csvBytes || carried > 0 || count !== head.orderCount || this.#checksum !== head.csvChecksum) {
      throw mismatch(this.#path, `it was changed: ${count} orders read, ${head.orderCount} at the last checkpoint`);
    }
  }
}

/** Takes rows of a chunk into index and keys. */
class RowLoader {
  /** A row was not the one that had to come next. */
  isWrong = false;
  readonly #index: OrderIndex;
  readonly #keys: IdempotencyKeys;
  readonly #chunk: Buffer;
  #timeBytes: Buffer = Buffer.alloc(0);
  #timeMs = 0;

  constructor(index: OrderIndex, keys: IdempotencyKeys, chunk: Buffer) {
    this.#index = index;
    this.#keys = keys;
    this.#chunk = chunk;
  }

  /** Takes the whole rows among the first `end` bytes, the first `skip` of which are the header; returns their bytes. */
  take(end: number, skip: number): number {
    const bytes = this.#chunk.subarray(skip, end);
    return skip + scanRows(bytes, bytes.length, (start, ends, fieldCount) => this.#row(bytes, start, ends, fieldCount));
  }

  #row(bytes: Buffer, start: number, ends: FieldEnds, fieldCount: number): boolean {
    const number = this.#index.count;
    if (fieldCount !== COLUMN_COUNT || fieldNumber(bytes, start, ends[COLUMN.NUMBER]!) !== number) {
      this.isWrong = true;
      return false;
    }
    this.#index.add(ends[COLUMN_COUNT - 1]! + 1 - start);
    this.#key(bytes, start, ends, COLUMN.KEY, number);
    this.#key(bytes, start, ends, COLUMN.RETRY_KEY, number);
    return true;
  }

  #key(bytes: Buffer, rowStart: number, ends: FieldEnds, column: number, number: number): void {
    const start = fieldStart(rowStart, ends, column);
    const end = ends[column]!;
    if (start === end) return;
    const isTransient = column === COLUMN.RETRY_KEY;
    const orderedAtMs = this.#time(bytes, fieldStart(rowStart, ends, COLUMN.ORDERED_AT), ends[COLUMN.ORDERED_AT]!);
    const isPlain = bytes[start] !== 0x22;
    if (isPlain) this.#keys.bindBytes(bytes, start, end, isTransient, number, orderedAtMs);
    else this.#keys.bind(fieldText(bytes, start, end), isTransient, number, orderedAtMs);
  }

  /** Rows of one group have one time: parsing it once for all of them makes the check of a large file a third shorter. */
  #time(bytes: Buffer, start: number, end: number): number {
    if (bytes.compare(this.#timeBytes, 0, this.#timeBytes.length, start, end) !== 0) {
      this.#timeBytes = Buffer.from(bytes.subarray(start, end));
      this.#timeMs = Date.parse(this.#timeBytes.toString('latin1')) || 0;
    }
    return this.#timeMs;
  }
}

function parseOrder(bytes: Buffer, start: number, ends: FieldEnds): LoggedOrder {
  const text = (column: number) => fieldText(bytes, fieldStart(start, ends, column), ends[column]!);
  return {
    number: fieldNumber(bytes, start, ends[COLUMN.NUMBER]!),
    name: text(COLUMN.NAME),
    quantity: fieldNumber(bytes, fieldStart(start, ends, COLUMN.QUANTITY), ends[COLUMN.QUANTITY]!),
    key: text(COLUMN.KEY) || text(COLUMN.RETRY_KEY),
  };
}

function storageError(code: 'WRITE_FAILED' | 'SYNC_FAILED', doing: string, path: string, cause: unknown): StorageError {
  return new StorageError(code, `${path}: ${doing} failed`, { path, cause });
}

function mismatch(path: string, what: string): OrderError {
  return new OrderError('MISMATCH', `${path}: ${what}; put the right file back, or move the whole directory away`);
}
