// order-row.ts: one row of orders.csv as text, and back. It knows nothing of files.
//
//   order_number,name,quantity,key,ordered_at,tag
//   0,Tux,1," 0b3a6a1c-17",2026-01-31T12:00:00.000Z,q7x2k9ab-3-41      a key that a front end made up: it begins with a space
//   1,"Duck, yellow",2,cart-17,2026-01-31T12:00:00.120Z,q7x2k9ab-3-42
//   2,Tux,1,'=1+1,2026-01-31T12:00:00.120Z,q7x2k9ab-3-44               a key that a spreadsheet would calculate
//
// Quoting as in RFC 4180 section 2 (a field with a comma, a quote or a line break stands in quotes, a quote within is
// doubled); rows end with LF, so that line tools work too. A quoted line break is part of its row: rows are not lines.
//
// Keys are written by customers, and people open this file in spreadsheets, which take a cell that begins with one of
// = + - @ for a formula. Such a key gets an apostrophe in front (OWASP, "CSV Injection"), and so does one that begins with
// an apostrophe: the reader takes one off. Names are those of catalog.csv, its owner's own.
//
// The tag says which sale of the catalog the order is: store, incarnation, sequence.

import {
  compareTags,
  isName,
  isOrderKey,
  isOrderQuantity,
  NAME_BYTES_MAX,
  NO_TAG,
  type Tag,
} from '../store-contract.js';
import type { LoggedOrder, SoldOrder } from './order-types.js';

/** The first row of orders.csv. The first three columns and their order are part of the contract. */
export const ORDERS_HEADER = 'order_number,name,quantity,key,ordered_at,tag\n';

export const COLUMN = { NUMBER: 0, NAME: 1, QUANTITY: 2, KEY: 3, ORDERED_AT: 4, TAG: 5 } as const;
const COLUMN_COUNT = 6;
/** No row is longer: 64 bytes of name and 64 of key, all of them quotes, and the rest. */
export const ROW_BYTES_MAX = 512;

/** Of a cell that is not right, in a message. */
const SHOWN_CHARACTERS = 40;

const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const SPACE = 0x20;
const APOSTROPHE = 0x27;
const DASH = 0x2d;

/** The rows of a group of orders, numbered from `firstNumber`, all ordered at the same time. */
export function formatRows(
  orders: readonly SoldOrder[],
  firstNumber: number,
  orderedAtMs: number,
  store: string,
): string {
  const orderedAt = new Date(orderedAtMs).toISOString();
  let rows = '';
  let number = firstNumber;
  for (const { tag, name, quantity, key } of orders) {
    const sale = `${store}-${tag.incarnation}-${tag.sequence}`;
    rows += `${number++},${quoted(name)},${quantity},${quoted(harmless(key))},${orderedAt},${sale}\n`;
  }
  return rows;
}

