// field-parser.ts: header and trailer sections: lines of "name: value" up to the empty one, resumable at any byte.
//
//   field-line = field-name ":" OWS field-value OWS CRLF
//
//   FIRST → NAME → BLANKS → VALUE → FIELD_LF ─→ FIRST           SECTION_LF → done
//     └────────────────────────────────────────── CR ──────────────↑
//
// It also looks, while it is there, at the few fields that decide how the message is framed and whom it is for, and
// refuses what two readers could understand differently. Source: RFC 9112 5 and 6, RFC 9110 5.5, 7.2, 10.1.1.

import type { HttpErrorCode } from '../http-error.js';
import type { FieldTable } from './field-table.js';
import { NO_LENGTH } from './field-table.js';
import {
  equalsIgnoringCase,
  everyElement,
  isCoding,
  isHost,
  listContains,
  NOT_A_NUMBER,
  readDigits,
  TOO_MANY_DIGITS,
} from './field-value.js';
import { COLON, CR, FIELD_TEXT, HTAB, LF, SP, TOKEN } from './grammar.js';
import { threadWordScanner } from './word-scanner.js';

const FIRST = 0;
const NAME = 1;
const BLANKS = 2;
const VALUE = 3;
const FIELD_LF = 4;
const SECTION_LF = 5;

const CONNECTION = 'connection';
const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';

/** Reads one section at a time. */
export class FieldParser {
  /** Where reading stopped: after the section, or at the first byte not yet understood. */
  position = 0;
  errorCode: HttpErrorCode = 'FIELD_NAME';
  private step = FIRST;
  private table: FieldTable | undefined;
  private fieldCount = 0;
  // Offsets from the start of the section
  private nameStart = 0;
  private nameEnd = 0;
  private valueStart = 0;

  /** @param isRequest whether Host and Expect mean something */
  constructor(private readonly isRequest: boolean) {}

  /** Begins a section. @param table receives the fields; without it they are checked and dropped */
  begin(table: FieldTable | undefined): void {
    this.step = FIRST;
    this.table = table;
    this.fieldCount = 0;
  }

  /**
   * Reads on in a section that begins at `start`, from `position` up to `end`.
   * @returns whether the section is complete; else `position` tells where to go on, or `errorCode` what is wrong
   */
  read(bytes: Buffer, start: number, position: number, end: number, bytesMax: number, countMax: number): FieldEvent {
    let index = position;
    let step = this.step;
    for (;;) {
      if (step === FIRST) {
        if (index === end) return this.pause(index, step, start, bytesMax);
        this.nameStart = index - start;
        step = NAME;
        if (bytes[index] === CR) {
          index++;
          step = SECTION_LF;
        }
      }
      if (step === NAME) {
        index = threadWordScanner.skipName(bytes, index, end);
        while (index < end && TOKEN[bytes[index]!] !== 0) index++;
        if (index === end) return this.pause(index, step, start, bytesMax);
        this.nameEnd = index - start;
        if (bytes[index] !== COLON || this.nameEnd === this.nameStart) return this.failName(bytes[index]!);
        index++;
        step = BLANKS;
      }
      if (step === BLANKS) {
        while (index < end && (bytes[index] === SP || bytes[index] === HTAB)) index++;
        if (index === end) return this.pause(index, step, start, bytesMax);
        this.valueStart = index - start;
        step = VALUE;
      }
      if (step === VALUE) {
        // A tab or the like stops the scanner in the middle of text; then the table takes over.
        index = threadWordScanner.skipText(bytes, index, end);
        while (index < end && FIELD_TEXT[bytes[index]!] !== 0) index++;
        if (index === end) return this.pause(index, step, start, bytesMax);
        if (bytes[index] !== CR) return this.fail(bytes[index] === LF ? 'LINE_ENDING' : 'FIELD_VALUE');
        index++;
        step = FIELD_LF;
      }
      if (index === end) return this.pause(index, step, start, bytesMax);
      if (bytes[index] !== LF) return this.fail('LINE_ENDING');
      index++;
      if (step === SECTION_LF) {
        this.position = index;
        return 'complete';
      }
      if (index - start > bytesMax) return this.fail('FIELDS_TOO_LARGE');
      if (++this.fieldCount > countMax) return this.fail('FIELDS_TOO_MANY');
      if (this.table !== undefined && !this.endField(this.table, bytes, start, index - 2)) return 'error';
      step = FIRST;
    }
  }

