// order-record.ts: the payloads of the order journal. The frame around them (length, checksum, sequence) is
// src/storage's; the journal is the truth, orders.csv is made from it.
//
//   head    | 1 u8 | version u8 | csv crc32 u32 | csv bytes f64 | order count f64 | last incarnation u32 | last sequence f64 |
//   orders  | 2 u8 | count u16 | incarnation u32 | ordered at, ms f64 | first number f64 | count × order |
//   order   | sequence f64 | quantity u32 | flags u8 | name bytes u8 | key characters u8 | name | key |     little-endian
//
// A journal begins with a head: what the orders.csv of that moment held. Whole numbers beyond 32 bits are kept as f64:
// exact to 2^53, and read without a BigInt.

import { assert } from '../assert.js';
import { OrderError } from './order-error.js';
import { KEY_CHARACTERS_MAX, NAME_BYTES_MAX, type SoldOrder, type Tag } from './order-types.js';

/** What orders.csv held when the journal began. */
export interface LogHead {
  readonly csvBytes: number;
  /** CRC-32 of those bytes. */
  readonly csvChecksum: number;
  readonly orderCount: number;
  readonly lastTag: Tag;
}

/** Orders of one incarnation that were made durable together. */
export interface OrderGroup {
  readonly orderedAtMs: number;
  readonly firstNumber: number;
  readonly orders: readonly SoldOrder[];
}

export type OrderRecord =
  | { readonly kind: 'head'; readonly head: LogHead }
  | { readonly kind: 'orders'; readonly group: OrderGroup };

/** Orders in one record: about 70 kB at most, far below what a journal takes. */
export const RECORD_ORDERS_MAX = 512;

const KIND_HEAD = 1;
const KIND_ORDERS = 2;
const VERSION = 1;
const HEAD_BYTES = 34;
const GROUP_BYTES = 23;
const ORDER_BYTES = 15;
const FLAG_TRANSIENT = 1;

export function encodeHead(head: LogHead): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  bytes.writeUInt8(KIND_HEAD, 0);
  bytes.writeUInt8(VERSION, 1);
  bytes.writeUInt32LE(head.csvChecksum, 2);
  bytes.writeDoubleLE(head.csvBytes, 6);
  bytes.writeDoubleLE(head.orderCount, 14);
  bytes.writeUInt32LE(head.lastTag.incarnation, 22);
  bytes.writeDoubleLE(head.lastTag.sequence, 26);
  return bytes;
}

/** The records of a group: as few as possible, each with orders of one incarnation. */
export function encodeOrders(orders: readonly SoldOrder[], firstNumber: number, orderedAtMs: number): Buffer[] {
  const records: Buffer[] = [];
  for (let from = 0; from < orders.length; ) {
    const { incarnation } = orders[from]!.tag;
    let to = from + 1;
    while (to < orders.length && to - from < RECORD_ORDERS_MAX && orders[to]!.tag.incarnation === incarnation) to++;
    records.push(encodeRun(orders, from, to, firstNumber + from, orderedAtMs));
    from = to;
  }
  return records;
}

function encodeRun(orders: readonly SoldOrder[], from: number, to: number, number: number, atMs: number): Buffer {
  // Bytes for the longest names and keys are set aside once and cut to size at the end.
  const bytes = Buffer.allocUnsafe(GROUP_BYTES + (to - from) * (ORDER_BYTES + NAME_BYTES_MAX + KEY_CHARACTERS_MAX));
  bytes.writeUInt8(KIND_ORDERS, 0);
  bytes.writeUInt16LE(to - from, 1);
  bytes.writeUInt32LE(orders[from]!.tag.incarnation, 3);
  bytes.writeDoubleLE(atMs, 7);
  bytes.writeDoubleLE(number, 15);
  let at = GROUP_BYTES;
  for (let index = from; index < to; index++) {
    const { tag, name, quantity, key, transient } = orders[index]!;
    assert(key.length <= KEY_CHARACTERS_MAX, 'a key was taken that is too long');
    const nameBytes = bytes.write(name, at + ORDER_BYTES, NAME_BYTES_MAX, 'utf8');
    const keyBytes = bytes.write(key, at + ORDER_BYTES + nameBytes, KEY_CHARACTERS_MAX, 'latin1');
    bytes.writeDoubleLE(tag.sequence, at);
    bytes.writeUInt32LE(quantity, at + 8);
    bytes.writeUInt8(transient ? FLAG_TRANSIENT : 0, at + 12);
    bytes.writeUInt8(nameBytes, at + 13);
    bytes.writeUInt8(keyBytes, at + 14);
    at += ORDER_BYTES + nameBytes + keyBytes;
  }
  return bytes.subarray(0, at);
}

/**
 * One payload of the journal.
 *
 * @throws OrderError CORRUPT where it makes no sense: the checksum held, so a program wrote it that this one does not know
 */
export function decodeRecord(payload: Uint8Array): OrderRecord {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  try {
    const kind = bytes.readUInt8(0);
    if (kind === KIND_HEAD && bytes.length === HEAD_BYTES && bytes[1] === VERSION) return decodeHead(bytes);
    if (kind === KIND_ORDERS) return decodeOrders(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new OrderError('CORRUPT', `a record of ${bytes.length} bytes is not one of this version's`);
}

function decodeHead(bytes: Buffer): OrderRecord {
  const lastTag = { incarnation: bytes.readUInt32LE(22), sequence: bytes.readDoubleLE(26) };
  const csv = { csvChecksum: bytes.readUInt32LE(2), csvBytes: bytes.readDoubleLE(6) };
  return { kind: 'head', head: { ...csv, orderCount: bytes.readDoubleLE(14), lastTag } };
}

function decodeOrders(bytes: Buffer): OrderRecord {
  const count = bytes.readUInt16LE(1);
  const incarnation = bytes.readUInt32LE(3);
  const orders: SoldOrder[] = [];
  let at = GROUP_BYTES;
  for (let index = 0; index < count; index++) {
    const nameEnd = at + ORDER_BYTES + bytes.readUInt8(at + 13);
    const keyEnd = nameEnd + bytes.readUInt8(at + 14);
    if (keyEnd > bytes.length) throw new RangeError('the record ends within an order');
    orders.push({
      tag: { incarnation, sequence: bytes.readDoubleLE(at) },
      name: bytes.toString('utf8', at + ORDER_BYTES, nameEnd),
      quantity: bytes.readUInt32LE(at + 8),
      key: bytes.toString('latin1', nameEnd, keyEnd),
      transient: (bytes.readUInt8(at + 12) & FLAG_TRANSIENT) !== 0,
    });
    at = keyEnd;
  }
  if (at !== bytes.length) throw new RangeError('bytes are left over');
  return {
    kind: 'orders',
    group: { orderedAtMs: bytes.readDoubleLE(7), firstNumber: bytes.readDoubleLE(15), orders },
  };
}
