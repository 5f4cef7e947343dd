// sale-records.ts: the records of the catalog's journal: what is recorded, byte by byte. It knows nothing of files.
//
//   Clean      | 1 |                                 catalog.csv, whatever it says, holds all that was sold before
//   Base       | 2 | fingerprint f64 |               a catalog.csv of this fingerprint holds all that was sold before
//   Mark       | 3 | incarnation u32 | settled f64 | this incarnation began, or is the newest; settled up to there
//   Sales      | 4 | incarnation u32 | settled f64 | sale … |     sold, and to be taken out of the stock
//   Carried    | 5 | incarnation u32 | settled f64 | sale … |     sold and out of the stock; the order service may ask
//
//   sale       | sequence f64 | quantity u32 | name bytes u8 | name | key bytes u8 | key |       numbers little-endian
//                            highest bit of the key's length: the key was made up for retries, it is not a client's
//
// Incarnation 0 is a purchase without a tag, made by hand through the unary call: nobody asks for it again.
// Sequences and fingerprints are whole numbers up to 2^53 and exact in a double, which JavaScript reads without a BigInt.

import { CatalogError } from './catalog-error.js';

export const CLEAN = 1;
export const BASE = 2;
export const MARK = 3;
export const SALES = 4;
export const CARRIED = 5;

/** Bytes of a Sales record before its first sale. */
export const SALES_HEAD_BYTES = 1 + 4 + 8;
const SALE_HEAD_BYTES = 8 + 4;
const TRANSIENT_KEY = 0x80;
const KEY_LENGTH = 0x7f;

/** One sale, as recovery tells it. */
export interface Sale {
  readonly sequence: number;
  readonly quantity: number;
  readonly name: Buffer;
  readonly key: string;
  readonly transientKey: boolean;
}

/** A record, told apart by its type. The sales of one are read with readSales(). */
export type CatalogRecord =
  | { readonly type: typeof CLEAN }
  | { readonly type: typeof BASE; readonly fingerprint: number }
  | { readonly type: typeof MARK; readonly incarnation: number; readonly settled: number }
  | {
      readonly type: typeof SALES | typeof CARRIED;
      readonly incarnation: number;
      readonly settled: number;
      /** The whole record; a part of what it was read from, not a copy. */
      readonly bytes: Buffer;
    };

/** Bytes that a sale takes at most in a record. */
export function saleBytesMax(nameBytes: number, key: string): number {
  return SALE_HEAD_BYTES + 2 + nameBytes + Buffer.byteLength(key);
}

/** Writes the head of a Sales or Carried record at `offset`; returns the offset behind it. */
export function writeSalesHead(
  target: Buffer,
  offset: number,
  type: typeof SALES | typeof CARRIED,
  incarnation: number,
  settled: number,
): number {
  target[offset] = type;
  target.writeUInt32LE(incarnation, offset + 1);
  target.writeDoubleLE(settled, offset + 5);
  return offset + SALES_HEAD_BYTES;
}

/** Writes one sale at `offset`; returns the offset behind it. */
export function writeSale(
  target: Buffer,
  offset: number,
  sequence: number,
  quantity: number,
  name: Uint8Array,
  key: string,
  transientKey: boolean,
): number {
  target.writeDoubleLE(sequence, offset);
  target.writeUInt32LE(quantity, offset + 8);
  let at = offset + SALE_HEAD_BYTES;
  target[at++] = name.length;
  target.set(name, at);
  at += name.length;
  const keyBytes = key === '' ? 0 : target.write(key, at + 1);
  target[at] = transientKey ? keyBytes | TRANSIENT_KEY : keyBytes;
  return at + 1 + keyBytes;
}

export function encodeClean(): Buffer {
  return Buffer.from([CLEAN]);
}

export function encodeBase(fingerprint: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = BASE;
  bytes.writeDoubleLE(fingerprint, 1);
  return bytes;
}

export const MARK_BYTES = 13;

export function encodeMark(incarnation: number, settled: number): Buffer {
  const bytes = Buffer.alloc(MARK_BYTES);
  bytes[0] = MARK;
  bytes.writeUInt32LE(incarnation, 1);
  bytes.writeDoubleLE(settled, 5);
  return bytes;
}

/** The same sales as in a Sales record, once they are in catalog.csv. */
export function asCarried(salesRecord: Buffer): Buffer {
  const carried = Buffer.from(salesRecord);
  carried[0] = CARRIED;
  return carried;
}

/**
 * @param payload of a record whose checksum is right
 * @throws CatalogError BAD_JOURNAL if it is none that this version writes
 */
export function readRecord(payload: Uint8Array): CatalogRecord {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const type = bytes[0];
  switch (type) {
    case CLEAN:
      return { type };
    case BASE:
      return { type, fingerprint: bytes.readDoubleLE(1) };
    case MARK:
      return { type, incarnation: bytes.readUInt32LE(1), settled: bytes.readDoubleLE(5) };
    case SALES:
    case CARRIED:
      return { type, incarnation: bytes.readUInt32LE(1), settled: bytes.readDoubleLE(5), bytes };
    default:
      throw new CatalogError('BAD_JOURNAL', `the journal has a record of the unknown type ${type}`);
  }
}

/** The sales of a Sales or Carried record. Names are parts of `record`, not copies. */
export function* readSales(record: Buffer): Generator<Sale> {
  for (let at = SALES_HEAD_BYTES; at < record.length; ) {
    const sequence = record.readDoubleLE(at);
    const quantity = record.readUInt32LE(at + 8);
    const nameStart = at + SALE_HEAD_BYTES + 1;
    const nameEnd = nameStart + record[nameStart - 1]!;
    const keyEnd = nameEnd + 1 + (record[nameEnd]! & KEY_LENGTH);
    const key = record.toString('utf8', nameEnd + 1, keyEnd);
    const transientKey = (record[nameEnd]! & TRANSIENT_KEY) !== 0;
    yield { sequence, quantity, name: record.subarray(nameStart, nameEnd), key, transientKey };
    at = keyEnd;
  }
}

/** The highest sequence in a Sales or Carried record: only the lengths are read. */
export function lastSequenceOf(record: Buffer): number {
  let last = 0;
  for (let at = SALES_HEAD_BYTES; at < record.length; ) {
    last = Math.max(last, record.readDoubleLE(at));
    const nameEnd = at + SALE_HEAD_BYTES + 1 + record[at + SALE_HEAD_BYTES]!;
    at = nameEnd + 1 + (record[nameEnd]! & KEY_LENGTH);
  }
  return last;
}
