// message-parser.ts: bytes in, events out. No socket, no timer, no string that nobody asked for.
//
//   feed(bytes) → next(): 'head' → 'body'* → 'end' → 'head' → …        'need-more': feed again
//                                                                      'error': `error` says why, for good
//
// One pass over the received bytes with 256-entry tables. A message cut at every byte gives the same events in linear
// time (byte-intake.ts). Bodies are not kept: a 'body' event is a range of the bytes that were fed.
//
//   HEAD ──→ NO_BODY ────────────→ HEAD        HEAD: the start line (the subclass), then fields (field-parser.ts)
//     ├────→ LENGTH ─────────────→ HEAD        which of these it is, the subclass decides by RFC 9112 6.3
//     ├────→ CHUNKED → TRAILERS ─→ HEAD        CHUNKED: chunked-decoder.ts; TRAILERS are fields again
//     └────→ UNTIL_CLOSE                       responses only
//
// Source: RFC 9112.

import { HttpError, type HttpErrorCode } from '../http-error.js';
import type { HttpLimits } from '../limits.js';
import { ByteIntake } from './byte-intake.js';
import { ChunkedDecoder } from './chunked-decoder.js';
import type { FieldMemo } from './field-memo.js';
import { FieldParser } from './field-parser.js';
import { type FieldTable, NO_LENGTH } from './field-table.js';
import type { MessageHead } from './message-head.js';

/** What `next()` found. */
export type ParserEvent = 'head' | 'body' | 'end' | 'need-more' | 'error';

const HEAD = 0;
const NO_BODY = 1;
const LENGTH = 2;
const CHUNKED = 3;
const TRAILERS = 4;
const UNTIL_CLOSE = 5;
const FAILED = 6;

/** Steps inside the start line are the subclass's, but for the first and the one after the last. */
export const MESSAGE_START = 0;
export const LINE_COMPLETE = 100;

/** CR LF, which ends a section and does not count as one of its lines. */
const EMPTY_LINE_BYTES = 2;

/** What the parsers of requests and of responses share: fields, framing facts, bodies, trailers. */
export abstract class MessageParser<Head extends MessageHead> extends ByteIntake {
  /** The head being read, complete from 'head' on. Between 'end' and the next `next()` another may be put in its place. */
  head: Head;
  /** After 'error'. */
  error: HttpError | undefined;
  /** After 'body': the range of `bytes`, valid until the next call. */
  bodyStart = 0;
  bodyEnd = 0;
  /** The largest body taken; may be set anew for each message when its 'head' has come. */
  bodyBytesMax: number;
  protected step = MESSAGE_START;
  private phase = HEAD;
  /** Start of the header section, from `base`. */
  private sectionStart = 0;
  private bodyRemaining = 0;
  private readonly fieldParser: FieldParser;
  private readonly chunks = new ChunkedDecoder();

  constructor(
    head: Head,
    protected readonly limits: HttpLimits,
    private readonly fieldMemo: FieldMemo,
    isRequest: boolean,
  ) {
    super();
    this.head = head;
    this.fieldParser = new FieldParser(isRequest);
    this.bodyBytesMax = limits.bodyBytesMax;
  }

  /** Whether a message has begun and not ended. */
  get isInMessage(): boolean {
    return this.phase !== HEAD || this.step !== MESSAGE_START || this.position < this.end;
  }

  /** Whether the head of a message has been read and its end has not. */
  get isInBody(): boolean {
    return this.phase !== HEAD;
  }

  /** Reads on to the next event. */
  next(): ParserEvent {
    switch (this.phase) {
      case HEAD:
        return this.step === MESSAGE_START && this.position === this.end ? this.rest() : this.readHead();
      case NO_BODY:
        return this.endMessage();
      case LENGTH:
        return this.readLength();
      case CHUNKED:
        return this.readChunked();
      case TRAILERS:
        return this.readTrailers();
      case UNTIL_CLOSE:
        return this.readUntilClose();
      default:
        return 'error';
    }
  }

  /** Reads from `position` to the end of the start line; false when the bytes run out or something is wrong. */
  protected abstract readStartLine(): boolean;

  /** Decides, with a whole head, how the body is framed: calls one of the `begin…` methods; false when refused. */
  protected abstract beginBody(): boolean;

  protected override firstNeeded(): number {
    return this.phase === HEAD || this.phase === TRAILERS ? this.base : this.position;
  }

  protected fail(code: HttpErrorCode): false {
    this.error = new HttpError(code);
    this.phase = FAILED;
    return false;
  }

  private failed(code: HttpErrorCode): 'error' {
    this.fail(code);
    return 'error';
  }

  /** `Transfer-Encoding` of this head: 'absent', 'chunked' and nothing else, or refused with a code. */
  protected transferCoding(): 'absent' | 'chunked' | HttpErrorCode {
    const { codingCount, chunkedCount, endsInChunked, contentLength } = this.head.fields;
    if (codingCount === 0) return 'absent';
    if (this.head.versionMinor === 0) return 'TRANSFER_ENCODING_HTTP_1_0';
    if (contentLength !== NO_LENGTH) return 'FRAMING_CONFLICT';
    if (!endsInChunked || chunkedCount > 1) return 'TRANSFER_ENCODING';
    return codingCount === 1 ? 'chunked' : 'TRANSFER_ENCODING_UNKNOWN';
  }

  protected beginNoBody(): true {
    this.phase = NO_BODY;
    return true;
  }

