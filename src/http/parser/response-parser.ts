// response-parser.ts: the status line and what frames a response; the rest is message-parser.ts.
//
//   status-line = HTTP-version SP 3DIGIT SP [ reason-phrase ] CRLF
//
// How a response is framed depends on what was asked: the one who asks calls `expect(method)` for each request, in
// order. A response that nobody expects is an error: on an idle connection it can only be meant for somebody else
// (response splitting). Interim responses (1xx) are events of their own and leave the expectation open; 101 is refused,
// since nobody here asks to switch protocols. Source: RFC 9112 4, 6.3, 9.2; RFC 9110 15.2.

import { type HttpLimits, httpLimits } from '../limits.js';
import { FieldMemo } from './field-memo.js';
import { NO_LENGTH } from './field-table.js';
import { CR, DIGIT_0, DIGIT_9, FIELD_TEXT, LF } from './grammar.js';
import { ResponseHead } from './message-head.js';
import { MESSAGE_START, MessageParser } from './message-parser.js';

const LINE = 1;
const REASON = 2;
const LINE_LF = 3;

/** What stands before the reason phrase, with 0 where a digit may differ. */
const LINE_SHAPE = Buffer.from('HTTP/0.0 000 ');
const MAJOR_AT = 5;
const MINOR_AT = 7;
const STATUS_AT = 9;

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
  private major = 0;
  private minor = 0;
  private status = 0;

  constructor(limits: HttpLimits = httpLimits(), head = new ResponseHead()) {
    super(head, limits, responseFieldMemo, false);
  }

  /** A request with this method has been sent; its response comes after those expected before. */
  expect(method: string): void {
    this.expected.push(method);
  }

  /** Requests that have no complete response head yet. */
  get expectedCount(): number {
    return this.expected.length;
  }

  protected override readStartLine(): boolean {
    const bytes = this.bytes;
    const end = this.end;
    let index = this.position;
    let step = this.step;
    if (index === end) return this.pause(index, step);
    if (step === MESSAGE_START) {
      if (this.expected.length === 0) return this.fail('RESPONSE_UNASKED');
      this.beginMessage();
      this.status = 0;
      step = LINE;
    }
    if (step === LINE) {
      while (index < end && index - this.base < LINE_SHAPE.length) {
        if (!this.lineByte(bytes[index]!, index - this.base)) return this.fail('STATUS_LINE');
        index++;
      }
      if (index === end) return this.pause(index, step);
      if (this.major !== 1 || this.minor > 1) return this.fail('VERSION_UNSUPPORTED');
      if (this.status < STATUS_MIN || this.status > STATUS_MAX) return this.fail('STATUS_LINE');
      this.head.versionMinor = this.minor;
      this.head.status = this.status;
      step = REASON;
    }
    if (step === REASON) {
      while (index < end && FIELD_TEXT[bytes[index]!] !== 0) index++;
      if (index - this.base > this.limits.targetBytesMax) return this.fail('STATUS_LINE');
      if (index === end) return this.pause(index, step);
      if (bytes[index] !== CR) return this.fail(bytes[index] === LF ? 'LINE_ENDING' : 'STATUS_LINE');
      index++;
      step = LINE_LF;
    }
    if (index === end) return this.pause(index, step);
    if (bytes[index] !== LF) return this.fail('LINE_ENDING');
    this.position = index + 1;
    return true;
  }

  /** RFC 9112 6.3 for responses, its steps in its order. */
  protected override beginBody(): boolean {
    const { status } = this.head;
    const { contentLength } = this.head.fields;
    if (status === SWITCHING_PROTOCOLS) return this.fail('PROTOCOL_SWITCH');
    const coding = this.transferCoding();
    if (coding !== 'absent' && coding !== 'chunked') return this.fail(coding);
    if (status < 200) return this.beginNoBody();
    const method = this.expected.shift();
    if (method === 'HEAD' || status === NO_CONTENT || status === NOT_MODIFIED) return this.beginNoBody();
    if (coding === 'chunked') return this.beginChunked();
    if (contentLength !== NO_LENGTH) return this.beginLength(contentLength);
    this.head.isKeepAlive = false;
    return this.beginUntilClose();
  }

  private pause(index: number, step: number): false {
    this.position = index;
    this.step = step;
    return false;
  }

  private lineByte(byte: number, at: number): boolean {
    if (LINE_SHAPE[at] !== DIGIT_0) return byte === LINE_SHAPE[at];
    if (at === MAJOR_AT) this.major = byte - DIGIT_0;
    else if (at === MINOR_AT) this.minor = byte - DIGIT_0;
    else if (at >= STATUS_AT) this.status = this.status * 10 + (byte - DIGIT_0);
    return byte >= DIGIT_0 && byte <= DIGIT_9;
  }
}
