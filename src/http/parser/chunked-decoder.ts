// chunked-decoder.ts: takes the chunked coding off a body. It copies nothing and keeps nothing.
//
//   1e;name="quoted"␍␊ …30 bytes… ␍␊ 0␍␊ trailers ␍␊
//   ^size ^extension    ^data     ^end   ^last chunk; what follows is the parser's again
//
// Strict where two readers could disagree: hexadecimal digits only and not too many of them, CR LF and nothing else after
// size and data. Stricter than RFC 9112 7.1.1, which lets white space stand around ";" and "=" of an extension and asks
// readers to pass over it: nobody sends it, and readers that disagree whether "5 " is a size are a way to smuggle a
// request past a proxy. Source: RFC 9112 7.1.

import type { HttpErrorCode } from '../http-error.js';
import type { LineOutcome } from './byte-intake.js';
import {
  BACKSLASH,
  CR,
  DOUBLE_QUOTE,
  EQUALS,
  FIELD_TEXT,
  HEX_VALUE,
  LF,
  NOT_HEX,
  QUOTED_TEXT,
  SEMICOLON,
  TOKEN,
} from './grammar.js';

/** Digits of a chunk size, zeros in front included: what a 53-bit integer holds for certain. */
const SIZE_DIGITS_MAX = 13;
/** In place of an index. */
const MALFORMED = -1;

/** One body at a time; `reset()` before each. */
export class ChunkedDecoder {
  /** Where reading stopped: the first byte not yet used. */
  position = 0;
  /** Bytes of the current chunk's data still to come. */
  remaining = 0;
  /** Whether a chunk's data has been read and its CR LF has not. */
  isAtDataEnd = false;
  /** Data of all chunks so far, the current one's announced size included. */
  private bodyBytes = 0;
  private extensionBytes = 0;

  reset(): void {
    this.remaining = 0;
    this.isAtDataEnd = false;
    this.bodyBytes = 0;
    this.extensionBytes = 0;
  }

  /** Reads CR LF behind the data of a chunk. */
  readDataEnd(bytes: Buffer, start: number, end: number): LineOutcome {
    if (start < end && bytes[start] !== CR) return 'CHUNK_END';
    if (start + 1 < end && bytes[start + 1] !== LF) return 'CHUNK_END';
    if (start + 1 >= end) return 'cut';
    this.isAtDataEnd = false;
    this.position = start + 2;
    return 'complete';
  }

  /**
   * Reads `chunk-size [ chunk-ext ] CRLF`; then `remaining` is the size, 0 for the last chunk. A body larger than
   * `bodyBytesMax` is refused when a chunk announces it, not when it has arrived.
   */
  readSizeLine(bytes: Buffer, start: number, end: number, bodyBytesMax: number): LineOutcome {
    const sizeEnd = hexEnd(bytes, start, end);
    if (sizeEnd === start) return 'CHUNK_SIZE';
    let index = sizeEnd;
    while (index < end && bytes[index] === SEMICOLON) {
      index = extensionEnd(bytes, index + 1, end);
      if (index === MALFORMED) return 'CHUNK_EXTENSION';
    }
    if (index === end) return 'cut';
    if (bytes[index] !== CR) return index === sizeEnd ? 'CHUNK_SIZE' : 'CHUNK_EXTENSION';
    if (index + 1 === end) return 'cut';
    if (bytes[index + 1] !== LF) return 'CHUNK_SIZE';
    let size = 0;
    for (let place = start; place < sizeEnd; place++) size = size * 16 + HEX_VALUE[bytes[place]!]!;
    this.bodyBytes += size;
    if (this.bodyBytes > bodyBytesMax) return 'BODY_TOO_LARGE';
    this.extensionBytes += index - sizeEnd;
    this.remaining = size;
    this.isAtDataEnd = size > 0;
    this.position = index + 2;
    return 'complete';
  }

  /** What can be refused in a size line from `start` on, of which all up to `lineEnd` has come, perhaps without its LF. */
  earlyRefusal(bytes: Buffer, start: number, lineEnd: number, extensionBytesMax: number): HttpErrorCode | undefined {
    if (start === lineEnd) return undefined;
    const sizeEnd = hexEnd(bytes, start, lineEnd);
    if (sizeEnd === start || sizeEnd - start > SIZE_DIGITS_MAX) return 'CHUNK_SIZE';
    const extensionBytes = this.extensionBytes + (lineEnd - sizeEnd - 1); // the CR or the ";" apart
    return extensionBytes > extensionBytesMax ? 'CHUNK_EXTENSIONS_TOO_LARGE' : undefined;
  }
}

/** The byte after the hexadecimal digits at `start`, or after one more of them than a size may have. */
function hexEnd(bytes: Buffer, start: number, end: number): number {
  const last = Math.min(end, start + SIZE_DIGITS_MAX + 1);
  let index = start;
  while (index < last && HEX_VALUE[bytes[index]!] !== NOT_HEX) index++;
  return index;
}

/**
 * The byte after `token [ "=" ( token / quoted-string ) ]` at `start`; `end` where the bytes run out in it, `MALFORMED`
 * where it is none.
 */
function extensionEnd(bytes: Buffer, start: number, end: number): number {
  const nameEnd = tokenEnd(bytes, start, end);
  if (nameEnd === MALFORMED || nameEnd === end || bytes[nameEnd] !== EQUALS) return nameEnd;
  const valueStart = nameEnd + 1;
  if (valueStart === end || bytes[valueStart] !== DOUBLE_QUOTE) return tokenEnd(bytes, valueStart, end);
  for (let index = valueStart + 1; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === DOUBLE_QUOTE) return index + 1;
    if (byte === BACKSLASH) {
      index++;
      if (index < end && FIELD_TEXT[bytes[index]!] === 0) return MALFORMED;
    } else if (QUOTED_TEXT[byte] === 0) return MALFORMED;
  }
  return end;
}

/** The byte after the token at `start`, which has one byte at least. */
function tokenEnd(bytes: Buffer, start: number, end: number): number {
  let index = start;
  while (index < end && TOKEN[bytes[index]!] !== 0) index++;
  return index === start && index < end ? MALFORMED : index;
}
