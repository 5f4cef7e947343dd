// request-parser.ts: the request line and what frames a request; the rest is message-parser.ts.
//
//   request-line = method SP request-target SP HTTP-version CRLF        exactly one SP each, nothing around them
//
// Fields that only a request has: Host (one, and a host) and Expect (100-continue or nothing). That Host is there at all
// is the session's rule, since only a server needs it. Source: RFC 9112 3, 6.3; RFC 9110 7.2, 10.1.1.

import { type HttpLimits, httpLimits } from '../limits.js';
import { FieldMemo } from './field-memo.js';
import { NO_LENGTH } from './field-table.js';
import { CR, DIGIT_0, DIGIT_9, LF, QUESTION, SLASH, SP, TARGET, TOKEN } from './grammar.js';
import { RequestHead } from './message-head.js';
import { MESSAGE_START, MessageParser } from './message-parser.js';
import { pathOfRareTarget } from './request-target.js';
import { threadStringMemo } from './string-memo.js';
import { threadWordScanner } from './word-scanner.js';

const BLANK_LINE_LF = 1;
const METHOD = 2;
const PATH = 3;
const QUERY = 4;
const VERSION = 5;
const LINE_LF = 6;

/** "HTTP/1.1", with any digit where a digit may differ. */
const VERSION_SHAPE = Buffer.from('HTTP/0.0');
const MAJOR_AT = 5;
const MINOR_AT = 7;

/** "?" ends the path and begins the query, so inside the path it is not one of the bytes to run over. */
const PATH_BYTE = TARGET.slice().fill(0, QUESTION, QUESTION + 1);

/** Length of "HTTP/1.1" CR LF, which ends nearly every request line and is compared as a whole. */
const LINE_END_BYTES = 10;
/** Length of the longest method that `commonMethod()` knows. */
const COMMON_METHOD_BYTES = 4;

/** Header sections of requests that this thread has seen. */
const requestFieldMemo = new FieldMemo();

/** Reads requests, any number of them one after the other. */
export class RequestParser extends MessageParser<RequestHead> {
  private blankLines = 0;
  // Offsets from `base`
  private tokenStart = 0;
  private pathEnd = 0;
  private targetEnd = 0;
  private major = 0;
  private minor = 0;

  constructor(limits: HttpLimits = httpLimits(), head = new RequestHead()) {
    super(head, limits, requestFieldMemo, true);
  }

