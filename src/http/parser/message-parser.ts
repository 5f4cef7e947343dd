// message-parser.ts: bytes in, events out. No socket, no timer, no string that nobody asked for.
//
//   feed(bytes) → next(): 'head' → 'body'* → 'end' → 'head' → …        'need-more': feed again
//                                                                      'error': `error` says why, for good
//
// Lines are parsed straight through (byte-intake.ts). What is wrong in one is said when its LF has come, however the bytes
// were cut; at once only what a peer could go on with for ever: a line too long, a first byte that no method has.
// Bodies are not kept: a 'body' event is a range of the bytes that were fed.
//
//   START_LINE → FIELDS ──→ NO_BODY ────────────→ START_LINE    the start line is the subclass's
//                  ├──────→ LENGTH ─────────────→ START_LINE    which of these it is, the subclass decides by RFC 9112 6.3
//                  ├──────→ CHUNKED → TRAILERS ─→ START_LINE    CHUNKED: chunked-decoder.ts; TRAILERS are fields again
//                  └──────→ UNTIL_CLOSE                         responses only
//
// Source: RFC 9112.

import { HttpError, type HttpErrorCode } from '../http-error.js';
import type { HttpLimits } from '../limits.js';
import { ByteIntake, type LineOutcome } from './byte-intake.js';
import { ChunkedDecoder } from './chunked-decoder.js';
import type { FieldMemo } from './field-memo.js';
import { FieldParser } from './field-parser.js';
import type { FieldTable } from './field-table.js';
import type { MessageHead } from './message-head.js';

/** What `next()` found. */
export type ParserEvent = 'head' | 'body' | 'end' | 'need-more' | 'error';

