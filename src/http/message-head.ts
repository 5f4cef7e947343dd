// message-head.ts: what a parser found in the head of a message, as offsets into the bytes it was read from.
//
//   GET /products/Tux HTTP/1.1␍␊Host: 127.0.0.1:5000␍␊␍␊
//   ^base                       ^nameStart ^valueStart       offsets count from `base`, the first byte of the head
//
// A string is made when somebody asks for it, and then through the thread's memo, so a head that nobody looks into costs
// no more than writing down where things are. Offsets are relative because a head that arrives in pieces is moved.
// Objects are reused: `reset()` between messages.
import { equalsIgnoringCase } from './field-value.js';
import { threadStringMemo } from './string-memo.js';

/** `contentLength` of a message without that field. */
export const NO_LENGTH = -1;

const NO_BYTES = Buffer.alloc(0);
/** name start, name end, value start, value end */
const OFFSETS_PER_FIELD = 4;
/** Room for this many fields at first; a browser sends about ten. Grows by doubling. */
const FIELDS_AT_FIRST = 12;

/** Fields and framing facts that requests and responses share. */
export class MessageHead {
  /** HTTP/1.`versionMinor`: 0 or 1. */
  versionMinor = 1;
  /** The Content-Length, or `NO_LENGTH`. */
  contentLength = NO_LENGTH;
  /** Whether the body is chunked. */
  isChunked = false;
  /** `Connection: close` was among the fields. */
  saysClose = false;
  /** `Connection: keep-alive` was among the fields; it means something in HTTP/1.0 only. */
  saysKeepAlive = false;
  /** Number of header fields. */
  fieldCount = 0;
  protected bytes: Buffer = NO_BYTES;
  protected base = 0;
  private offsets = new Int32Array(FIELDS_AT_FIRST * OFFSETS_PER_FIELD);

  /** Forgets the message before. Only the parser calls this. */
  reset(): void {
    this.versionMinor = 1;
    this.contentLength = NO_LENGTH;
    this.isChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.fieldCount = 0;
    this.bytes = NO_BYTES;
    this.base = 0;
  }

  /** Says which bytes the offsets belong to, once the head is whole. Only the parser calls this. */
  attach(bytes: Buffer, base: number): void {
    this.bytes = bytes;
    this.base = base;
  }

  /** Writes down one field, offsets from the first byte of the head. Only the parser calls this. */
  addField(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.fieldCount * OFFSETS_PER_FIELD;
    if (at === this.offsets.length) this.grow();
    const offsets = this.offsets;
    offsets[at] = nameStart;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
    this.fieldCount++;
  }

  /** Whether the connection may carry another message after this one (RFC 9112 9.3). */
  get isKeepAlive(): boolean {
    return this.versionMinor === 1 ? !this.saysClose : this.saysKeepAlive && !this.saysClose;
  }

  /** Name of field `index`, as it was sent. */
  fieldName(index: number): string {
    const at = index * OFFSETS_PER_FIELD;
    return threadStringMemo.text(this.bytes, this.base + this.offsets[at]!, this.base + this.offsets[at + 1]!);
  }

  /** Value of field `index`, each byte one character (Latin-1), without the white space around it. */
  fieldValue(index: number): string {
    const at = index * OFFSETS_PER_FIELD;
    return threadStringMemo.text(this.bytes, this.base + this.offsets[at + 2]!, this.base + this.offsets[at + 3]!);
  }

  /** The value of a field by its lower-case name, several lines joined with ", " (RFC 9110 5.3); undefined without. */
  header(lowerCaseName: string): string | undefined {
    let value: string | undefined;
    for (let index = 0; index < this.fieldCount; index++) {
      const at = index * OFFSETS_PER_FIELD;
      const nameStart = this.base + this.offsets[at]!;
      if (!equalsIgnoringCase(this.bytes, nameStart, this.base + this.offsets[at + 1]!, lowerCaseName)) continue;
      value = value === undefined ? this.fieldValue(index) : `${value}, ${this.fieldValue(index)}`;
    }
    return value;
  }

  private grow(): void {
    const larger = new Int32Array(this.offsets.length * 2);
    larger.set(this.offsets);
    this.offsets = larger;
  }
}

/** The head of a request. */
export class RequestHead extends MessageHead {
  /** As it was sent; methods are case-sensitive. */
  method = '';
  /** Fields called Host; a request has exactly one, which HTTP/1.0 may leave out. */
  hostCount = 0;
  /** The client waits for `100 Continue` before it sends the body. */
  expectsContinue = false;
  private targetStart = 0;
  private targetEnd = 0;
  private pathStart = 0;
  private pathEnd = 0;

  override reset(): void {
    super.reset();
    this.method = '';
    this.hostCount = 0;
    this.expectsContinue = false;
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

  /** The bytes that `path` lies in. They belong to the connection: copy what is kept. */
  get source(): Buffer {
    return this.bytes;
  }

  /** First byte in `source` of the path, still percent-encoded and without the query; "*" and CONNECT have an empty one. */
  get pathFirst(): number {
    return this.base + this.pathStart;
  }

  /** The byte in `source` after the path. */
  get pathAfter(): number {
    return this.base + this.pathEnd;
  }
}

/** The head of a response. */
export class ResponseHead extends MessageHead {
  /** 100 to 599. */
  status = 0;

  override reset(): void {
    super.reset();
    this.status = 0;
  }
}