  protected override readStartLine(): boolean {
    const bytes = this.bytes;
    const end = this.end;
    let index = this.position;
    let step = this.step;
    while (step === MESSAGE_START || step === BLANK_LINE_LF) {
      if (index === end) return this.pause(index, step);
      const byte = bytes[index];
      if (step === BLANK_LINE_LF) {
        if (byte !== LF) return this.fail('LINE_ENDING');
        if (++this.blankLines > this.limits.blankLinesMax) return this.fail('BLANK_LINES');
        step = MESSAGE_START;
        index++;
      } else if (byte === CR) {
        step = BLANK_LINE_LF;
        index++;
      } else {
        step = METHOD;
      }
      this.base = index;
    }
    if (step === METHOD && index === this.base && end - index > COMMON_METHOD_BYTES) {
      const method = commonMethod(bytes, index);
      if (method !== '') {
        this.beginMessage();
        this.head.method = method;
        index += method.length + 1;
        this.tokenStart = method.length + 1;
        step = PATH;
      }
    }
    if (step === METHOD) {
      while (index < end && TOKEN[bytes[index]!] !== 0) index++;
      if (index - this.base > this.limits.methodBytesMax) return this.fail('METHOD_TOO_LONG');
      if (index === end) return this.pause(index, step);
      if (bytes[index] !== SP || index === this.base) return this.fail('METHOD');
      this.beginMessage();
      this.head.method = threadStringMemo.text(bytes, this.base, index);
      index++;
      this.tokenStart = index - this.base;
      step = PATH;
    }
    if (step === PATH) {
      index = threadWordScanner.skipPath(bytes, index, end);
      while (index < end && PATH_BYTE[bytes[index]!] !== 0) index++;
      if (index === end) return this.pauseInTarget(index, step);
      this.pathEnd = index - this.base;
      step = QUERY;
    }
    if (step === QUERY) {
      while (index < end && TARGET[bytes[index]!] !== 0) index++;
      if (index === end || bytes[index] !== SP) return this.pauseInTarget(index, step);
      if (!this.endTarget(index)) return false;
      index++;
      this.tokenStart = index - this.base;
      step = VERSION;
    }
    const isAtVersion = step === VERSION && index === this.base + this.tokenStart;
    if (isAtVersion && end - index >= LINE_END_BYTES && isHttp11LineEnd(bytes, index)) {
      this.blankLines = 0;
      this.position = index + LINE_END_BYTES;
      return true;
    }
    if (step === VERSION) {
      while (index < end && index - this.base - this.tokenStart < VERSION_SHAPE.length) {
        if (!this.versionByte(bytes[index]!, index - this.base - this.tokenStart)) return this.fail('VERSION');
        index++;
      }
      const isWhole = index - this.base - this.tokenStart === VERSION_SHAPE.length;
      if (isWhole && (this.major !== 1 || this.minor > 1)) return this.fail('VERSION_UNSUPPORTED');
      if (index === end) return this.pause(index, step);
      if (bytes[index] !== CR) return this.fail(bytes[index] === LF ? 'LINE_ENDING' : 'VERSION');
      this.head.versionMinor = this.minor;
      index++;
      step = LINE_LF;
    }
    if (index === end) return this.pause(index, step);
    if (bytes[index] !== LF) return this.fail('LINE_ENDING');
    this.blankLines = 0;
    this.position = index + 1;
    return true;
  }

  /** RFC 9112 6.3 for requests: chunked, or a length, or nothing; what is both or neither quite is refused. */
  protected override beginBody(): boolean {
    const { head } = this;
    head.attach(this.bytes, this.base);
    const coding = this.transferCoding();
    if (coding === 'chunked') return this.beginChunked();
    if (coding !== 'absent') return this.fail(coding);
    if (head.fields.contentLength !== NO_LENGTH) return this.beginLength(head.fields.contentLength);
    return this.beginNoBody();
  }

  private pause(index: number, step: number): false {
    this.position = index;
    this.step = step;
    return false;
  }

  /** The bytes ran out inside the target, or one came that has no place there. */
  private pauseInTarget(index: number, step: number): false {
    if (index - this.base - this.tokenStart > this.limits.targetBytesMax) return this.fail('TARGET_TOO_LONG');
    if (index === this.end) return this.pause(index, step);
    return this.fail(this.bytes[index] === LF ? 'LINE_ENDING' : 'TARGET');
  }

  private endTarget(index: number): boolean {
    const { bytes, base, tokenStart } = this;
    this.targetEnd = index - base;
    if (this.targetEnd - tokenStart > this.limits.targetBytesMax) return this.fail('TARGET_TOO_LONG');
    // CONNECT's target is never a path, not even when it looks like one.
    if (bytes[base + tokenStart] === SLASH && this.head.method !== 'CONNECT') {
      this.head.setTarget(tokenStart, this.targetEnd, tokenStart, this.pathEnd);
      return true;
    }
    const path = pathOfRareTarget(bytes, base + tokenStart, index, this.head.method);
    if (path === undefined) return this.fail('TARGET');
    this.head.setTarget(tokenStart, this.targetEnd, path.start - base, path.end - base);
    return true;
  }

  private versionByte(byte: number, at: number): boolean {
    if (VERSION_SHAPE[at] !== DIGIT_0) return byte === VERSION_SHAPE[at];
    if (at === MAJOR_AT) this.major = byte - DIGIT_0;
    if (at === MINOR_AT) this.minor = byte - DIGIT_0;
    return byte >= DIGIT_0 && byte <= DIGIT_9;
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
