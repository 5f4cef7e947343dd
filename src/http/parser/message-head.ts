// message-head.ts: what a parser found in the head of a message: the start line's parts and the table of fields.
//
// Objects are reused: `reset()` between messages. The fields are the head's own table, or one shared by all messages with
// the same header lines (field-memo.ts).
import type { HttpErrorCode } from '../http-error.js';
import { FieldTable, NO_LENGTH } from './field-table.js';
import { NO_BYTES } from './grammar.js';
import type { TargetScheme } from './request-target.js';
import { threadStringMemo } from './string-memo.js';

/** A kept head gets at least this much memory, which most fit, and so can use it again for the next. */
const KEPT_BYTES_MIN = 512;
/** More than this is let go of with the head. */
const KEPT_BYTES_MAX = 2048;

/** Fields and framing facts that requests and responses share. */
export class MessageHead {
  /** HTTP/1.`versionMinor`: 0 or 1. */
  versionMinor = 1;
  /** Whether the body is chunked. */
  isChunked = false;
  /** Whether the connection may carry another message after this one (RFC 9112 9.3). */
  isKeepAlive = true;
  /** The table for messages that are read field by field. Only the parser uses it directly. */
  readonly ownFields = new FieldTable();
  fields = this.ownFields;

  /** Makes the object ready for another message. `ownFields` is emptied by who fills it. */
  reset(): void {
    this.versionMinor = 1;
    this.isChunked = false;
    this.isKeepAlive = true;
    this.fields = this.ownFields;
  }

  /** Lets go of the bytes that the message came in, when nobody will ask for them again. */
  release(): void {
    this.ownFields.reset();
    this.fields = this.ownFields;
  }

  /** `Transfer-Encoding` of this head: 'absent', 'chunked' and nothing else, or refused with a code (RFC 9112 6.1, 6.3). */
  transferCoding(): 'absent' | 'chunked' | HttpErrorCode {
    const { codingCount, chunkedCount, endsInChunked, contentLength } = this.fields;
    if (codingCount === 0) return 'absent';
    if (this.versionMinor === 0) return 'TRANSFER_ENCODING_HTTP_1_0';
    if (contentLength !== NO_LENGTH) return 'FRAMING_CONFLICT';
    if (!endsInChunked || chunkedCount > 1) return 'TRANSFER_ENCODING';
    return codingCount === 1 ? 'chunked' : 'TRANSFER_ENCODING_UNKNOWN';
  }
}

export class RequestHead extends MessageHead {
  /** As it was sent; methods are case-sensitive. Empty while none has been read. */
  method = '';
  /** What stands in front of "://" where the target is in absolute-form, else ''. */
  scheme: TargetScheme = '';
  private bytes: Buffer = NO_BYTES;
  private base = 0;
  /** Memory of the head's own, for when the bytes it came in do not stay. */
  private kept: Buffer = NO_BYTES;
  // Offsets from `base`
  private targetStart = 0;
  private targetEnd = 0;
  private pathStart = 0;
  private pathEnd = 0;

  override reset(): void {
    super.reset();
    this.method = '';
    this.scheme = '';
  }

  override release(): void {
    super.release();
    this.method = '';
    this.bytes = NO_BYTES;
    if (this.kept.length > KEPT_BYTES_MAX) this.kept = NO_BYTES;
  }

  /**
   * Copies request line and fields, since the bytes they came in will be overwritten; once is enough.
   * @returns by how much `pathFirst` and all other places in `source` are less than before
   */
  keep(): number {
    const { bytes, base, fields, ownFields } = this;
    if (bytes === this.kept) return 0;
    const isOwn = fields === ownFields; // a table of the memo has bytes of its own
    const end = isOwn ? ownFields.sectionEnd : base + this.targetEnd;
    if (end - base > this.kept.length) this.kept = Buffer.allocUnsafeSlow(Math.max(KEPT_BYTES_MIN, end - base));
    bytes.copy(this.kept, 0, base, end);
    this.attach(this.kept, 0);
    if (isOwn) ownFields.move(this.kept, base);
    return base;
  }

  /** Says which bytes the target's offsets belong to, once the head is whole. Only the parser calls this. */
  attach(bytes: Buffer, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** Writes down where target and path are, offsets from the first byte of the head. Only the parser calls this. */
  setTarget(targetStart: number, targetEnd: number, pathStart: number, pathEnd: number): void {
    this.targetStart = targetStart;
    this.targetEnd = targetEnd;
    this.pathStart = pathStart;
    this.pathEnd = pathEnd;
  }

  /** The request target as it was sent. */
  get target(): string {
    return threadStringMemo.text(this.bytes, this.base + this.targetStart, this.base + this.targetEnd);
  }

  /** The bytes that the path lies in. They belong to the connection: copy what is kept. */
  get source(): Buffer {
    return this.bytes;
  }

  /** First byte in `source` of the path, percent-encoded and without the query; "*" and authority-form have an empty path. */
  get pathFirst(): number {
    return this.base + this.pathStart;
  }

  /** The byte in `source` after the path. */
  get pathAfter(): number {
    return this.base + this.pathEnd;
  }
}

export class ResponseHead extends MessageHead {
  /** 100 to 599. */
  status = 0;

  override reset(): void {
    super.reset();
    this.status = 0;
  }
}
