// record-format.ts: the journal's bytes. It knows nothing of files, of syncs, or of what a record means.
//
//   file    | header, 32 bytes | record | record | … |                      all numbers little-endian
//
//   header  | magic "JOURNAL\n" 8 | version u32 | opening count u32 | first sequence u64 | 0 u32 | checksum u32 |
//   record  | checksum u32 | length u24 | length check u8 | sequence u48 | flags u16 | payload | zeros to a multiple of 8 |
//
// A record's checksum (CRC-32, as zip's) covers all that follows it, the padding included; the header's covers the 28 bytes
// before it. The first `opening count` records stand for everything before the file began and are numbered 1, 2, …;
// the others go on without a gap from `first sequence`.
//
// Everything is aligned to 8 bytes and disks write whole sectors of 512, so the first 8 bytes of a record are never
// half there: they are either as they were written or, if their sector never reached the disk, zeros. The length check
// (the XOR of the three bytes of the length and a constant) is there so that this word is never all zeros, and so that
// a damaged length is told from one whose record was cut short. (The idea of aligning comes from etcd's wal.)
//
// Flag AFTER_SYNC: when this record was written, all records before it were on disk. So a whole record with this flag
// proves that damage before it cannot come from a crash: see journal-reader.ts.

import { crc32 } from 'node:zlib';
import { assert } from '../assert.js';

export const HEADER_BYTES = 32;
export const RECORD_HEADER_BYTES = 16;
export const ALIGNMENT_BYTES = 8;
const FORMAT_VERSION = 1;

/** A payload may be empty, and has at most 4 MiB, so that a reader never needs more memory than that for one. */
export const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

const FLAG_AFTER_SYNC = 1;
const FLAGS_KNOWN = FLAG_AFTER_SYNC;

const MAGIC = Buffer.from('JOURNAL\n', 'latin1');
const VERSION_AT = 8;
const OPENING_COUNT_AT = 12;
const FIRST_SEQUENCE_AT = 16;
const HEADER_CHECKSUM_AT = 28;

const LENGTH_AT = 4;
const SEQUENCE_AT = 8;
const FLAGS_AT = 14;
const LENGTH_CHECK = 0xa5;
const TWO_TO_32 = 2 ** 32;

export interface FileHeader {
  /** How many records at the beginning stand for what was before the file began. */
  readonly openingCount: number;
  /** Sequence number of the first record after those. */
  readonly firstSequence: number;
}

/** What is wrong with bytes that should be a header or a record; the words appear in error messages. */
export type Flaw =
  | 'the magic bytes of a journal are missing'
  | 'the format version is unknown'
  | 'the header checksum is wrong'
  | 'the length check is wrong'
  | 'the length is over the limit'
  | 'the checksum is wrong'
  | 'the sequence number is not the next one'
  | 'there are unknown flags';

/** Bytes that a record with such a payload takes in the file. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES;
}

export function encodeHeader(header: FileHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, VERSION_AT);
  bytes.writeUInt32LE(header.openingCount, OPENING_COUNT_AT);
  bytes.writeBigUInt64LE(BigInt(header.firstSequence), FIRST_SEQUENCE_AT);
  bytes.writeUInt32LE(checksum(bytes, 0, HEADER_CHECKSUM_AT), HEADER_CHECKSUM_AT);
  return bytes;
}

/** The header in the first HEADER_BYTES of `bytes`, or what is wrong with it. */
export function decodeHeader(bytes: Buffer): FileHeader | Flaw {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'the magic bytes of a journal are missing';
  if (checksum(bytes, 0, HEADER_CHECKSUM_AT) !== bytes.readUInt32LE(HEADER_CHECKSUM_AT)) {
    return 'the header checksum is wrong';
  }
  if (bytes.readUInt32LE(VERSION_AT) !== FORMAT_VERSION) return 'the format version is unknown';
  return {
    openingCount: bytes.readUInt32LE(OPENING_COUNT_AT),
    firstSequence: Number(bytes.readBigUInt64LE(FIRST_SEQUENCE_AT)),
  };
}

