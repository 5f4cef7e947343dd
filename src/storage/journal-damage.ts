// journal-damage.ts: torn or corrupt? The rule that decides, for the first record that does not check out.
//
// What a crash can leave: the writer appends, and syncs before it goes on. So after a crash all is whole up to some
// point; behind it are records written after the last sync, of which any sectors may be missing. A missing sector reads
// as zeros, or lies beyond the end of the file. Nothing a crash does changes a byte to another value. Hence, for a file
// of `size` bytes whose first bad record begins at `offset`, the first line that applies:
//
//   | what is there                                                     | verdict |
//   | 1 it is one of the opening records                                | corrupt: the file got its name after they were synced
//   | 2 nothing but zeros up to the end of the file                     | clean:   never written, or nothing of it arrived
//   | 3 further on, a whole record with the flag AFTER_SYNC             | corrupt: the bad one was on disk before that one
//   | 4 fewer than 8 bytes, or the first 8 bytes are zeros              | torn:    cut short, or its first sector is missing
//   | 5 the length check is wrong, or the length is over the limit      | corrupt: those 8 bytes are whole or zeros, see record-format.ts
//   | 6 its payload reaches beyond the last byte, or it beyond the file | torn:    cut short
//   | 7 wrong checksum, and its part of some sector is nothing but zeros| torn:    that sector is missing
//   | 8 wrong checksum otherwise                                        | corrupt: bytes have changed
//   | 9 right checksum, wrong sequence number or unknown flags          | corrupt: not what the writer would have appended
//
// The last byte is the last one that is not zero: a journal that is synced for each group has blocks full of zeros behind
// its records (journal-writer.ts), and a write that was cut short stands before them as it would before the end of the
// file.
//
// What the rule cannot tell: damage other than by a crash that happens to look like line 4, 6 or 7 in the very last
// records. That is why a torn tail is kept aside before it is cut off.

import { type OpenFile, readFully } from './file-system.js';
import {
  ALIGNMENT_BYTES,
  flawOf,
  isAfterSync,
  isWhole,
  lengthAt,
  PAYLOAD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  recordBytes,
  sequenceAt,
} from './record-format.js';
import { StorageError } from './storage-error.js';

/** The first record that does not check out. */
export interface Damage {
  readonly offset: number;
  readonly sequence: number;
  readonly isOpening: boolean;
}

/** The least that any disk writes whole or not at all. */
const SECTOR_BYTES = 512;

/** How far apart the beginnings of two looks for a whole record lie; each look reads one longest record beyond. */
const STEP_BYTES = 4 * 1024 * 1024;

/**
 * Judges the first damage in a journal of `size` bytes.
 *
 * @throws StorageError CORRUPT
 */
export async function damageAt(file: OpenFile, path: string, size: number, damage: Damage): Promise<'clean' | 'torn'> {
  const { offset } = damage;
  const bytes = Buffer.alloc(Math.min(size - offset, recordBytes(PAYLOAD_BYTES_MAX)));
  await readFully(file, bytes, offset);
  const reason = flawIn(bytes, damage);
  const corrupt = (detail: string) =>
    new StorageError('CORRUPT', `${path}: corrupt at offset ${offset}: ${reason}${detail}`, { path, offset });

  if (damage.isOpening) throw corrupt(', in a part that was on disk before the file got its name');
  const written = await writtenBytes(file, offset, size);
  if (written === 0) return 'clean';
  const proof = await findRecordAfterSync(file, size, damage);
  if (proof !== undefined) throw corrupt(`, but the record at offset ${proof} was written when this one was on disk`);
  if (written < ALIGNMENT_BYTES || isZero(bytes, 0, ALIGNMENT_BYTES)) return 'torn';
  const length = lengthAt(bytes, 0);
  if (length === undefined || length > PAYLOAD_BYTES_MAX) throw corrupt('');
  if (RECORD_HEADER_BYTES + length > written || recordBytes(length) > size - offset) return 'torn';
  if (!isWhole(bytes, 0, bytes.length) && missesSector(bytes, offset, recordBytes(length))) return 'torn';
  throw corrupt('');
}

/** What is wrong with the record at the start of `bytes`, in words. */
function flawIn(bytes: Buffer, damage: Damage): string {
  const length = bytes.length < ALIGNMENT_BYTES ? 0 : lengthAt(bytes, 0);
  if (length === undefined) return 'the length check is wrong';
  if (length > PAYLOAD_BYTES_MAX) return 'the length is over the limit';
  if (bytes.length < ALIGNMENT_BYTES || recordBytes(length) > bytes.length) return 'the file ends within a record';
  return flawOf(bytes, 0, length, damage.sequence) ?? 'the record is in the wrong place';
}

/** How many bytes there are from `from` on, without the zeros at the end of the file. */
async function writtenBytes(file: OpenFile, from: number, size: number): Promise<number> {
  const bytes = Buffer.allocUnsafe(Math.min(STEP_BYTES, size - from));
  let written = 0;
  for (let start = from; start < size; start += STEP_BYTES) {
    const length = await readFully(file, bytes, start);
    for (let index = length - 1; index >= 0; index--) {
      if (bytes[index] === 0) continue;
      written = start - from + index + 1;
      break;
    }
  }
  return written;
}

/** Offset of a whole record behind the damage that was written when all before it was on disk. */
async function findRecordAfterSync(file: OpenFile, size: number, damage: Damage): Promise<number | undefined> {
  const first = damage.offset + ALIGNMENT_BYTES;
  // A record in the payload of another one could pass for the writer's own; its number would have to fit as well.
  const sequenceMax = damage.sequence + (size - damage.offset) / RECORD_HEADER_BYTES;
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(STEP_BYTES + recordBytes(PAYLOAD_BYTES_MAX), size - first)));
  for (let start = first; start < size; start += STEP_BYTES) {
    const length = await readFully(file, bytes, start);
    const end = Math.min(STEP_BYTES, length - RECORD_HEADER_BYTES + 1);
    for (let index = 0; index < end; index += ALIGNMENT_BYTES) {
      if (!isAfterSync(bytes, index)) continue;
      const sequence = sequenceAt(bytes, index);
      if (sequence <= damage.sequence || sequence > sequenceMax) continue;
      if (isWhole(bytes, index, length - index)) return start + index;
    }
  }
  return undefined;
}

/** Whether the part that some sector has in the record at `offset`, whose bytes are given, is nothing but zeros. */
function missesSector(bytes: Buffer, offset: number, length: number): boolean {
  let start = 0;
  while (start < length) {
    const end = Math.min(length, start + SECTOR_BYTES - ((offset + start) % SECTOR_BYTES));
    if (isZero(bytes, start, end)) return true;
    start = end;
  }
  return false;
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}
