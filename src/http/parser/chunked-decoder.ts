// chunked-decoder.ts: takes the chunked coding off a body, resumable at any byte. It copies nothing and keeps nothing.
//
//   1e;name="quoted"␍␊ …30 bytes… ␍␊ 0␍␊ trailers ␍␊
//   ^size ^extension    ^data       ^last chunk; what follows is the parser's again
//
// Strict where two readers could disagree: hexadecimal digits only and not too many of them, no white space around the
// size or in an extension, CR LF and nothing else after size and data. Source: RFC 9112 7.1.

import type { HttpErrorCode } from '../http-error.js';
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

/** `data`: bytes from `dataStart` to `dataEnd`; `last-chunk`: no more data; `error`: see `errorCode`. */
export type ChunkEvent = 'data' | 'last-chunk' | 'need-more' | 'error';

/** Digits of a chunk size, zeros in front included: what a 53-bit integer holds for certain. */
const SIZE_DIGITS_MAX = 13;

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION_NAME_FIRST = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_FIRST = 4;
const EXTENSION_TOKEN = 5;
const EXTENSION_QUOTED = 6;
const EXTENSION_ESCAPED = 7;
const EXTENSION_END = 8;
const SIZE_LF = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;

/** One body at a time; `reset()` before each. */
export class ChunkedDecoder {
  /** Where decoding stopped: the first byte not yet used. */
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  errorCode: HttpErrorCode = 'CHUNK_SIZE';
  private step = SIZE_FIRST;
  private size = 0;
  private digitCount = 0;
  /** Bytes of this chunk's data still to come. */
  private remaining = 0;
  /** Data of all chunks so far, this one's announced size included. */
  private bodyBytes = 0;
  private extensionBytes = 0;

  reset(): void {
    this.step = SIZE_FIRST;
    this.bodyBytes = 0;
    this.extensionBytes = 0;
  }

  /**
   * Decodes `bytes` from `start` up to `end` until there is something to say; call again from `position`.
   * A body larger than `bodyBytesMax` is refused when a chunk announces it, not when it has arrived.
   */
  decode(bytes: Buffer, start: number, end: number, bodyBytesMax: number, extensionBytesMax: number): ChunkEvent {
    this.position = start;
    while (this.position < end) {
      if (this.step === DATA) return this.takeData(end);
      const byte = bytes[this.position++]!;
      if (this.step === SIZE || this.step === SIZE_FIRST) {
        if (!this.sizeByte(byte)) return 'error';
      } else if (this.step === SIZE_LF) {
        if (byte !== LF) return this.fail('CHUNK_SIZE');
        this.bodyBytes += this.size;
        if (this.bodyBytes > bodyBytesMax) return this.fail('BODY_TOO_LARGE');
        this.remaining = this.size;
        if (this.size === 0) return 'last-chunk';
        this.step = DATA;
      } else if (this.step === DATA_CR || this.step === DATA_LF) {
        if (byte !== (this.step === DATA_CR ? CR : LF)) return this.fail('CHUNK_END');
        this.step = this.step === DATA_CR ? DATA_LF : SIZE_FIRST;
      } else {
        if (++this.extensionBytes > extensionBytesMax) return this.fail('CHUNK_EXTENSIONS_TOO_LARGE');
        if (!this.extensionByte(byte)) return this.fail('CHUNK_EXTENSION');
      }
    }
    return 'need-more';
  }

  private takeData(end: number): ChunkEvent {
    const count = Math.min(this.remaining, end - this.position);
    this.dataStart = this.position;
    this.dataEnd = this.position + count;
    this.position = this.dataEnd;
    this.remaining -= count;
    if (this.remaining === 0) this.step = DATA_CR;
    return 'data';
  }

  /** `chunk-size = 1*HEXDIG`, then ";" or CR at once. */
  private sizeByte(byte: number): boolean {
    const digit = HEX_VALUE[byte]!;
    if (this.step === SIZE_FIRST) {
      this.size = 0;
      this.digitCount = 0;
      this.step = SIZE;
    }
    if (digit !== NOT_HEX) {
      this.size = this.size * 16 + digit;
      this.digitCount++;
      return this.digitCount <= SIZE_DIGITS_MAX || this.refuse('CHUNK_SIZE');
    }
    if (this.digitCount === 0) return this.refuse('CHUNK_SIZE');
    if (byte === CR) this.step = SIZE_LF;
    else if (byte === SEMICOLON) this.step = EXTENSION_NAME_FIRST;
    else return this.refuse('CHUNK_SIZE');
    return true;
  }

  /** `chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] )`, without the white space that nobody should send. */
  private extensionByte(byte: number): boolean {
    switch (this.step) {
      case EXTENSION_NAME_FIRST:
        this.step = EXTENSION_NAME;
        return TOKEN[byte] !== 0;
      case EXTENSION_NAME:
        if (byte === EQUALS) this.step = EXTENSION_VALUE_FIRST;
        else return TOKEN[byte] !== 0 || this.extensionEnd(byte);
        return true;
      case EXTENSION_VALUE_FIRST:
        this.step = byte === DOUBLE_QUOTE ? EXTENSION_QUOTED : EXTENSION_TOKEN;
        return byte === DOUBLE_QUOTE || TOKEN[byte] !== 0;
      case EXTENSION_TOKEN:
        return TOKEN[byte] !== 0 || this.extensionEnd(byte);
      case EXTENSION_QUOTED:
        if (byte === DOUBLE_QUOTE) this.step = EXTENSION_END;
        else if (byte === BACKSLASH) this.step = EXTENSION_ESCAPED;
        else return QUOTED_TEXT[byte] !== 0;
        return true;
      case EXTENSION_ESCAPED:
        this.step = EXTENSION_QUOTED;
        return FIELD_TEXT[byte] !== 0;
      default:
        return this.extensionEnd(byte);
    }
  }

  private extensionEnd(byte: number): boolean {
    if (byte === CR) this.step = SIZE_LF;
    else if (byte === SEMICOLON) this.step = EXTENSION_NAME_FIRST;
    else return false;
    return true;
  }

  private refuse(code: HttpErrorCode): false {
    this.errorCode = code;
    return false;
  }

  private fail(code: HttpErrorCode): 'error' {
    this.errorCode = code;
    return 'error';
  }
}