  /** Even an unfinished section must keep to its limit. */
  private pause(index: number, step: number, start: number, bytesMax: number): FieldEvent {
    this.position = index;
    this.step = step;
    return index - start > bytesMax + 1 ? this.fail('FIELDS_TOO_LARGE') : 'need-more';
  }

  private fail(code: HttpErrorCode): 'error' {
    this.errorCode = code;
    return 'error';
  }

  /** White space where a name should begin continues the line before, as it once could. */
  private failName(byte: number): 'error' {
    if (this.nameEnd === this.nameStart && (byte === SP || byte === HTAB)) return this.fail('FIELD_FOLDED');
    return this.fail(byte === LF || byte === CR ? 'LINE_ENDING' : 'FIELD_NAME');
  }

  /** A line is complete: write it down and look at what it says of the message. */
  private endField(table: FieldTable, bytes: Buffer, start: number, lineEnd: number): boolean {
    const valueStart = start + this.valueStart;
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    table.add(this.nameStart, this.nameEnd, this.valueStart, valueEnd - start);
    const code = noteField(
      table,
      bytes,
      start + this.nameStart,
      start + this.nameEnd,
      valueStart,
      valueEnd,
      this.isRequest,
    );
    if (code === undefined) return true;
    this.errorCode = code;
    return false;
  }
}

/** What `FieldParser.read()` found. */
export type FieldEvent = 'complete' | 'need-more' | 'error';

/** Looks at the fields that matter to the connection. Only a few lengths of name do, so most are told apart by that. */
function noteField(
  table: FieldTable,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  start: number,
  end: number,
  isRequest: boolean,
): HttpErrorCode | undefined {
  switch (nameEnd - nameStart) {
    case 4:
      return isRequest && equalsIgnoringCase(bytes, nameStart, nameEnd, 'host')
        ? noteHost(table, bytes, start, end)
        : undefined;
    case 6:
      if (!isRequest || !equalsIgnoringCase(bytes, nameStart, nameEnd, 'expect')) return undefined;
      table.expectsContinue = true;
      return equalsIgnoringCase(bytes, start, end, '100-continue') ? undefined : 'EXPECTATION';
    case CONNECTION.length:
      if (equalsIgnoringCase(bytes, nameStart, nameEnd, CONNECTION)) noteConnection(table, bytes, start, end);
      return undefined;
    case CONTENT_LENGTH.length:
      return equalsIgnoringCase(bytes, nameStart, nameEnd, CONTENT_LENGTH)
        ? noteLength(table, bytes, start, end)
        : undefined;
    case TRANSFER_ENCODING.length:
      return equalsIgnoringCase(bytes, nameStart, nameEnd, TRANSFER_ENCODING)
        ? noteCodings(table, bytes, start, end)
        : undefined;
    default:
      return undefined;
  }
}

function noteHost(table: FieldTable, bytes: Buffer, start: number, end: number): HttpErrorCode | undefined {
  if (++table.hostCount > 1) return 'HOST_REPEATED';
  return isHost(bytes, start, end) ? undefined : 'HOST';
}

function noteConnection(table: FieldTable, bytes: Buffer, start: number, end: number): void {
  if (equalsIgnoringCase(bytes, start, end, 'keep-alive')) {
    table.saysKeepAlive = true; // what nearly everybody says who says anything
    return;
  }
  if (listContains(bytes, start, end, 'close')) table.saysClose = true;
  if (listContains(bytes, start, end, 'keep-alive')) table.saysKeepAlive = true;
}

/** One field, digits only: a second one, even with the same number, is a sign of trouble (RFC 9112 6.3). */
function noteLength(table: FieldTable, bytes: Buffer, start: number, end: number): HttpErrorCode | undefined {
  if (table.contentLength !== NO_LENGTH) return 'CONTENT_LENGTH_REPEATED';
  const length = readDigits(bytes, start, end);
  if (length === NOT_A_NUMBER) return 'CONTENT_LENGTH';
  if (length === TOO_MANY_DIGITS) return 'CONTENT_LENGTH_HUGE';
  table.contentLength = length;
  return undefined;
}

function noteCodings(table: FieldTable, bytes: Buffer, start: number, end: number): HttpErrorCode | undefined {
  const isList = everyElement(bytes, start, end, (first, last) => {
    if (!isCoding(bytes, first, last)) return false;
    table.codingCount++;
    table.endsInChunked = equalsIgnoringCase(bytes, first, last, 'chunked');
    if (table.endsInChunked) table.chunkedCount++;
    return true;
  });
  return isList ? undefined : 'TRANSFER_ENCODING';
}
