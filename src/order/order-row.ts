// order-row.ts: one row of orders.csv as text, and back. It knows nothing of files.
//
//   order_number,name,quantity,key,ordered_at,retry_key
//   0,Tux,1,,2026-01-31T12:00:00.000Z,b7c1…            no key of the client's; the front end's own in retry_key
//   1,"Duck, yellow",2,cart-17,2026-01-31T12:00:00.120Z,
//
// Quoting as in RFC 4180 section 2 (a field with a comma, a quote or a line break stands in quotes, a quote within is
// doubled); rows end with LF, so that line tools work too. A quoted line break is part of its row: rows are not lines.

import type { SoldOrder } from './order-types.js';

/** The first row of orders.csv. The first three columns and their order are part of the contract. */
export const ORDERS_HEADER = 'order_number,name,quantity,key,ordered_at,retry_key\n';

export const COLUMN = { NUMBER: 0, NAME: 1, QUANTITY: 2, KEY: 3, ORDERED_AT: 4, RETRY_KEY: 5 } as const;
export const COLUMN_COUNT = 6;

const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** The rows of a group of orders, numbered from `firstNumber`, all ordered at the same time. */
export function formatRows(orders: readonly SoldOrder[], firstNumber: number, orderedAtMs: number): string {
  const orderedAt = new Date(orderedAtMs).toISOString();
  let rows = '';
  let number = firstNumber;
  for (const { name, quantity, key, transient } of orders) {
    const keys = transient ? `,${orderedAt},${quoted(key)}` : `${quoted(key)},${orderedAt},`;
    rows += `${number++},${quoted(name)},${quantity},${keys}\n`;
  }
  return rows;
}

/** A field as it stands in a row. Spaces at an end are quoted too: many readers would trim them. */
export function quoted(field: string): string {
  return /[",\r\n]|^ | $/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** Where the fields of a row end, as offsets into the scanned bytes: field i ends before `ends[i]`. */
export type FieldEnds = Int32Array;

/**
 * Splits bytes into whole rows.
 *
 * @param bytes begins at the start of a row; only the first `length` bytes count
 * @param onRow called with the row's start and the ends of its fields (reused by the next row), and the number of
 * fields; false ends the scan behind that row
 * @returns how many bytes whole rows took; what is left is the beginning of a row
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
      const goOn = onRow(start, ends, field);
      start = at + 1;
      field = 0;
      if (!goOn) break;
    }
  }
  return start;
}

/** The bytes from `start` to `end` as a field's text, quotes taken off. */
export function fieldText(bytes: Buffer, start: number, end: number): string {
  if (bytes[start] !== QUOTE) return bytes.toString('utf8', start, end);
  return bytes.toString('utf8', start + 1, end - 1).replaceAll('""', '"');
}

/** Where field `column` of the row at `rowStart` begins. */
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
