// journal-reader.ts: reads a journal from its beginning, in chunks, and says how it ends.
//
//   | header | opening records | record | record | record …      … | end
//                                                 ^ unsyncedFrom   ^ end
//
// It ends cleanly, or with a torn tail (the writer died; what is there of it was never confirmed to anybody), or reading
// stops with StorageError CORRUPT. Which of these it is, journal-damage.ts decides.

import { type OpenFile, readFully } from './file-system.js';
import { damageAt } from './journal-damage.js';
import {
  decodeHeader,
  type FileHeader,
  flawOf,
  HEADER_BYTES,
  isAfterSync,
  lengthAt,
  PAYLOAD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  recordBytes,
} from './record-format.js';
import { StorageError } from './storage-error.js';

/** Called for each record: its payload, which is valid during the call alone, and its number (0: an opening record). */
export type OnRecord = (payload: Uint8Array, sequence: number) => void;

export interface Replay {
  /** Behind the last good record, in bytes from the start of the file. */
  readonly end: number;
  /** Size of the file; beyond `end` lies a torn tail, or zeros that were never written over. */
  readonly size: number;
  /** Whether there is anything but zeros beyond `end`. */
  readonly isTorn: boolean;
  /** All before this was on disk when the file was written; the rest may never have been more than cached. */
  readonly unsyncedFrom: number;
  readonly nextSequence: number;
  /** How many records were read, opening records included. */
  readonly records: number;
}

/** Large enough that a million records take about a hundred reads, small enough to stay in a core's cache. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads all records of `file`.
 *
 * @throws StorageError CORRUPT, with the offset and the reason, when no crash can have left the file so
 */
export async function replay(file: OpenFile, path: string, onRecord: OnRecord): Promise<Replay> {
  const size = await file.size();
  const header = await readHeader(file, path, size);
  const cursor = new Cursor(header, onRecord);
  let chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(size, HEADER_BYTES)));
  while (cursor.position < size) {
    const length = await readFully(file, chunk, cursor.position);
    const needed = cursor.takeRecords(chunk, length);
    if (needed === DAMAGED || length < Math.min(chunk.length, needed)) break;
    if (needed > chunk.length) chunk = Buffer.allocUnsafe(needed);
  }
  const isTorn =
    cursor.position < size &&
    (await damageAt(file, path, size, {
      offset: cursor.position,
      sequence: cursor.nextSequence,
      isOpening: cursor.openingLeft > 0,
    })) === 'torn';
  if (cursor.position >= size && cursor.openingLeft > 0) {
    throw new StorageError(
      'CORRUPT',
      `${path}: corrupt at offset ${size}: ${cursor.openingLeft} opening records are missing`,
      {
        path,
        offset: size,
      },
    );
  }
  return {
    end: cursor.position,
    size,
    isTorn,
    unsyncedFrom: cursor.unsyncedFrom,
    nextSequence: cursor.nextSequence,
    records: cursor.records,
  };
}

async function readHeader(file: OpenFile, path: string, size: number): Promise<FileHeader> {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const length = await readFully(file, bytes, 0);
  const header = length < HEADER_BYTES ? `the file ends after ${size} bytes, within its header` : decodeHeader(bytes);
  if (typeof header !== 'string') return header;
  throw new StorageError('CORRUPT', `${path}: corrupt at offset 0: ${header}`, { path, offset: 0 });
}

const DAMAGED = -1;

/** Where reading stands. */
class Cursor {
  position = HEADER_BYTES;
  records = 0;
  openingLeft: number;
  unsyncedFrom = HEADER_BYTES;
  readonly #header: FileHeader;
  readonly #onRecord: OnRecord;
  #sequence: number;

  constructor(header: FileHeader, onRecord: OnRecord) {
    this.#header = header;
    this.#onRecord = onRecord;
    this.openingLeft = header.openingCount;
    this.#sequence = this.openingLeft > 0 ? 1 : header.firstSequence;
  }

  get nextSequence(): number {
    return this.#sequence;
  }

  /**
   * Hands on all records that lie whole in the first `length` bytes of `chunk`, which begins at `position`.
   *
   * @returns how many bytes from the new `position` on are needed to go further, or DAMAGED
   */
  takeRecords(chunk: Buffer, length: number): number {
    let offset = 0;
    let needed = RECORD_HEADER_BYTES;
    while (offset + RECORD_HEADER_BYTES <= length) {
      const payloadBytes = lengthAt(chunk, offset);
      if (payloadBytes === undefined || payloadBytes > PAYLOAD_BYTES_MAX) {
        needed = DAMAGED;
        break;
      }
      needed = recordBytes(payloadBytes);
      if (offset + needed > length) break;
      if (flawOf(chunk, offset, payloadBytes, this.#sequence) !== undefined) {
        needed = DAMAGED;
        break;
      }
      if (isAfterSync(chunk, offset)) this.unsyncedFrom = this.position + offset;
      this.#take(chunk, offset + RECORD_HEADER_BYTES, payloadBytes);
      offset += needed;
      if (this.openingLeft === 0 && this.records === this.#header.openingCount) this.#leaveOpening(offset);
      needed = RECORD_HEADER_BYTES;
    }
    this.position += offset;
    return needed;
  }

  #take(chunk: Buffer, start: number, payloadBytes: number): void {
    const isOpening = this.openingLeft > 0;
    this.#onRecord(chunk.subarray(start, start + payloadBytes), isOpening ? 0 : this.#sequence);
    this.records++;
    this.#sequence++;
    if (isOpening) this.openingLeft--;
  }

  #leaveOpening(offset: number): void {
    this.#sequence = this.#header.firstSequence;
    this.unsyncedFrom = this.position + offset;
  }
}
