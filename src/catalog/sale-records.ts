// sale-records.ts: the records of the catalog's journal: what is recorded, byte by byte. It knows nothing of files.
//
//   Clean      | 1 |                         catalog.csv, whatever it says, holds all that was sold before; the end was clean
//   Base       | 2 | fingerprint f64 |       a catalog.csv of this fingerprint holds all that was sold before
//   Store      | 3 | id, 8 bytes |           the store's id
//   Leases     | 4 | milliseconds u32 |      front ends may hold what they are shown for this long
//   Sales      | 8 | marks | sale … |        sold, and to be taken out of the stock; without a sale: the marks have changed
//   Carried    | 9 | marks | sale … |        sold and out of the stock; the order service may ask
//
//   marks      | incarnation u32 | settled: incarnation u32, sequence f64 |                    numbers little-endian
//   sale       | incarnation u32 | sequence f64 | quantity u32 | name bytes u8 | name | key bytes u8 | key |
//
// Types 5 to 7 belonged to a format that no released version wrote. Incarnation 0 is a purchase without a tag, made by hand
// through the unary call: nobody asks for it again. Sequences and fingerprints are whole numbers up to 2^53 and exact in a
// double, which JavaScript reads without a BigInt.

import { CatalogError } from './catalog-error.js';
import type { CatalogMarks, Sale } from './catalog-store.js';

export const CLEAN = 1;
export const BASE = 2;
export const STORE = 3;
export const LEASES = 4;
export const SALES = 8;
export const CARRIED = 9;

const MARKS_BYTES = 4 + 4 + 8;
const SALES_HEAD_BYTES = 1 + MARKS_BYTES;
/** Incarnation, sequence, quantity, and the lengths of name and key. */
const SALE_FIXED_BYTES = 4 + 8 + 4 + 1 + 1;

/** A sale as it is recorded: it knows the toy's name alone. */
export type RecordedSale = Omit<Sale, 'toy'>;

/** A record, told apart by its type. The sales of one are read with readSales(). */
export type CatalogRecord =
  | { readonly type: typeof CLEAN }
  | { readonly type: typeof BASE; readonly fingerprint: number }
  | { readonly type: typeof STORE; readonly id: string }
  | { readonly type: typeof LEASES; readonly leaseMs: number }
  | {
      readonly type: typeof SALES | typeof CARRIED;
      readonly marks: CatalogMarks;
      /** The whole record; a part of what it was read from, not a copy. */
      readonly bytes: Buffer;
    };

export function encodeClean(): Buffer {
  return Buffer.from([CLEAN]);
}

export function encodeBase(fingerprint: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = BASE;
  bytes.writeDoubleLE(fingerprint, 1);
  return bytes;
}

export function encodeStore(id: string): Buffer {
  return Buffer.from(`${String.fromCharCode(STORE)}${id}`, 'latin1');
}

export function encodeLeases(leaseMs: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = LEASES;
  bytes.writeUInt32LE(leaseMs, 1);
  return bytes;
}

/** A Sales or Carried record; keys are visible ASCII, one byte for each character. */
export function encodeSales(
  type: typeof SALES | typeof CARRIED,
  { incarnation, settled }: CatalogMarks,
  sales: readonly RecordedSale[],
): Buffer {
  let length = SALES_HEAD_BYTES;
  for (const { name, key } of sales) length += SALE_FIXED_BYTES + name.length + key.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = type;
  bytes.writeUInt32LE(incarnation, 1);
  bytes.writeUInt32LE(settled.incarnation, 5);
  bytes.writeDoubleLE(settled.sequence, 9);
  let at = SALES_HEAD_BYTES;
  for (const sale of sales) at = writeSale(bytes, at, sale);
  return bytes;
}

function writeSale(target: Buffer, offset: number, sale: RecordedSale): number {
  const { name, key } = sale;
  target.writeUInt32LE(sale.incarnation, offset);
  target.writeDoubleLE(sale.sequence, offset + 4);
  target.writeUInt32LE(sale.quantity, offset + 12);
  let at = offset + 16;
  target[at++] = name.length;
  target.set(name, at);
  at += name.length;
  target[at] = key.length;
  if (key !== '') target.write(key, at + 1, 'latin1');
  return at + 1 + key.length;
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
    case STORE:
      return { type, id: bytes.toString('latin1', 1) };
    case LEASES:
      return { type, leaseMs: bytes.readUInt32LE(1) };
    case SALES:
    case CARRIED: {
      const settled = { incarnation: bytes.readUInt32LE(5), sequence: bytes.readDoubleLE(9) };
      return { type, marks: { incarnation: bytes.readUInt32LE(1), settled }, bytes };
    }
    default:
      throw new CatalogError(
        'BAD_JOURNAL',
        `the journal has a record of the unknown type ${type}: another version of the store has written it`,
      );
  }
}

/** The sales of a Sales or Carried record. Names are parts of `record`, not copies. */
export function* readSales(record: Buffer): Generator<RecordedSale> {
  for (let at = SALES_HEAD_BYTES; at < record.length; ) {
    const nameStart = at + 17;
    const nameEnd = nameStart + record[nameStart - 1]!;
    const keyEnd = nameEnd + 1 + record[nameEnd]!;
    yield {
      incarnation: record.readUInt32LE(at),
      sequence: record.readDoubleLE(at + 4),
      quantity: record.readUInt32LE(at + 12),
      name: record.subarray(nameStart, nameEnd),
      key: record.toString('latin1', nameEnd + 1, keyEnd),
    };
    at = keyEnd;
  }
}
