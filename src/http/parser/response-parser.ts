// response-parser.ts: the status line and what frames a response; the rest is message-parser.ts.
//
//   status-line = HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF
//
// How a response is framed depends on what was asked: the one who asks calls `expect(method)` for each request, in
// order. A response that nobody expects is an error: on an idle connection it can only be meant for somebody else
// (response splitting). Interim responses (1xx) are events of their own and leave the expectation open; 101 is refused,
// since nobody here asks to switch protocols. Source: RFC 9112 4, 6.3, 9.2; RFC 9110 15.2.

import type { HttpErrorCode } from '../http-error.js';
import { type HttpLimits, httpLimits } from '../limits.js';
import type { LineOutcome } from './byte-intake.js';
import { FieldMemo } from './field-memo.js';
import { NO_LENGTH } from './field-table.js';
import { readDigits } from './field-value.js';
import { CR, DIGIT_0, FIELD_TEXT, LF, matchingBytes } from './grammar.js';
import { ResponseHead } from './message-head.js';
import { MessageParser } from './message-parser.js';

/** What stands before the reason phrase, with 0 where a digit may differ. */
const LINE_SHAPE = Buffer.from('HTTP/0.0 000 ');
const MAJOR_AT = 5;
const MINOR_AT = 7;
const STATUS_AT = 9;
const STATUS_DIGITS = 3;
const DIGIT_1 = 0x31;

const STATUS_MIN = 100;
const STATUS_MAX = 599;
const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** Header sections of responses that this thread has seen. */
const responseFieldMemo = new FieldMemo();

/** Reads responses, any number of them one after the other. */
export class ResponseParser extends MessageParser<ResponseHead> {
  /** Methods of the requests that are not answered yet, oldest at `first`. */
  private readonly expected: string[] = [];

  constructor(limits: HttpLimits = httpLimits(), head = new ResponseHead()) {
    super(head, limits, responseFieldMemo, false);
  }

  /** A request with this method has been sent; its response comes after those expected before. */
  expect(method: string): void {
    this.expected.push(method);
  }

  protected override readStartLine(): LineOutcome {
    const { bytes, end, position: start } = this;
    if (this.expected.length === 0) return 'RESPONSE_UNASKED';
    this.beginMessage();
    let index = start + matchingBytes(bytes, start, end, LINE_SHAPE);
    if (index < start + LINE_SHAPE.length) return index === end ? 'cut' : 'STATUS_LINE';
    while (index < end && FIELD_TEXT[bytes[index]!] !== 0) index++;
    if (index === end) return 'cut';
    if (bytes[index] !== CR) return bytes[index] === LF ? 'LINE_ENDING' : 'STATUS_LINE';
    if (index + 1 === end) return 'cut';
    if (bytes[index + 1] !== LF) return 'LINE_ENDING';
    if (index + 1 - start > this.limits.targetBytesMax) return 'STATUS_LINE';
    if (bytes[start + MAJOR_AT] !== DIGIT_1) return 'VERSION_UNSUPPORTED';
    const status = readDigits(bytes, start + STATUS_AT, start + STATUS_AT + STATUS_DIGITS);
    if (status < STATUS_MIN || status > STATUS_MAX) return 'STATUS_LINE';
    this.head.versionMinor = bytes[start + MINOR_AT] === DIGIT_0 ? 0 : 1; // a higher one is read as ours (RFC 9110 2.5)
    this.head.status = status;
    this.position = index + 2;
    return 'complete';
  }

  protected override earlyRefusal(lineEnd: number): HttpErrorCode | undefined {
    if (this.expected.length === 0) return 'RESPONSE_UNASKED';
    const isBegun = this.bytes[this.position] === LINE_SHAPE[0];
    return isBegun && lineEnd - this.position <= this.limits.targetBytesMax ? undefined : 'STATUS_LINE';
  }

  /** RFC 9112 6.3 for responses, its steps in its order. */
  protected override beginBody(): boolean {
    const { status } = this.head;
    const { contentLength } = this.head.fields;
    if (status === SWITCHING_PROTOCOLS) return this.fail('PROTOCOL_SWITCH');
    const coding = this.head.transferCoding();
    if (coding !== 'absent' && coding !== 'chunked') return this.fail(coding);
    if (status < 200) return this.beginNoBody();
    const method = this.expected.shift();
    if (method === 'HEAD' || status === NO_CONTENT || status === NOT_MODIFIED) return this.beginNoBody();
    if (coding === 'chunked') return this.beginChunked();
    if (contentLength !== NO_LENGTH) return this.beginLength(contentLength);
    this.head.isKeepAlive = false;
    return this.beginUntilClose();
  }
}
