// csv-records.ts: from the bytes of a CSV file to its records, and from a record back to its line, for the one of an error.
//
// Lines may end in LF, CRLF or CR, mixed as they come; a byte order mark is no part of the first one. What a record means is
// catalog-file.ts's business.

import { isUtf8 } from 'node:buffer';
import { createRequire } from 'node:module';
import type { CsvError, Options } from 'csv-parse/sync';
import { CatalogError } from './catalog-error.js';

export const BYTE_ORDER_MARK = '\ufeff';
/** Records of any number of cells: whoever reads them has a better message for a wrong one than the library. */
const CSV_OPTIONS: Options = { relax_column_count: true, bom: true, record_delimiter: ['\r\n', '\n', '\r'] };
const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/**
 * The records of the file, blank lines among them.
 *
 * @throws CatalogError BAD_FILE with the line where it is no CSV
 */
export function recordsOf(bytes: Buffer, path: string): Iterable<string[]> {
  // Where nothing is quoted a record is a line. The library takes 1.2 to 1.7 s for a million of them, this 0.3 s.
  if (bytes.indexOf(QUOTE) === -1) return splitLines(bytes.toString());
  const { CsvError, parse } = csvLibrary();
  try {
    return parse(bytes, CSV_OPTIONS) as string[][];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw refuse(path, error.lines as number, csvReason(error));
  }
}

function* splitLines(text: string): Generator<string[]> {
  const hasReturns = text.includes('\r');
  for (let start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0; start < text.length; ) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    const line = text.slice(start, end);
    start = end + 1;
    if (!hasReturns) yield line.split(',');
    else for (const part of line.replace(/\r$/, '').split('\r')) yield part.split(',');
  }
}

function csvReason(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quoted field has no closing quote';
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'text stands behind a closing quote';
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands inside a field that is not quoted';
    default:
      return error.message;
  }
}

/**
 * The line that the record at `row` begins on. Found by parsing again up to there: to keep every record's line would
 * cost a good file twice the time.
 */
export function lineOfRecord(bytes: Buffer, row: number): number {
  if (row === 0) return 1;
  const before = csvLibrary().parse(bytes, { ...CSV_OPTIONS, to: row, info: true }) as unknown as {
    info: { lines: number };
  }[];
  return (before[row - 1]?.info.lines ?? 0) + 1;
}

/** Loaded when a file needs it: most have no quotes and are right, and a start is quicker without. */
function csvLibrary(): typeof import('csv-parse/sync') {
  return createRequire(import.meta.url)('csv-parse/sync');
}

/** @throws CatalogError BAD_FILE with the first line that is not UTF-8 */
export function requireUtf8(bytes: Buffer, path: string): void {
  if (isUtf8(bytes)) return;
  // No part of a character of several bytes looks like a line feed: lines can be checked one by one.
  for (let line = 1, start = 0; start < bytes.length; line++) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    if (!isUtf8(bytes.subarray(start, end))) throw refuse(path, line, 'the text is not UTF-8');
    start = end + 1;
  }
}

export function refuse(path: string, line: number, reason: string): CatalogError {
  return new CatalogError('BAD_FILE', `${path}, line ${line}: ${reason}`);
}
