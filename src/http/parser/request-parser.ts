// request-parser.ts: the request line and what frames a request; the rest is message-parser.ts.
//
//   request-line = method SP request-target SP HTTP-version CRLF        exactly one SP each, nothing around them
//
// Fields that only a request has: Host (one, and a host) and Expect (100-continue or nothing). That Host is there at all
// is the session's rule, since only a server needs it. Source: RFC 9112 3, 6.3; RFC 9110 7.2, 10.1.1.

import { isUtf8 } from 'node:buffer';
import type { HttpErrorCode } from '../http-error.js';
import { type HttpLimits, httpLimits } from '../limits.js';
import type { LineOutcome } from './byte-intake.js';
import { FieldMemo } from './field-memo.js';
import { NO_LENGTH } from './field-table.js';
import {
  CR,
  DIGIT_0,
  describeByte,
  isEscape,
  LF,
  matchingBytes,
  PERCENT,
  QUESTION,
  SLASH,
  SP,
  TARGET,
  TOKEN,
} from './grammar.js';
import { RequestHead } from './message-head.js';
import { MessageParser } from './message-parser.js';
import { pathOfRareTarget, percentDecode } from './request-target.js';
import { threadStringMemo } from './string-memo.js';
import { threadWordScanner } from './word-scanner.js';

/** "HTTP/1.1", with any digit where a digit may differ. */
const VERSION_SHAPE = Buffer.from('HTTP/0.0');
const MAJOR_AT = 5;
const MINOR_AT = 7;
const DIGIT_1 = 0x31;
/** What follows a target: SP, the version, CR. */
const AFTER_TARGET_BYTES = 10;

/** An escape is looked at more closely than other bytes of a target. */
const QUERY_BYTE = TARGET.slice().fill(0, PERCENT, PERCENT + 1);
/** "?" ends the path and begins the query, so inside the path it is not one of the bytes to run over. */
const PATH_BYTE = QUERY_BYTE.slice().fill(0, QUESTION, QUESTION + 1);

/** Length of "HTTP/1.1" CR LF, which ends nearly every request line and is compared as a whole. */
const LINE_END_BYTES = 10;
/** Length of the longest method that `commonMethod()` knows. */
const COMMON_METHOD_BYTES = 4;

/** Header sections of requests that this thread has seen. */
const requestFieldMemo = new FieldMemo();

/** Reads requests, any number of them one after the other. */
export class RequestParser extends MessageParser<RequestHead> {
  private blankLines = 0;
  /** Whether the target has a percent-escape. */
  private hasEscape = false;

  constructor(limits: HttpLimits = httpLimits(), head = new RequestHead()) {
    super(head, limits, requestFieldMemo, true);
  }

  protected override readStartLine(): LineOutcome {
    const { bytes, end, position: start } = this;
    if (start === end) return 'cut';
    if (bytes[start] === CR) return this.readBlankLine();
    this.beginMessage();
    this.detail = undefined;
    this.hasEscape = false;
    const common = end - start > COMMON_METHOD_BYTES ? commonMethod(bytes, start) : '';
    let index = start + common.length;
    if (common === '') {
      while (index < end && TOKEN[bytes[index]!] !== 0) index++;
      if (index === end) return 'cut';
      if (index - start > this.limits.methodBytesMax) return 'METHOD_TOO_LONG';
      if (bytes[index] !== SP || index === start) return this.byteFault('METHOD', index, start);
    }
    this.head.method = common === '' ? threadStringMemo.text(bytes, start, index) : common;
    const targetStart = index + 1;
    index = threadWordScanner.skipPath(bytes, targetStart, end);
    while (index < end && PATH_BYTE[bytes[index]!] !== 0) index++;
    if (bytes[index] === PERCENT) index = this.runOverEscapes(PATH_BYTE, index);
    const pathEnd = index;
    while (index < end && QUERY_BYTE[bytes[index]!] !== 0) index++;
    if (bytes[index] === PERCENT) index = this.runOverEscapes(QUERY_BYTE, index);
    if (index === end) return 'cut';
    if (bytes[index] !== SP || index === targetStart) return this.targetFault(index, targetStart);
    const fault = this.noteTarget(targetStart, pathEnd, index);
    if (fault !== undefined) return fault;
    index++;
    if (end - index < LINE_END_BYTES || !isHttp11LineEnd(bytes, index)) return this.readVersion(index);
    this.blankLines = 0;
    this.position = index + LINE_END_BYTES;
    return 'complete';
  }

  protected override earlyRefusal(lineEnd: number): HttpErrorCode | undefined {
    const { bytes, position: start, limits } = this;
    if (start === lineEnd) return undefined;
    let methodEnd = start;
    const methodLimit = Math.min(lineEnd, start + limits.methodBytesMax + 1);
    while (methodEnd < methodLimit && TOKEN[bytes[methodEnd]!] !== 0) methodEnd++;
    if (methodEnd - start > limits.methodBytesMax) return 'METHOD_TOO_LONG';
    if (methodEnd === start && bytes[start] !== CR) return this.byteFault('METHOD', start, start);
    return lineEnd - methodEnd - 1 > limits.targetBytesMax + AFTER_TARGET_BYTES ? 'TARGET_TOO_LONG' : undefined;
  }

