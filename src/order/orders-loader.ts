// orders-loader.ts: reads orders.csv at the start, row by row, up to the first one that is not as it must be.
//
//   header │ row 2 │ row 3 │ … │ row n │ what is wrong                        numbers without a gap, tags that rise,
//                                      ^ bytes: the orders end here           one store
//
// What a crash leaves behind the last whole row is a torn row, or, after a power failure, anything: what was not synced yet
// may be there in part. Whether what is behind is missed only the catalog knows (order-recovery.ts).

import { type OpenFile, readFully } from '../storage/index.js';
import { NO_TAG, type Tag } from '../store-contract.js';
import type { FileTail } from './file-tail.js';
import type { IdempotencyKeys } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import type { OrderIndex } from './order-index.js';
import {
  COLUMN,
  checkRow,
  type FieldEnds,
  fieldKey,
  fieldStart,
  ORDERS_HEADER,
  plainKey,
  ROW_BYTES_MAX,
  scanRows,
} from './order-row.js';

/** Bytes read at once: a million rows are some 75 reads. */
const CHUNK_BYTES = 1024 * 1024;
const HEADER = Buffer.from(ORDERS_HEADER);
const NUL = 0;
const LINE_FEED = 0x0a;

/** Where the orders of a file go while it is read. */
export interface LoadTargets {
  readonly index: OrderIndex;
  readonly keys: IdempotencyKeys;
  readonly tail: FileTail;
}

export interface LoadedOrders {
  /** Bytes up to the end of the last row that is right; 0 where there is not even a whole header. */
  readonly bytes: number;
  readonly lastTag: Tag;
  /** '' where there is no order. */
  readonly store: string;
  /** One line about what stands behind `bytes`, unless that is nothing, or just the beginning of a row. */
  readonly damage: string | undefined;
}

/**
 * Reads all orders of a file.
 *
 * @param path for messages
 * @throws OrderError UNREADABLE where the file is not one of this version's; what the file system throws
 */
export async function loadOrders(path: string, file: OpenFile, targets: LoadTargets): Promise<LoadedOrders> {
  const isWhole = await readHeader(path, file);
  const loader = new OrdersLoader(targets);
  let bytes = isWhole ? HEADER.length : 0;
  if (isWhole) targets.tail.append(HEADER, 0);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  while (isWhole) {
    const length = await readFully(file, chunk, bytes);
    const taken = loader.take(chunk, length);
    targets.tail.append(chunk.subarray(0, taken), bytes);
    bytes += taken;
    if (taken === 0 || length < chunk.length) break;
  }
  const { lastTag, store, flaw } = loader;
  const rest = await readFully(file, chunk.subarray(0, ROW_BYTES_MAX + 1), bytes);
  const behind = chunk.subarray(0, rest);
  const isTorn = !behind.includes(LINE_FEED) && !behind.includes(NUL) && rest <= ROW_BYTES_MAX;
  if (isTorn) return { bytes, lastTag, store, damage: undefined };
  const what = flaw ?? 'has no end';
  const damage = `${path} is damaged at byte ${bytes}: row ${targets.index.count + 2} ${what}`;
  return { bytes, lastTag, store, damage };
}

/** Whether the header is there; not so in a file that is empty, or ends within it. */
async function readHeader(path: string, file: OpenFile): Promise<boolean> {
  const header = Buffer.alloc(2 * HEADER.length);
  const length = await readFully(file, header, 0);
  if (header.subarray(0, HEADER.length).equals(HEADER)) return true;
  if (length < HEADER.length && HEADER.subarray(0, length).equals(header.subarray(0, length))) return false;
  const found = header.toString('utf8', 0, length).split('\n')[0]!;
  if (found.endsWith(',retry_key')) {
    const what = `${path} is of an earlier version of the store, which kept its orders in another form`;
    throw new OrderError(
      'UNREADABLE',
      `${what}: go on with that version, or move the data directory away to begin anew`,
    );
  }
  const what = `${path} begins with ${JSON.stringify(found)} instead of ${JSON.stringify(ORDERS_HEADER.trim())}`;
  throw new OrderError('UNREADABLE', `${what}: put the right file back`);
}

/** Takes rows of a chunk into index and keys. */
class OrdersLoader {
  /** What is wrong with the row that comes next. */
  flaw: string | undefined;
  lastTag: Tag = NO_TAG;
  store = '';
  readonly #targets: LoadTargets;
  #timeBytes: Buffer = Buffer.alloc(0);
  #timeMs = 0;

  constructor(targets: LoadTargets) {
    this.#targets = targets;
  }

  get count(): number {
    return this.#targets.index.count;
  }

  /** Takes the right rows among the first `length` bytes; returns their bytes. */
  take(bytes: Buffer, length: number): number {
    return scanRows(bytes, length, (start, ends, fieldCount) => {
      const found = checkRow(bytes, start, ends, fieldCount, this);
      if (typeof found === 'string') {
        this.flaw = found;
        return false;
      }
      this.lastTag = found.tag;
      this.store = found.store;
      this.#bindKey(bytes, start, ends);
      this.#targets.index.add(ends[COLUMN.TAG]! + 1 - start);
      return true;
    });
  }

  #bindKey(bytes: Buffer, rowStart: number, ends: FieldEnds): void {
    const { keys, index } = this.#targets;
    const start = fieldStart(rowStart, ends, COLUMN.KEY);
    const end = ends[COLUMN.KEY]!;
    if (start === end) return;
    const orderedAtMs = this.#time(bytes, fieldStart(rowStart, ends, COLUMN.ORDERED_AT), ends[COLUMN.ORDERED_AT]!);
    const plain = plainKey(bytes, start, end);
    if (plain === undefined) keys.bind(fieldKey(bytes, start, end), index.count, orderedAtMs);
    else keys.bindBytes(bytes, plain.start, plain.end, index.count, orderedAtMs);
  }

  /** Rows of one group have one time: parsing it once for all of them makes the reading of a large file a third shorter. */
  #time(bytes: Buffer, start: number, end: number): number {
    if (bytes.compare(this.#timeBytes, 0, this.#timeBytes.length, start, end) !== 0) {
      this.#timeBytes = Buffer.from(bytes.subarray(start, end));
      this.#timeMs = Date.parse(this.#timeBytes.toString('latin1')) || 0;
    }
    return this.#timeMs;
  }
}