  protected beginLength(length: number): true {
    this.phase = length === 0 ? NO_BODY : LENGTH;
    this.bodyRemaining = length;
    return true;
  }

  protected beginChunked(): true {
    this.head.isChunked = true;
    this.chunks.reset();
    this.phase = CHUNKED;
    return true;
  }

  protected beginUntilClose(): true {
    this.phase = UNTIL_CLOSE;
    this.bodyRemaining = 0;
    return true;
  }

  private rest(): ParserEvent {
    this.forget();
    return 'need-more';
  }

  /** What to say when reading stopped before its goal. */
  private stopped(): ParserEvent {
    if (this.phase === FAILED) return 'error';
    if (!this.isFinished || (this.phase === HEAD && this.step === MESSAGE_START)) return 'need-more';
    return this.failed('CUT_SHORT');
  }

  private readHead(): ParserEvent {
    if (this.step !== LINE_COMPLETE) {
      if (this.step === MESSAGE_START) this.base = this.position;
      if (!this.readStartLine()) return this.stopped();
      this.step = LINE_COMPLETE;
      this.sectionStart = this.position - this.base;
      const known = this.fieldMemo.find(this.bytes, this.position, this.end);
      if (known !== undefined && this.keepsToLimits(known)) {
        this.head.fields = known;
        this.position += this.fieldMemo.foundBytes;
        return this.endHead();
      }
      this.head.ownFields.reset();
      this.fieldParser.begin(this.head.ownFields);
    }
    const { headerBytesMax, headerCountMax } = this.limits;
    const start = this.base + this.sectionStart;
    const event = this.fieldParser.read(this.bytes, start, this.position, this.end, headerBytesMax, headerCountMax);
    this.position = this.fieldParser.position;
    if (event === 'need-more') return this.stopped();
    if (event === 'error') return this.failed(this.fieldParser.errorCode);
    const sectionBytes = this.position - start;
    this.head.ownFields.attach(this.bytes, start, sectionBytes);
    this.fieldMemo.note(this.bytes, start, sectionBytes, this.head.ownFields);
    return this.endHead();
  }

  /** A section that the memo knows was within the limits of whoever read it, which need not be ours. */
  private keepsToLimits(fields: FieldTable): boolean {
    const linesBytes = this.fieldMemo.foundBytes - EMPTY_LINE_BYTES;
    return linesBytes <= this.limits.headerBytesMax && fields.count <= this.limits.headerCountMax;
  }

  private endHead(): ParserEvent {
    const { head } = this;
    const { saysClose, saysKeepAlive } = head.fields;
    head.isKeepAlive = !saysClose && (head.versionMinor === 1 || saysKeepAlive);
    return this.beginBody() ? 'head' : 'error';
  }

  /** Called by the start line when its first byte has come. */
  protected beginMessage(): void {
    this.head.reset();
    this.bodyBytesMax = this.limits.bodyBytesMax;
  }

  /** Trailers are checked and dropped: none of them may change the framing, and nobody here has a use for the others. */
  private readTrailers(): ParserEvent {
    const { trailerBytesMax, trailerCountMax } = this.limits;
    const { bytes, base, position, end } = this;
    const event = this.fieldParser.read(bytes, base, position, end, trailerBytesMax, trailerCountMax);
    this.position = this.fieldParser.position;
    if (event === 'complete') return this.endMessage();
    if (event === 'need-more') return this.stopped();
    const { errorCode } = this.fieldParser;
    if (errorCode === 'FIELDS_TOO_LARGE') return this.failed('TRAILERS_TOO_LARGE');
    return this.failed(errorCode === 'FIELDS_TOO_MANY' ? 'TRAILERS_TOO_MANY' : errorCode);
  }

  private endMessage(): ParserEvent {
    this.phase = HEAD;
    this.step = MESSAGE_START;
    this.base = this.position;
    return 'end';
  }

  private readLength(): ParserEvent {
    if (this.bodyRemaining === 0) return this.endMessage();
    if (this.head.fields.contentLength > this.bodyBytesMax) return this.failed('BODY_TOO_LARGE');
    if (this.position === this.end) return this.stopped();
    this.takeBody(Math.min(this.bodyRemaining, this.end - this.position));
    this.bodyRemaining -= this.bodyEnd - this.bodyStart;
    return 'body';
  }

  private readChunked(): ParserEvent {
    const chunks = this.chunks;
    const { chunkExtensionBytesMax } = this.limits;
    const event = chunks.decode(this.bytes, this.position, this.end, this.bodyBytesMax, chunkExtensionBytesMax);
    this.position = chunks.position;
    switch (event) {
      case 'data':
        this.bodyStart = chunks.dataStart;
        this.bodyEnd = chunks.dataEnd;
        return 'body';
      case 'last-chunk':
        this.phase = TRAILERS;
        this.base = this.position;
        this.fieldParser.begin(undefined);
        return this.readTrailers();
      case 'error':
        return this.failed(chunks.errorCode);
      default:
        return this.stopped();
    }
  }

  private readUntilClose(): ParserEvent {
    if (this.position < this.end) {
      this.takeBody(this.end - this.position);
      this.bodyRemaining += this.bodyEnd - this.bodyStart;
      return this.bodyRemaining <= this.bodyBytesMax ? 'body' : this.failed('BODY_TOO_LARGE');
    }
    return this.isFinished ? this.endMessage() : 'need-more';
  }

  private takeBody(count: number): void {
    this.bodyStart = this.position;
    this.bodyEnd = this.position + count;
    this.position = this.bodyEnd;
  }
}