  /** RFC 9112 6.3 for requests: chunked, or a length, or nothing; what is both or neither quite is refused. */
  protected override beginBody(): boolean {
    const { head } = this;
    head.attach(this.bytes, this.base);
    const coding = this.head.transferCoding();
    if (coding === 'chunked') return this.beginChunked();
    if (coding !== 'absent') return this.fail(coding);
    if (head.fields.contentLength !== NO_LENGTH) return this.beginLength(head.fields.contentLength);
    return this.beginNoBody();
  }

  /** A robust server passes over an empty line before a request (RFC 9112 2.2). */
  private readBlankLine(): LineOutcome {
    const next = this.position + 1;
    if (next === this.end) return 'cut';
    if (this.bytes[next] !== LF) return 'LINE_ENDING';
    if (++this.blankLines > this.limits.blankLinesMax) return 'BLANK_LINES';
    this.position = next + 1;
    this.base = this.position;
    return this.readStartLine();
  }

  /** The first byte from `start` on that is neither one of `table` nor part of an escape; `end` if there is none. */
  private runOverEscapes(table: Uint8Array, start: number): number {
    const { bytes, end } = this;
    let index = start;
    while (index < end) {
      if (table[bytes[index]!] !== 0) index++;
      else if (isEscape(bytes, index, end)) index += 3;
      else break;
    }
    this.hasEscape = true;
    return index;
  }

  private noteTarget(start: number, pathEnd: number, end: number): HttpErrorCode | undefined {
    const { bytes, base, head } = this;
    if (end - start > this.limits.targetBytesMax) return 'TARGET_TOO_LONG';
    // CONNECT's target is never a path, not even when it looks like one.
    if (bytes[start] === SLASH && head.method !== 'CONNECT') {
      head.setTarget(start - base, end - base, start - base, pathEnd - base);
      return this.pathFault(start, pathEnd);
    }
    const path = pathOfRareTarget(bytes, start, end, head.method);
    if (path === undefined) return 'TARGET';
    head.setTarget(start - base, end - base, path.start - base, path.end - base);
    head.scheme = path.scheme;
    return this.pathFault(path.start, path.end);
  }

  private pathFault(start: number, end: number): HttpErrorCode | undefined {
    if (!this.hasEscape || isUtf8(percentDecode(this.bytes, start, end))) return undefined;
    return 'PATH_NOT_UTF8';
  }

  /** `HTTP-version CRLF`. A minor version above ours is read as ours (RFC 9110 2.5). */
  private readVersion(start: number): LineOutcome {
    const { bytes, end } = this;
    const index = start + matchingBytes(bytes, start, end, VERSION_SHAPE);
    if (index === end) return 'cut';
    if (index < start + VERSION_SHAPE.length) return 'VERSION';
    if (bytes[index] !== CR) return bytes[index] === LF ? 'LINE_ENDING' : 'VERSION';
    if (index + 1 === end) return 'cut';
    if (bytes[index + 1] !== LF) return 'LINE_ENDING';
    if (bytes[start + MAJOR_AT] !== DIGIT_1) return 'VERSION_UNSUPPORTED';
    this.head.versionMinor = bytes[start + MINOR_AT] === DIGIT_0 ? 0 : 1;
    this.blankLines = 0;
    this.position = index + 2;
    return 'complete';
  }

  /** @param start of what the byte at `index` is a part of */
  private byteFault(code: HttpErrorCode, index: number, start: number): HttpErrorCode {
    this.detail = `${describeByte(this.bytes[index]!)} at character ${index - start + 1}`;
    return code;
  }

  private targetFault(index: number, start: number): HttpErrorCode {
    const { bytes, end } = this;
    if (bytes[index] === LF) return 'LINE_ENDING';
    if (bytes[index] !== PERCENT) return this.byteFault('TARGET', index, start);
    let escapeEnd = index + 1;
    while (escapeEnd < Math.min(end, index + 3) && TARGET[bytes[escapeEnd]!] !== 0) escapeEnd++;
    this.detail = `'${bytes.toString('latin1', index, escapeEnd)}' at character ${index - start + 1}`;
    return 'TARGET_ESCAPE';
  }
}

/** "GET" or "POST" and the space behind it, which nearly every request begins with; '' for all else. */
function commonMethod(bytes: Buffer, at: number): '' | 'GET' | 'POST' {
  const second = bytes[at + 1];
  if (bytes[at] === 0x47 && second === 0x45 && bytes[at + 2] === 0x54 && bytes[at + 3] === SP) return 'GET';
  const isPost = bytes[at] === 0x50 && second === 0x4f && bytes[at + 2] === 0x53 && bytes[at + 3] === 0x54;
  return isPost && bytes[at + 4] === SP ? 'POST' : '';
}

/** "HTTP/1.1" CR LF; written out, since a loop over ten bytes takes twice as long. */
function isHttp11LineEnd(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === SLASH &&
    bytes[at + 5] === 0x31 &&
    bytes[at + 6] === 0x2e &&
    bytes[at + 7] === 0x31 &&
    bytes[at + 8] === CR &&
    bytes[at + 9] === LF
  );
}