/**
 * Writes one record at `offset`, without flags.
 *
 * @param target must have room for recordBytes(payload.length) bytes
 * @returns the offset behind it
 */
export function encodeRecord(target: Buffer, offset: number, payload: Uint8Array, sequence: number): number {
  const { length } = payload;
  assert(length <= PAYLOAD_BYTES_MAX, `a record of ${length} bytes is over the limit of ${PAYLOAD_BYTES_MAX}`);
  const end = offset + recordBytes(length);
  const padding = offset + RECORD_HEADER_BYTES + length;
  // The next sixteen bytes by hand: Buffer's writers check their arguments each time, which triples the cost of a record.
  putUint32(target, offset + LENGTH_AT, length | (lengthCheck(length) << 24));
  putUint32(target, offset + SEQUENCE_AT, sequence);
  putUint32(target, offset + SEQUENCE_AT + 4, sequence / TWO_TO_32);
  target.set(payload, offset + RECORD_HEADER_BYTES);
  for (let index = padding; index < end; index++) target[index] = 0;
  putUint32(target, offset, checksum(target, offset + LENGTH_AT, end));
  return end;
}

/** Sets AFTER_SYNC in the record at `offset`, and its checksum accordingly. */
export function markAfterSync(target: Buffer, offset: number): void {
  target[offset + FLAGS_AT] = FLAG_AFTER_SYNC;
  putUint32(
    target,
    offset,
    checksum(target, offset + LENGTH_AT, offset + recordBytes(payloadLengthAt(target, offset))),
  );
}

/** Payload length of the record at `offset`; undefined if the length check is wrong. Needs 8 bytes. */
export function lengthAt(bytes: Uint8Array, offset: number): number | undefined {
  const length = payloadLengthAt(bytes, offset);
  return bytes[offset + LENGTH_AT + 3] === lengthCheck(length) ? length : undefined;
}

/** What is wrong with the whole record at `offset` whose length checks out, or undefined. */
export function flawOf(bytes: Uint8Array, offset: number, length: number, sequence: number): Flaw | undefined {
  if (uint32At(bytes, offset) !== checksum(bytes, offset + LENGTH_AT, offset + recordBytes(length))) {
    return 'the checksum is wrong';
  }
  if (sequenceAt(bytes, offset) !== sequence) return 'the sequence number is not the next one';
  return (flagsAt(bytes, offset) & ~FLAGS_KNOWN) === 0 ? undefined : 'there are unknown flags';
}

export function sequenceAt(bytes: Uint8Array, offset: number): number {
  const high = bytes[offset + SEQUENCE_AT + 4]! | (bytes[offset + SEQUENCE_AT + 5]! << 8);
  return uint32At(bytes, offset + SEQUENCE_AT) + high * TWO_TO_32;
}

/** Whether the record at `offset` says that all before it was on disk when it was written. */
export function isAfterSync(bytes: Uint8Array, offset: number): boolean {
  return (flagsAt(bytes, offset) & FLAG_AFTER_SYNC) !== 0;
}

/** Whether the record at `offset` has a right checksum. `available`: bytes from `offset` on. */
export function isWhole(bytes: Uint8Array, offset: number, available: number): boolean {
  const length = available < RECORD_HEADER_BYTES ? undefined : lengthAt(bytes, offset);
  if (length === undefined || length > PAYLOAD_BYTES_MAX || recordBytes(length) > available) return false;
  return uint32At(bytes, offset) === checksum(bytes, offset + LENGTH_AT, offset + recordBytes(length));
}

function checksum(bytes: Uint8Array, start: number, end: number): number {
  return crc32(bytes.subarray(start, end));
}

function lengthCheck(length: number): number {
  return (length ^ (length >> 8) ^ (length >> 16) ^ LENGTH_CHECK) & 0xff;
}

function payloadLengthAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset + LENGTH_AT]! | (bytes[offset + LENGTH_AT + 1]! << 8) | (bytes[offset + LENGTH_AT + 2]! << 16);
}

function flagsAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset + FLAGS_AT]! | (bytes[offset + FLAGS_AT + 1]! << 8);
}

function uint32At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0;
}

function putUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}
