// byte-intake.ts: the bytes that a parser is reading, in one piece, whatever pieces they came in.
//
//   fed:     ┌───────────── bytes ─────────────┐
//            base …… position ………………………… end        base: first byte still needed, position: first not yet read
//
// As long as messages are whole in what is fed, nothing is copied. When a head is cut, what there is of it moves to memory
// of our own, with room for more. So offsets from `base` stay true.
//
// Lines are parsed straight through, in the hope that they are whole. One that turns out cut is not looked at again before
// its LF has come, and it is remembered how far there is none. So a line is parsed twice at most, and a message that comes
// byte by byte costs linear time.
import { assert } from '../../assert.js';
import type { HttpErrorCode } from '../http-error.js';
import { LF, NO_BYTES } from './grammar.js';

/** A head that arrives in pieces is collected in a buffer of at least this size, which most heads fit. */
const COLLECT_BYTES_MIN = 1024;

/** How an attempt to parse a line ended: its bytes ran out, or something is wrong in it. */
export type LineOutcome = 'complete' | 'cut' | HttpErrorCode;

/** Where a parser has its bytes from. */
export abstract class ByteIntake {
  /** The bytes being read. */
  bytes: Buffer = NO_BYTES;
  /** The first byte not yet used, and the one after the last received. */
  protected position = 0;
  protected end = 0;
  /** First byte of the head or trailer section being read: what must be kept. */
  protected base = 0;
  protected isFinished = false;
  /** If beyond `position`: there is no LF from there to here. */
  private searched = 0;
  /** Whether `bytes` is a buffer of our own with room behind `end`. */
  private isCollecting = false;

  /**
   * Hands over the first `length` bytes. They are used where they are until their message has ended, or until `keep()`
   * is called, and must not change before.
   */
  feed(bytes: Buffer, length = bytes.length): void {
    assert(!this.isFinished, 'bytes after the end of input');
    const keepFrom = this.firstNeeded();
    if (keepFrom === this.end) {
      this.bytes = bytes;
      this.base = 0;
      this.position = 0;
      this.end = length;
      this.searched = 0;
      this.isCollecting = false;
    } else {
      this.append(bytes, length, keepFrom);
    }
  }

  /** Copies what is still needed of the bytes fed, which may be overwritten from now on. */
  keep(): void {
    const keepFrom = this.firstNeeded();
    if (keepFrom === this.end) this.forget();
    else if (!this.isCollecting) this.collect(keepFrom, this.end - keepFrom);
  }

  /** Says that no more bytes will come. A message that is not complete then ends in an error, or as its framing says. */
  finish(): void {
    this.isFinished = true;
  }

  /** The first byte that may be asked for again; `end` if none is. */
  protected abstract firstNeeded(): number;

  /** Lets go of all bytes: a buffer that an idle connection holds on to survives garbage collections. */
  protected forget(): void {
    this.bytes = NO_BYTES;
    this.base = 0;
    this.position = 0;
    this.end = 0;
    this.searched = 0;
  }

  /** Whether the line at `position` may be whole: not if it was found cut and its LF has not come since. */
  protected mayBeWholeLine(): boolean {
    return this.searched <= this.position || this.findLineEnd() < this.end;
  }

  /** Where the LF of the line at `position` is; `end` if it has not come. */
  protected findLineEnd(): number {
    const at = this.bytes.indexOf(LF, Math.max(this.searched, this.position));
    if (at >= 0 && at < this.end) return at;
    this.searched = this.end;
    return this.end;
  }

  /** Continues the kept bytes, from `keepFrom` on, with new ones in one piece of memory. */
  private append(bytes: Buffer, length: number, keepFrom: number): void {
    if (!this.isCollecting || this.bytes.length - this.end < length) {
      // Twice the need, so that a head that comes byte by byte is copied a few times only.
      this.collect(keepFrom, 2 * (this.end - keepFrom + length));
    }
    bytes.copy(this.bytes, this.end, 0, length);
    this.end += length;
  }

  /** Moves the bytes from `keepFrom` on to a buffer of our own. @param room its size at least */
  private collect(keepFrom: number, room: number): void {
    const collected = Buffer.allocUnsafeSlow(Math.max(COLLECT_BYTES_MIN, room));
    this.bytes.copy(collected, 0, keepFrom, this.end);
    this.bytes = collected;
    this.base -= keepFrom;
    this.position -= keepFrom;
    this.searched -= keepFrom;
    this.end -= keepFrom;
    this.isCollecting = true;
  }
}
