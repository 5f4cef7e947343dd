// field-memo.ts: a header section seen before need not be read again.
//
// A client on a keep-alive connection sends the same header lines with each request, to the byte, and all clients of one
// kind send the same ones. So the thread remembers a few complete sections, from the first byte after the start line to
// the empty line, with the table of fields read from them. Equal bytes have an equal meaning: nothing is skipped that
// could be different.
//
//   entry: | length | bytes of the section …CR LF CR LF | FieldTable, shared and never changed |
//
// What a hit saves (Node 20, quiet machine): about 700 of the 1000 ns of a browser's 703-byte request.
// Sections are remembered when they come for the second time, so that headers that change with every message (a date, a
// counter) cost one hash each and no copy. A peer that aims to miss makes us do the work that we would do anyway.

import type { FieldTable } from './field-table.js';
import { LF } from './grammar.js';
import { threadWordScanner } from './word-scanner.js';

/** Kinds of clients at a time, GET and POST of one kind apart; each costs a few nanoseconds to pass over. */
const ENTRIES_MAX = 8;
/** Longer sections are read each time. Memory: this times `ENTRIES_MAX`, for each thread. */
const SECTION_BYTES_MAX = 2048;
/** A section without fields is two bytes, and as quickly read as found. */
const SECTION_BYTES_MIN = 4;
/** Up to here a loop in JavaScript compares faster than a call into the runtime. */
const LOOP_BYTES_MAX = 256;
/** Hashes of sections seen once. */
const SEEN_SLOTS = 64;

/** The longest pause between two sections remembered in vain, in sections read. */
const PAUSE_MAX = 1024;

interface Entry {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly table: FieldTable;
  hits: number;
  /** Where the last section was different that looked alike: most others that do are different there as well. */
  telltale: number;
}

/** Sections of requests and of responses do not mix, so each kind of parser has its own. */
export class FieldMemo {
  private readonly entries: Entry[] = [];
  private oldest = 0;
  /** Sections that are read and not remembered after one has been. */
  private pause = 1;
  private missesToIgnore = 0;
  private readonly seen = new Int32Array(SEEN_SLOTS);
  /** Length of the section that the last `find()` found. */
  foundBytes = 0;

  /**
   * The table of a remembered section that stands in `bytes` at `start`, all of it before `end`. Compares one long section
   * at most: where several of one length begin alike, as those of one browser do whose cookies change, all but one would
   * be compared in vain, and reading is cheaper than that.
   */
  find(bytes: Buffer, start: number, end: number): FieldTable | undefined {
    const { entries } = this;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      const length = entry.bytes.length;
      // These few bytes settle it for nearly all entries that do not match.
      if (length > end - start || bytes[start + length - 1] !== LF || bytes[start + length - 3] !== LF) continue;
      if (bytes[start + entry.telltale] !== entry.bytes[entry.telltale]) continue;
      if (length <= LOOP_BYTES_MAX) {
        if (!threadWordScanner.equals(bytes, start, entry.view, 0, length)) continue;
      } else {
        if (!isSampleEqual(bytes, start, entry.bytes)) continue;
        if (bytes.compare(entry.bytes, 0, length, start, start + length) !== 0) {
          entry.telltale = lastDifference(bytes, start, entry.bytes);
          return undefined;
        }
      }
      entry.hits++;
      this.foundBytes = length;
      return entry.table;
    }
    return undefined;
  }

  /** Tells the memo of a section that was read: remembered from its second time on. */
  note(bytes: Buffer, start: number, sectionBytes: number, table: FieldTable): void {
    if (sectionBytes > SECTION_BYTES_MAX || sectionBytes < SECTION_BYTES_MIN) return;
    if (--this.missesToIgnore > 0) return;
    this.missesToIgnore = 0;
    const hash = sampleHash(bytes, start, sectionBytes);
    const slot = hash & (SEEN_SLOTS - 1);
    if (this.seen[slot] !== hash) {
      this.seen[slot] = hash;
      return;
    }
    this.seen[slot] = 0;
    const copy = Buffer.from(bytes.subarray(start, start + sectionBytes));
    this.replaceOldest({
      bytes: copy,
      view: new DataView(copy.buffer, copy.byteOffset, sectionBytes),
      table: table.copy(sectionBytes),
      hits: 0,
      telltale: 0,
    });
  }

  /** An entry that goes without ever having been found was a mistake: the more of them in a row, the longer we wait. */
  private replaceOldest(entry: Entry): void {
    const isMistake = this.entries[this.oldest]?.hits === 0;
    this.pause = isMistake ? Math.min(2 * this.pause, PAUSE_MAX) : 1;
    this.missesToIgnore = this.pause;
    this.entries[this.oldest] = entry;
    this.oldest = (this.oldest + 1) % ENTRIES_MAX;
  }
}

/** Whether a byte at the beginning and some in the second half are the same. */
function isSampleEqual(bytes: Buffer, start: number, section: Buffer): boolean {
  const { length } = section;
  for (let place = length >> 1; place < length; place += 1 + (length >> 4)) {
    if (bytes[start + place] !== section[place]) return false;
  }
  return bytes[start] === section[0];
}

/** Counters and times, which are what differs, change most in their last places. */
function lastDifference(bytes: Buffer, start: number, section: Buffer): number {
  let place = section.length - 1;
  while (bytes[start + place] === section[place]) place--;
  return place;
}

/** Every seventh byte and the length: enough to tell "seen before" from "changes every time" in nearly all cases. */
function sampleHash(bytes: Buffer, start: number, length: number): number {
  let hash = length;
  for (let index = start; index < start + length; index += 7) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
  return hash;
}
