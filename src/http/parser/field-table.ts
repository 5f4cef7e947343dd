// field-table.ts: the header fields of one message, as offsets into the bytes they were read from, and what they say
// about the message's framing and its connection.
//
//   Host: 127.0.0.1:5000␍␊Accept: */*␍␊␍␊
//   ^ start of the section: offsets count from here, because a head that arrives in pieces is moved
//
// A string is made when somebody asks for it. A table is either a head's own, used again for its next message, or one of
// the thread's memo (field-memo.ts), shared and never changed, whose strings are made once for all messages alike.
import { equalsIgnoringCase } from './field-value.js';
import { NO_BYTES } from './grammar.js';
import { threadStringMemo } from './string-memo.js';

/** `contentLength` of a message without that field. */
export const NO_LENGTH = -1;

/** name start, name end, value start, value end */
const OFFSETS_PER_FIELD = 4;
/** Room for this many fields at first; a browser sends about ten. Grows by doubling. */
const FIELDS_AT_FIRST = 12;

/** Fields in the order they came. */
export class FieldTable {
  count = 0;
  contentLength = NO_LENGTH;
  /** Elements of all Transfer-Encoding fields, those of them that say chunked, and whether the last one does. */
  codingCount = 0;
  chunkedCount = 0;
  endsInChunked = false;
  /** `Connection: close`, `Connection: keep-alive` */
  saysClose = false;
  saysKeepAlive = false;
  /** Fields called Host; requests only. */
  hostCount = 0;
  /** `Expect: 100-continue`; requests only. */
  expectsContinue = false;
  /** A Content-Encoding other than identity; requests only. */
  hasContentCoding = false;
  /** The bytes that the offsets belong to, the section's first one at `start`. */
  private bytes: Buffer = NO_BYTES;
  private start = 0;
  private sectionBytes = 0;
  /** The whole section as text, once somebody wants to see more than one field of it. */
  private sectionText = '';
  private offsets = new Int32Array(FIELDS_AT_FIRST * OFFSETS_PER_FIELD);
  /** Strings made so far, names at even and values at odd places; kept by shared tables only. */
  private texts: (string | undefined)[] | undefined;

  /** Empties the table for another message. */
  reset(): void {
    this.count = 0;
    this.contentLength = NO_LENGTH;
    this.codingCount = 0;
    this.chunkedCount = 0;
    this.endsInChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.hostCount = 0;
    this.expectsContinue = false;
    this.hasContentCoding = false;
    this.bytes = NO_BYTES;
    this.sectionText = '';
  }

  /** Says which bytes the offsets belong to, when the section is complete. */
  attach(bytes: Buffer, start: number, sectionBytes: number): void {
    this.bytes = bytes;
    this.start = start;
    this.sectionBytes = sectionBytes;
  }

  /** The byte after the section. */
  get sectionEnd(): number {
    return this.start + this.sectionBytes;
  }

  /** Says that the section is now in other bytes, `distance` nearer to their beginning. */
  move(bytes: Buffer, distance: number): void {
    this.bytes = bytes;
    this.start -= distance;
  }

  /** Writes down one field, offsets from the start of the section. */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.count * OFFSETS_PER_FIELD;
    if (at === this.offsets.length) this.grow();
    const offsets = this.offsets;
    offsets[at] = nameStart;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
    this.count++;
  }

  /** A copy that stands on its own: its section in bytes of its own, `sectionBytes` long. */
  copy(sectionBytes: number): FieldTable {
    const copy = new FieldTable();
    copy.count = this.count;
    copy.contentLength = this.contentLength;
    copy.codingCount = this.codingCount;
    copy.chunkedCount = this.chunkedCount;
    copy.endsInChunked = this.endsInChunked;
    copy.saysClose = this.saysClose;
    copy.saysKeepAlive = this.saysKeepAlive;
    copy.hostCount = this.hostCount;
    copy.expectsContinue = this.expectsContinue;
    copy.hasContentCoding = this.hasContentCoding;
    copy.bytes = Buffer.from(this.bytes.subarray(this.start, this.start + sectionBytes));
    copy.sectionBytes = sectionBytes;
    copy.offsets = this.offsets.slice(0, this.count * OFFSETS_PER_FIELD);
    copy.texts = new Array<string | undefined>(this.count * 2).fill(undefined);
    return copy;
  }

  /** Name of field `index`, as it was sent. */
  name(index: number): string {
    return this.text(index * 2);
  }

  /** Value of field `index`, each byte one character (Latin-1), without the white space around it. */
  value(index: number): string {
    return this.text(index * 2 + 1);
  }

  /** The value of a field by its lower-case name, several lines joined with ", " (RFC 9110 5.3); undefined without. */
  header(lowerCaseName: string): string | undefined {
    let value: string | undefined;
    for (let index = 0; index < this.count; index++) {
      const at = index * OFFSETS_PER_FIELD;
      const { start, offsets } = this;
      if (!equalsIgnoringCase(this.bytes, start + offsets[at]!, start + offsets[at + 1]!, lowerCaseName)) continue;
      const text = threadStringMemo.text(this.bytes, start + offsets[at + 2]!, start + offsets[at + 3]!);
      value = value === undefined ? text : `${value}, ${text}`;
    }
    return value;
  }

  /** @param place twice the field's index, plus one for its value */
  private text(place: number): string {
    const { texts } = this;
    if (texts === undefined) return this.cutText(place);
    texts[place] ??= this.cutText(place);
    return texts[place];
  }

  /** Who asks for fields by number wants them all: one call into the runtime for the section, then cheap cuts of it. */
  private cutText(place: number): string {
    if (this.sectionText === '') {
      this.sectionText = this.bytes.toString('latin1', this.start, this.start + this.sectionBytes);
    }
    return this.sectionText.substring(this.offsets[place * 2]!, this.offsets[place * 2 + 1]!);
  }

  private grow(): void {
    const larger = new Int32Array(this.offsets.length * 2);
    larger.set(this.offsets);
    this.offsets = larger;
  }
}