const START_LINE = 0;
const FIELDS = 1;
const NO_BODY = 2;
const LENGTH = 3;
const CHUNKED = 4;
const TRAILERS = 5;
const UNTIL_CLOSE = 6;
const FAILED = 7;

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
  /** What exactly is wrong in the start line, for people. */
  protected detail: string | undefined;
  private phase = START_LINE;
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
    return this.phase !== START_LINE || this.position < this.end;
  }

  /** Whether the head of a message has been read and its end has not. */
  get isInBody(): boolean {
    return this.phase > FIELDS;
  }

  next(): ParserEvent {
    switch (this.phase) {
      case START_LINE:
        return this.position === this.end ? this.rest() : this.readHead();
      case FIELDS:
        return this.readFields();
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

  /** Parses the line at `position`; when complete, `position` is behind it. */
  protected abstract readStartLine(): LineOutcome;

  /** What can be refused in the line at `position`, of which all up to `lineEnd` has come, perhaps without its LF. */
  protected abstract earlyRefusal(lineEnd: number): HttpErrorCode | undefined;

  /** Decides, with a whole head, how the body is framed: calls one of the `begin…` methods; false when refused. */
  protected abstract beginBody(): boolean;

  protected override firstNeeded(): number {
    return this.phase <= FIELDS || this.phase === TRAILERS ? this.base : this.position;
  }

  protected fail(code: HttpErrorCode, detail?: string): false {
    this.error = new HttpError(code, { detail });
    this.phase = FAILED;
    return false;
  }

  private failed(code: HttpErrorCode, detail?: string): 'error' {
    this.fail(code, detail);
    return 'error';
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

  /** What to say when the bytes ran out. */
  private stopped(): ParserEvent {
    if (!this.isFinished || !this.isInMessage) return 'need-more';
    return this.failed('CUT_SHORT');
  }

  /**
   * What to say when a line did not become complete. However it was cut, the same: what is too long, and what else is wrong
   * in it once its LF has come.
   * @param early what is refused before that
   */
  private stoppedInLine(outcome: LineOutcome, lineEnd: number, early: HttpErrorCode | undefined): ParserEvent {
    if (early !== undefined) return this.failed(early, early === outcome ? this.detail : undefined);
    if (outcome !== 'complete' && outcome !== 'cut' && lineEnd < this.end) return this.failed(outcome, this.detail);
    return this.stopped();
  }

  private readHead(): ParserEvent {
    this.base = this.position;
    const outcome = this.mayBeWholeLine() ? this.readStartLine() : 'cut';
    if (outcome !== 'complete') {
      const lineEnd = this.findLineEnd();
      return this.stoppedInLine(outcome, lineEnd, this.earlyRefusal(lineEnd));
    }
    this.phase = FIELDS;
    this.sectionStart = this.position - this.base;
    const known = this.fieldMemo.find(this.bytes, this.position, this.end);
    if (known !== undefined && this.keepsToLimits(known)) {
      this.head.fields = known;
      this.position += this.fieldMemo.foundBytes;
      return this.endHead();
    }
    this.head.ownFields.reset();
    this.fieldParser.begin();
    return this.readFields();
  }

  private readFields(): ParserEvent {
    const { ownFields } = this.head;
    const { headerBytesMax, headerCountMax } = this.limits;
    const start = this.base + this.sectionStart;
    const outcome = this.readSection(start, ownFields, headerBytesMax, headerCountMax);
    if (outcome !== 'complete') {
      const lineEnd = this.findLineEnd();
      return this.stoppedInLine(outcome, lineEnd, isTooLarge(start, lineEnd, headerBytesMax, 'FIELDS_TOO_LARGE'));
    }
    const sectionBytes = this.position - start;
    ownFields.attach(this.bytes, start, sectionBytes);
    this.fieldMemo.note(this.bytes, start, sectionBytes, ownFields);
    return this.endHead();
  }

  private readSection(start: number, table: FieldTable | undefined, bytesMax: number, countMax: number): LineOutcome {
    if (!this.mayBeWholeLine()) return 'cut';
    const outcome = this.fieldParser.read(this.bytes, start, this.position, this.end, table, bytesMax, countMax);
    this.position = this.fieldParser.position;
    this.detail = this.fieldParser.detail;
    return outcome;
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
    const outcome = this.readSection(this.base, undefined, trailerBytesMax, trailerCountMax);
    if (outcome === 'complete') return this.endMessage();
    const lineEnd = this.findLineEnd();
    const early = isTooLarge(this.base, lineEnd, trailerBytesMax, 'TRAILERS_TOO_LARGE');
    return this.stoppedInLine(TRAILER_FAULTS[outcome] ?? outcome, lineEnd, early);
  }

  private endMessage(): ParserEvent {
    this.phase = START_LINE;
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
    const { chunks } = this;
    if (chunks.remaining > 0) {
      if (this.position === this.end) return this.stopped();
      this.takeBody(Math.min(chunks.remaining, this.end - this.position));
      chunks.remaining -= this.bodyEnd - this.bodyStart;
      return 'body';
    }
    if (chunks.isAtDataEnd) {
      const outcome = chunks.readDataEnd(this.bytes, this.position, this.end);
      if (outcome === 'cut') return this.stopped();
      if (outcome !== 'complete') return this.failed(outcome);
      this.position = chunks.position;
    }
    const { chunkExtensionBytesMax } = this.limits;
    const lineEnd = this.findLineEnd();
    const early = chunks.earlyRefusal(this.bytes, this.position, lineEnd, chunkExtensionBytesMax);
    if (early !== undefined) return this.failed(early);
    if (lineEnd === this.end) return this.stopped();
    const outcome = chunks.readSizeLine(this.bytes, this.position, this.end, this.bodyBytesMax);
    if (outcome !== 'complete') return this.stoppedInLine(outcome, lineEnd, undefined);
    this.position = chunks.position;
    if (chunks.remaining > 0) return this.readChunked();
    this.phase = TRAILERS;
    this.base = this.position;
    this.fieldParser.begin();
    return this.readTrailers();
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

/** What is wrong with a field is called otherwise where it is wrong with a trailer. */
const TRAILER_FAULTS: Readonly<Partial<Record<LineOutcome, HttpErrorCode>>> = {
  FIELDS_TOO_LARGE: 'TRAILERS_TOO_LARGE',
  FIELDS_TOO_MANY: 'TRAILERS_TOO_MANY',
};

/** Even an unfinished section must keep to its limit; the CR of the empty line is beyond it. */
function isTooLarge(start: number, lineEnd: number, bytesMax: number, code: HttpErrorCode): HttpErrorCode | undefined {
  return lineEnd - start > bytesMax + 1 ? code : undefined;
}
