// string-memo.ts: the same short bytes become the same string, without asking the runtime to make it again.
//
// Clients repeat themselves: the same field names, the same Host, the same few targets. Making a string from bytes is a
// call into the runtime (41 ns for 13 bytes on Node 20) and an allocation; finding it here is a comparison of bytes.
//
//   slot = hash(length, first, middle and last bytes)      one candidate per slot, replaced on a miss
//   | length | 48 bytes | string |                         bytes kept beside the string, since comparing
//                                                          typed arrays is several times faster than charCodeAt
//
// A peer that aims for collisions only turns hits into misses, which cost what they would have cost anyway.
// Latin-1: each byte is one character, as field values are defined (RFC 9110 5.5).

import { threadWordScanner } from './word-scanner.js';

/** Longest text remembered: a typical target or Host fits, and a slot stays small. */
const TEXT_BYTES_MAX = 48;

/** Shorter texts than this many bytes are found, longer ones are made anew. */
export class StringMemo {
  private readonly mask: number;
  private readonly lengths: Uint8Array;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly texts: string[];

  /** @param slots a power of two; memory is about 100 bytes a slot */
  constructor(slots: number) {
    this.mask = slots - 1;
    this.lengths = new Uint8Array(slots);
    this.bytes = new Uint8Array(slots * TEXT_BYTES_MAX);
    this.view = new DataView(this.bytes.buffer);
    this.texts = new Array<string>(slots).fill('');
  }

  /** The text of `bytes` from `start` up to `end`, each byte one character. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > TEXT_BYTES_MAX) return bytes.toString('latin1', start, end);
    const slot = this.slotOf(bytes, start, end);
    if (this.lengths[slot] === length && this.isEqual(slot, bytes, start, length)) return this.texts[slot]!;
    return this.remember(slot, bytes, start, end);
  }

  /**
   * Product names of one length and beginning differ near their end, so the last bytes count most. Shifts that do not
   * wait for each other: a chain of multiplications took three times as long.
   */
  private slotOf(bytes: Buffer, start: number, end: number): number {
    const length = end - start;
    let hash = (length << 6) ^ (bytes[start]! << 2) ^ (bytes[start + (length >> 1)]! << 1) ^ (bytes[end - 1]! << 3);
    if (length > 2) hash ^= (bytes[end - 2]! << 5) ^ (bytes[end - 3]! << 4);
    return (hash ^ (hash >> 7)) & this.mask;
  }

  private isEqual(slot: number, bytes: Buffer, start: number, length: number): boolean {
    const offset = slot * TEXT_BYTES_MAX;
    if (length >= 4) return threadWordScanner.equals(bytes, start, this.view, offset, length);
    for (let at = 0; at < length; at++) if (bytes[start + at] !== this.bytes[offset + at]) return false;
    return true;
  }

  private remember(slot: number, bytes: Buffer, start: number, end: number): string {
    const text = bytes.toString('latin1', start, end);
    this.lengths[slot] = end - start;
    this.bytes.set(bytes.subarray(start, end), slot * TEXT_BYTES_MAX);
    this.texts[slot] = text;
    return text;
  }
}

/** One memo per thread serves all its connections: field names, targets and short values alike. */
export const threadStringMemo = new StringMemo(2048);
