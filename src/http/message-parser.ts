// message-parser.ts: bytes in, events out. No socket, no timer, no string that nobody asked for.
//
//   feed(bytes) → next(): 'head' → 'body'* → 'end' → 'head' → …        'need-more': feed again
//                                                                      'error': `error` says why, for good
//
// One pass over the received bytes with 256-entry tables. When the bytes run out in the middle of a head, what there is
// of it is kept and scanning goes on where it stopped, so a message cut at every byte costs linear time and gives the
// same events. Bodies are not kept: a 'body' event is a range of the bytes that were fed.
//
//   phase  HEAD ──→ NO_BODY ────────────→ HEAD        step, inside HEAD and TRAILERS:
//            ├────→ LENGTH ─────────────→ HEAD          start line (the subclass), then per field
//            ├────→ CHUNKED → TRAILERS ─→ HEAD          FIELD_FIRST → NAME → BLANKS → VALUE → FIELD_LF
//            └────→ UNTIL_CLOSE                         FIELD_FIRST → SECTION_LF
//
// Source: RFC 9112; section 6.3 for the choice of the body's framing, which the subclasses make.
import { assert } from '../assert.js';
import { ChunkedDecoder } from './chunked-decoder.js';
import {
  equalsIgnoringCase,
  everyElement,
  isCoding,
  listContains,
  NOT_A_NUMBER,
  readDigits,
  TOO_MANY_DIGITS,
} from './field-value.js';
import { COLON, CR, FIELD_TEXT, HTAB, LF, SP, TOKEN } from './grammar.js';
import { HttpError, type HttpErrorCode } from './http-error.js';
import type { HttpLimits } from './limits.js';
import { type MessageHead, NO_LENGTH } from './message-head.js';

/** What `next()` found. */
export type ParserEvent = 'head' | 'body' | 'end' | 'need-more' | 'error';

const HEAD = 0;
const NO_BODY = 1;
const LENGTH = 2;
const CHUNKED = 3;
const TRAILERS = 4;
const UNTIL_CLOSE = 5;
const FAILED = 6;

/** Steps of the start line are the subclass's, from 0 to here. */
const FIELD_FIRST = 10;
const NAME = 11;
const BLANKS = 12;
const VALUE = 13;
const FIELD_LF = 14;
const SECTION_LF = 15;

/** Step that every message starts with. */
export const MESSAGE_START = 0;

const NO_BYTES = Buffer.alloc(0);
/** A head that arrives in pieces is collected in a buffer of at least this size, which most heads fit. */
const COLLECT_BYTES_MIN = 1024;

const CONNECTION = 'connection';
const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';

/** What the parsers of requests and of responses share: fields, framing facts, bodies, trailers. */
export abstract class MessageParser<Head extends MessageHead> {
  /** The head being read, complete from 'head' on. Between 'end' and the next `next()` another may be put in its place. */
  head: Head;
  /** After 'error'. */
  error: HttpError | undefined;
  /** After 'body': the range of `bytes`, valid until the next call. */
  bodyStart = 0;
  bodyEnd = 0;
  /** The largest body taken; may be set anew for each message when its 'head' has come. */
  bodyBytesMax: number;
  /** The bytes being read. */
  bytes: Buffer = NO_BYTES;
  /** The first byte not yet used, and the one after the last received. */
  protected position = 0;
  protected end = 0;
  /** First byte of the head or trailer section being read: what must be kept. */
  protected base = 0;
  protected step = MESSAGE_START;
  private phase = HEAD;
  private isFinished = false;
  /** Whether `bytes` is a buffer of our own with room behind `end`. */
  private isCollecting = false;
  // Offsets from `base`
  private sectionStart = 0;
  private nameStart = 0;
  private nameEnd = 0;
  private valueStart = 0;
  private valueEnd = 0;
  private trailerCount = 0;
  private bodyRemaining = 0;
  private readonly chunks = new ChunkedDecoder();
  // What the Transfer-Encoding fields of this head said
  private codingCount = 0;
  private chunkedCount = 0;
  private endsInChunked = false;

  constructor(
    head: Head,
    protected readonly limits: HttpLimits,
  ) {
    this.head = head;
    this.bodyBytesMax = limits.bodyBytesMax;
  }

  /** Hands over bytes, which are kept by reference until their message has ended: they must not change. */
  feed(bytes: Buffer): void {
    assert(!this.isFinished, 'bytes after the end of input');
    const keepFrom = this.phase === HEAD || this.phase === TRAILERS ? this.base : this.position;
    if (keepFrom === this.end) {
      this.bytes = bytes;
      this.base = 0;
      this.position = 0;
      this.end = bytes.length;
      this.isCollecting = false;
    } else {
      this.append(bytes, keepFrom);
    }
  }