/** A field as it stands in a row. Spaces at an end are quoted too: many readers would trim them. */
export function quoted(field: string): string {
  return /[",\r\n]|^ | $/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function harmless(key: string): string {
  return /^[=+\-@']/.test(key) ? `'${key}` : key;
}

/** Where the fields of a row end, as offsets into the scanned bytes: field i ends before `ends[i]`. */
export type FieldEnds = Int32Array;

/**
 * Splits bytes into whole rows.
 *
 * @param bytes begins at the start of a row; only the first `length` bytes count
 * @param onRow called with the row's start and the ends of its fields (reused by the next row), and the number of
 * fields; false ends the scan before that row
 * @returns how many bytes the rows took; what is left is the beginning of a row
 */
export function scanRows(
  bytes: Uint8Array,
  length: number,
  onRow: (start: number, ends: FieldEnds, fieldCount: number) => boolean,
): number {
  const ends: FieldEnds = new Int32Array(COLUMN_COUNT);
  let start = 0;
  let field = 0;
  let isQuoted = false;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    // Nearly every byte is above the comma: one comparison skips it.
    if (byte > COMMA) continue;
    if (byte === QUOTE) {
      // A doubled quote leaves and enters again: no special case.
      isQuoted = !isQuoted;
    } else if (!isQuoted && (byte === COMMA || byte === LINE_FEED)) {
      if (field < COLUMN_COUNT) ends[field] = at;
      field++;
      if (byte === COMMA) continue;
      if (!onRow(start, ends, field)) break;
      start = at + 1;
      field = 0;
    }
  }
  return start;
}

/** The bytes from `start` to `end` as a field's text, quotes taken off. */
export function fieldText(bytes: Buffer, start: number, end: number): string {
  if (bytes[start] !== QUOTE) return bytes.toString('utf8', start, end);
  return bytes.toString('utf8', start + 1, end - 1).replaceAll('""', '"');
}

export function fieldKey(bytes: Buffer, start: number, end: number): string {
  const text = fieldText(bytes, start, end);
  return text.startsWith("'") ? text.slice(1) : text;
}

/** Where the bytes of a key are, if they stand there as they are: nearly all do, those made up in quotes. */
export function plainKey(bytes: Uint8Array, start: number, end: number): { start: number; end: number } | undefined {
  if (bytes[start] === APOSTROPHE) return undefined;
  if (bytes[start] !== QUOTE) return { start, end };
  return bytes[start + 1] === SPACE ? { start: start + 1, end: end - 1 } : undefined;
}

export function fieldStart(rowStart: number, ends: FieldEnds, column: number): number {
  return column === 0 ? rowStart : ends[column - 1]! + 1;
}

/** The whole number written from `start` to `end` in plain digits, or NaN. */
export function fieldNumber(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN;
  let number = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** The order of a row that was checked. */
export function parseOrderRow(bytes: Buffer, start: number, ends: FieldEnds): LoggedOrder {
  const startOf = (column: number): number => fieldStart(start, ends, column);
  return {
    number: fieldNumber(bytes, start, ends[COLUMN.NUMBER]!),
    name: fieldText(bytes, startOf(COLUMN.NAME), ends[COLUMN.NAME]!),
    quantity: fieldNumber(bytes, startOf(COLUMN.QUANTITY), ends[COLUMN.QUANTITY]!),
    key: fieldKey(bytes, startOf(COLUMN.KEY), ends[COLUMN.KEY]!),
    tag: fieldTag(bytes, startOf(COLUMN.TAG), ends[COLUMN.TAG]!).tag,
  };
}

/** A tag with the store that it names; '' and NO_TAG where there is none. */
interface StoreTag {
  readonly store: string;
  readonly tag: Tag;
}

const NO_STORE_TAG: StoreTag = { store: '', tag: NO_TAG };

function fieldTag(bytes: Buffer, start: number, end: number): StoreTag {
  const first = bytes.indexOf(DASH, start);
  const second = bytes.indexOf(DASH, first + 1);
  if (first <= start || second <= first || second >= end) return NO_STORE_TAG;
  const incarnation = fieldNumber(bytes, first + 1, second);
  const sequence = fieldNumber(bytes, second + 1, end);
  if (!(incarnation >= 1 && sequence >= 1)) return NO_STORE_TAG;
  return { store: bytes.toString('latin1', start, first), tag: { incarnation, sequence } };
}

/** What comes before a row: how many orders, of which store, and the newest tag. */
export interface RowsBefore {
  readonly count: number;
  readonly store: string;
  readonly lastTag: Tag;
}

/** A million rows are checked at a start: what stands there without quotes need not become a string for it. */
function isNameField(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === QUOTE) return isName(fieldText(bytes, start, end));
  return end > start && end - start <= NAME_BYTES_MAX;
}

/** What the row at `start` adds, or what is wrong with it, in words that follow "row 7". */
export function checkRow(
  bytes: Buffer,
  start: number,
  ends: FieldEnds,
  fieldCount: number,
  before: RowsBefore,
): StoreTag | string {
  if (fieldCount !== COLUMN_COUNT) return `has ${fieldCount} cells instead of ${COLUMN_COUNT}`;
  const startOf = (column: number): number => fieldStart(start, ends, column);
  const shown = (column: number): string => {
    const text = bytes.toString('utf8', startOf(column), ends[column]!);
    return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
  };
  if (fieldNumber(bytes, start, ends[COLUMN.NUMBER]!) !== before.count) {
    return `has the order number ${shown(COLUMN.NUMBER)}, where ${before.count} comes next`;
  }
  if (!isNameField(bytes, startOf(COLUMN.NAME), ends[COLUMN.NAME]!)) return 'has no name of 1 to 64 bytes';
  if (!isOrderQuantity(fieldNumber(bytes, startOf(COLUMN.QUANTITY), ends[COLUMN.QUANTITY]!))) {
    return `has the quantity ${shown(COLUMN.QUANTITY)}`;
  }
  if (startOf(COLUMN.KEY) < ends[COLUMN.KEY]! && !isOrderKey(fieldKey(bytes, startOf(COLUMN.KEY), ends[COLUMN.KEY]!))) {
    return `has the key ${shown(COLUMN.KEY)}, which no order can have`;
  }
  const found = fieldTag(bytes, startOf(COLUMN.TAG), ends[COLUMN.TAG]!);
  if (found.store === '') return `has ${shown(COLUMN.TAG)} where a tag should be`;
  if (before.store !== '' && found.store !== before.store)
    return `is of another store than those before: ${shown(COLUMN.TAG)}`;
  if (compareTags(found.tag, before.lastTag) <= 0)
    return `has the tag ${shown(COLUMN.TAG)}, which is not after the one before`;
  return found;
}
