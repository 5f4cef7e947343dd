// field-parser.ts: header and trailer sections: lines of "name: value" up to the empty one, each parsed straight through.
//
//   field-line = field-name ":" OWS field-value OWS CRLF
//
// It also looks, while it is there, at the few fields that decide how the message is framed and whom it is for, and
// refuses what two readers could understand differently. Source: RFC 9112 5 and 6, RFC 9110 5.5, 7.2, 8.4, 10.1.1.

import type { HttpErrorCode } from '../http-error.js';
import type { LineOutcome } from './byte-intake.js';
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
import { COLON, CR, describeByte, FIELD_TEXT, HTAB, LF, SP, TOKEN } from './grammar.js';
import { threadWordScanner } from './word-scanner.js';

const CONNECTION = 'connection';
const CONTENT_LENGTH = 'content-length';
const CONTENT_ENCODING = 'content-encoding';
const TRANSFER_ENCODING = 'transfer-encoding';

/** Reads one section at a time. */
export class FieldParser {
  /** Where reading stopped: after the section, or at the beginning of the line that is not complete or not right. */
  position = 0;
  /** Which byte is wrong and where, when one is. */
  detail: string | undefined;
  private lineCount = 0;

  /** @param isRequest whether Host and Expect mean something */
  constructor(private readonly isRequest: boolean) {}

  begin(): void {
    this.lineCount = 0;
  }

  /**
   * Reads on in a section that begins at `start`, from the line at `position` up to `end`.
   * @param table receives the fields; without it they are checked and dropped
   */
  read(
    bytes: Buffer,
    start: number,
    position: number,
    end: number,
    table: FieldTable | undefined,
    bytesMax: number,
    countMax: number,
  ): LineOutcome {
    let index = position;
    for (;;) {
      const lineStart = index;
      this.position = lineStart;
      if (index === end) return 'cut';
      if (bytes[index] === CR) {
        if (index + 1 === end) return 'cut';
        if (bytes[index + 1] !== LF) return 'LINE_ENDING';
        this.position = index + 2;
        return 'complete';
      }
      index = threadWordScanner.skipName(bytes, index, end);
      while (index < end && TOKEN[bytes[index]!] !== 0) index++;
      if (index === end) return 'cut';
      const nameEnd = index;
      if (bytes[index] !== COLON || nameEnd === lineStart) return this.nameFault(bytes[index]!, index - lineStart);
      index++;
      while (index < end && (bytes[index] === SP || bytes[index] === HTAB)) index++;
      const valueStart = index;
      // A tab or the like stops the scanner in the middle of text; then the table takes over.
      index = threadWordScanner.skipText(bytes, index, end);
      while (index < end && FIELD_TEXT[bytes[index]!] !== 0) index++;
      if (index === end) return 'cut';
      if (bytes[index] !== CR) return this.valueFault(bytes[index]!, index - lineStart);
      if (index + 1 === end) return 'cut';
      if (bytes[index + 1] !== LF) return 'LINE_ENDING';
      let valueEnd = index;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
      index += 2;
      if (index - start > bytesMax) return 'FIELDS_TOO_LARGE';
      if (++this.lineCount > countMax) return 'FIELDS_TOO_MANY';
      if (table === undefined) continue;
      table.add(lineStart - start, nameEnd - start, valueStart - start, valueEnd - start);
      const code = noteField(table, bytes, lineStart, nameEnd, valueStart, valueEnd, this.isRequest);
      if (code !== undefined) return code;
    }
  }

  /** White space where a name should begin continues the line before, as it once could. */
  private nameFault(byte: number, at: number): HttpErrorCode {
    if (byte === LF || byte === CR) return 'LINE_ENDING';
    this.detail = this.place(byte, at);
    return at === 0 && (byte === SP || byte === HTAB) ? 'FIELD_FOLDED' : 'FIELD_NAME';
  }

  private valueFault(byte: number, at: number): HttpErrorCode {
    if (byte === LF) return 'LINE_ENDING';
    this.detail = this.place(byte, at);
    return 'FIELD_VALUE';
  }

  private place(byte: number, at: number): string {
    return `${describeByte(byte)} at character ${at + 1} of line ${this.lineCount + 1}`;
  }
}

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
    case CONTENT_ENCODING.length:
      if (!isRequest || !equalsIgnoringCase(bytes, nameStart, nameEnd, CONTENT_ENCODING)) return undefined;
      table.hasContentCoding ||= !everyElement(bytes, start, end, isNoCoding);
      return undefined;
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

/** "identity" says that nothing has been done to the body; so does an empty element (RFC 9110 5.6.1.2). */
function isNoCoding(bytes: Buffer, start: number, end: number): boolean {
  return start === end || equalsIgnoringCase(bytes, start, end, 'identity');
}

/**
 * Stricter than RFC 9110 5.6.1.2, which has readers pass over empty elements of a list: this list decides where a message
 * ends, some take "chunked," for chunked and some for a coding that they do not know, and nobody sends it in good faith.
 */
function noteCodings(table: FieldTable, bytes: Buffer, start: number, end: number): HttpErrorCode | undefined {
  const isList = everyElement(bytes, start, end, (_bytes, first, last) => {
    if (!isCoding(bytes, first, last)) return false;
    table.codingCount++;
    table.endsInChunked = equalsIgnoringCase(bytes, first, last, 'chunked');
    if (table.endsInChunked) table.chunkedCount++;
    return true;
  });
  return isList ? undefined : 'TRANSFER_ENCODING';
}