  /** Says that no more bytes will come. A message that is not complete then ends in an error, or as its framing says. */
  finish(): void {
    this.isFinished = true;
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
        return this.readHead();
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

  /** Looks at a field whose name has 4 or 6 letters; false when it is refused. Offsets in `bytes`. */
  protected abstract noteField(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): boolean;

  /** Decides, with a whole head, how the body is framed: calls one of the `begin…` methods; false when refused. */
  protected abstract beginBody(): boolean;

  protected fail(code: HttpErrorCode): false {
    this.error = new HttpError(code);
    this.phase = FAILED;
    return false;
  }

  /** `Transfer-Encoding` of this head: 'absent', 'chunked' and nothing else, or refused with a code. */
  protected transferCoding(): 'absent' | 'chunked' | HttpErrorCode {
    if (this.codingCount === 0) return 'absent';
    if (this.head.versionMinor === 0) return 'TRANSFER_ENCODING_HTTP_1_0';
    if (this.head.contentLength !== NO_LENGTH) return 'FRAMING_CONFLICT';
    if (!this.endsInChunked || this.chunkedCount > 1) return 'TRANSFER_ENCODING';
    return this.codingCount === 1 ? 'chunked' : 'TRANSFER_ENCODING_UNKNOWN';
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

  /** Continues the kept bytes, from `keepFrom` on, with new ones in one piece of memory. */
  private append(bytes: Buffer, keepFrom: number): void {
    const keptBytes = this.end - keepFrom;
    if (!this.isCollecting || this.bytes.length - this.end < bytes.length) {
      // Twice the need, so that a head that comes byte by byte is copied a few times only.
      const collected = Buffer.allocUnsafeSlow(Math.max(COLLECT_BYTES_MIN, 2 * (keptBytes + bytes.length)));
      this.bytes.copy(collected, 0, keepFrom, this.end);
      this.bytes = collected;
      this.base -= keepFrom;
      this.position -= keepFrom;
      this.end = keptBytes;
      this.isCollecting = true;
    }
    bytes.copy(this.bytes, this.end);
    this.end += bytes.length;
  }

  /** What to say when reading stopped before its goal. */
  private stopped(): ParserEvent {
    if (this.phase === FAILED) return 'error';
    if (!this.isFinished || (this.phase === HEAD && this.step === MESSAGE_START)) return 'need-more';
    this.fail('CUT_SHORT');
    return 'error';
  }

  private readHead(): ParserEvent {
    if (this.step < FIELD_FIRST) {
      if (this.step === MESSAGE_START) this.base = this.position;
      if (!this.readStartLine()) return this.stopped();
      this.sectionStart = this.position - this.base;
      this.step = FIELD_FIRST;
    }
    if (!this.readFields()) return this.stopped();
    this.head.attach(this.bytes, this.base);
    return this.beginBody() ? 'head' : 'error';
  }

  /** Called by the start line when its first byte has come. */
  protected beginMessage(): void {
    this.head.reset();
    this.codingCount = 0;
    this.chunkedCount = 0;
    this.endsInChunked = false;
    this.bodyBytesMax = this.limits.bodyBytesMax;
  }

  private readTrailers(): ParserEvent {
    return this.readFields() ? this.endMessage() : this.stopped();
  }

  private endMessage(): ParserEvent {
    this.phase = HEAD;
    this.step = MESSAGE_START;
    this.base = this.position;
    return 'end';
  }

  /** Reads header or trailer lines up to the empty one; false when the bytes run out or something is wrong. */
  private readFields(): boolean {
    const bytes = this.bytes;
    const end = this.end;
    let index = this.position;
    let step = this.step;
    for (;;) {
      if (step === FIELD_FIRST) {
        if (index === end) return this.outOfBytes(index, step);
        this.nameStart = index - this.base;
        step = NAME;
        if (bytes[index] === CR) {
          index++;
          step = SECTION_LF;
        }
      }
      if (step === NAME) {
        while (index < end && TOKEN[bytes[index]!] !== 0) index++;
        if (index === end) return this.outOfBytes(index, step);
        this.nameEnd = index - this.base;
        if (bytes[index] !== COLON || this.nameEnd === this.nameStart) return this.failName(bytes[index]!);
        index++;
        step = BLANKS;
      }
      if (step === BLANKS) {
        while (index < end && (bytes[index] === SP || bytes[index] === HTAB)) index++;
        if (index === end) return this.outOfBytes(index, step);
        this.valueStart = index - this.base;
        step = VALUE;
      }
      if (step === VALUE) {
        while (index < end && FIELD_TEXT[bytes[index]!] !== 0) index++;
        if (index === end) return this.outOfBytes(index, step);
        if (bytes[index] !== CR) return this.fail(bytes[index] === LF ? 'LINE_ENDING' : 'FIELD_VALUE');
        this.valueEnd = index - this.base;
        index++;
        step = FIELD_LF;
      }
      if (index === end) return this.outOfBytes(index, step);
      if (bytes[index] !== LF) return this.fail('LINE_ENDING');
      index++;
      if (step === SECTION_LF) {
        this.position = index;
        return true;
      }
      if (!this.endField(index)) return false;
      step = FIELD_FIRST;
    }
  }

  /** Remembers where to go on; even an unfinished section must keep to its limit. */
  private outOfBytes(index: number, step: number): false {
    this.position = index;
    this.step = step;
    this.checkSectionBytes(index);
    return false;
  }

  private checkSectionBytes(index: number): boolean {
    const sectionBytes = index - this.base - this.sectionStart;
    if (this.phase === TRAILERS) {
      return sectionBytes <= this.limits.trailerBytesMax || this.fail('TRAILERS_TOO_LARGE');
    }
    return sectionBytes <= this.limits.headerBytesMax || this.fail('FIELDS_TOO_LARGE');
  }

  /** White space where a name should begin continues the line before, as it once could. */
  private failName(byte: number): false {
    const isFolded = this.nameEnd === this.nameStart && (byte === SP || byte === HTAB);
    if (isFolded) return this.fail('FIELD_FOLDED');
    return this.fail(byte === LF || byte === CR ? 'LINE_ENDING' : 'FIELD_NAME');
  }

  /** A field line is complete: count it, write it down, look at what frames the message. */
  private endField(index: number): boolean {
    if (!this.checkSectionBytes(index)) return false;
    if (this.phase === TRAILERS) {
      // Checked and dropped: nobody here has a use for them, and none of them may change the framing (RFC 9110 6.5.1).
      return ++this.trailerCount <= this.limits.trailerCountMax || this.fail('TRAILERS_TOO_MANY');
    }
    if (this.head.fieldCount === this.limits.headerCountMax) return this.fail('FIELDS_TOO_MANY');
    const bytes = this.bytes;
    const base = this.base;
    const valueStart = base + this.valueStart;
    let valueEnd = base + this.valueEnd;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    this.head.addField(this.nameStart, this.nameEnd, this.valueStart, valueEnd - base);
    const nameStart = base + this.nameStart;
    const nameEnd = base + this.nameEnd;
    // Only a few lengths of name matter, so most fields are not looked at again.
    switch (nameEnd - nameStart) {
      case 4:
      case 6:
        return this.noteField(nameStart, nameEnd, valueStart, valueEnd);
      case CONNECTION.length:
        if (equalsIgnoringCase(bytes, nameStart, nameEnd, CONNECTION)) this.noteConnection(valueStart, valueEnd);
        return true;
      case CONTENT_LENGTH.length:
        return !equalsIgnoringCase(bytes, nameStart, nameEnd, CONTENT_LENGTH) || this.noteLength(valueStart, valueEnd);
      case TRANSFER_ENCODING.length:
        return (
          !equalsIgnoringCase(bytes, nameStart, nameEnd, TRANSFER_ENCODING) || this.noteCodings(valueStart, valueEnd)
        );
      default:
        return true;
    }
  }

  private noteConnection(start: number, end: number): void {
    if (equalsIgnoringCase(this.bytes, start, end, 'keep-alive')) {
      this.head.saysKeepAlive = true; // what browsers and benchmarks send
      return;
    }
    if (listContains(this.bytes, start, end, 'close')) this.head.saysClose = true;
    if (listContains(this.bytes, start, end, 'keep-alive')) this.head.saysKeepAlive = true;
  }

  /** One field, digits only: a second one, even with the same number, is a sign of trouble (RFC 9112 6.3). */
  private noteLength(start: number, end: number): boolean {
    if (this.head.contentLength !== NO_LENGTH) return this.fail('CONTENT_LENGTH_REPEATED');
    const length = readDigits(this.bytes, start, end);
    if (length === NOT_A_NUMBER) return this.fail('CONTENT_LENGTH');
    if (length === TOO_MANY_DIGITS) return this.fail('CONTENT_LENGTH_HUGE');
    this.head.contentLength = length;
    return true;
  }

  private noteCodings(start: number, end: number): boolean {
    const bytes = this.bytes;
    const isList = everyElement(bytes, start, end, (first, last) => {
      if (!isCoding(bytes, first, last)) return false;
      this.codingCount++;
      this.endsInChunked = equalsIgnoringCase(bytes, first, last, 'chunked');
      if (this.endsInChunked) this.chunkedCount++;
      return true;
    });
    return isList || this.fail('TRANSFER_ENCODING');
  }

  private readLength(): ParserEvent {
    if (this.bodyRemaining === 0) return this.endMessage();
    if (this.head.contentLength > this.bodyBytesMax) {
      this.fail('BODY_TOO_LARGE');
      return 'error';
    }
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
        this.step = FIELD_FIRST;
        this.base = this.position;
        this.sectionStart = 0;
        this.trailerCount = 0;
        return this.readTrailers();
      case 'error':
        this.fail(chunks.errorCode);
        return 'error';
      default:
        return this.stopped();
    }
  }

  private readUntilClose(): ParserEvent {
    if (this.position < this.end) {
      this.takeBody(this.end - this.position);
      this.bodyRemaining += this.bodyEnd - this.bodyStart;
      if (this.bodyRemaining <= this.bodyBytesMax) return 'body';
      this.fail('BODY_TOO_LARGE');
      return 'error';
    }
    return this.isFinished ? this.endMessage() : 'need-more';
  }

  private takeBody(count: number): void {
    this.bodyStart = this.position;
    this.bodyEnd = this.position + count;
    this.position = this.bodyEnd;
  }
}
