// sale-ring.ts: the way of sales from the threads that make them to the one thread that journals them.
//
//            resolved                appended
//   ─ ─ ─ ─ ─ ┤ frame │ frame │ frame ├─ ─ ─ ─ ─ ─ ─      positions only grow; offset = position mod RING_BYTES
//
//   frame  | frame bytes u32 | effects u32 | payload bytes u32 | 0 u32 | toy u32, quantity u32 … | payload | pad to 8 |
//
// The payload is a record of the journal (sale-records.ts). The effects say the same in indexes of the stock table:
// what to show once it is on disk, or to give back if it cannot be written. A frame never wraps around the end of the
// ring: where it would not fit, a filler takes the rest (effects = FILLER). The positions live with the other control
// words (catalog-memory.ts); frames are written and read under the catalog's lock, or read by the journal's thread
// between `resolved` and a position that it was told under the lock.

import { assert } from '../assert.js';
import { RING_BYTES } from './catalog-limits.js';

const FRAME_HEAD_BYTES = 16;
const EFFECT_BYTES = 8;
const FILLER = 0xffff_ffff;
const MASK = RING_BYTES - 1;

/** A frame being read. */
export interface Frame {
  readonly position: number;
  /** Position behind it. */
  readonly end: number;
  readonly effects: number;
}

export class SaleRing {
  static readonly BYTES = RING_BYTES;

  /** The ring's bytes, for writing a payload in place. */
  readonly bytes: Buffer;
  readonly #words: Uint32Array;

  constructor(memory: SharedArrayBuffer) {
    this.bytes = Buffer.from(memory);
    this.#words = new Uint32Array(memory);
  }

  /** Most bytes that a frame takes, the filler before it not counted. */
  static frameBytes(effectsMax: number, payloadBytesMax: number): number {
    return alignTo8(FRAME_HEAD_BYTES + effectsMax * EFFECT_BYTES + payloadBytesMax);
  }

  /**
   * Where a frame of at most `bytesMax` begins, behind a filler if need be; undefined if there is no room for it now.
   * Nothing is changed that a reader would see before the position `appended` is moved.
   */
  place(appended: number, resolved: number, bytesMax: number): number | undefined {
    const offset = appended & MASK;
    const filler = offset + bytesMax > RING_BYTES ? RING_BYTES - offset : 0;
    if (appended + filler + bytesMax - resolved > RING_BYTES) return undefined;
    if (filler > 0) {
      this.#words[offset >> 2] = filler;
      this.#words[(offset >> 2) + 1] = FILLER;
    }
    return appended + filler;
  }

  /** Offset in `bytes` of the payload of a frame that was placed with room for `effectsMax`. */
  payloadOffset(position: number, effectsMax: number): number {
    return (position & MASK) + FRAME_HEAD_BYTES + effectsMax * EFFECT_BYTES;
  }

  setEffect(position: number, effect: number, toy: number, quantity: number): void {
    const word = ((position & MASK) + FRAME_HEAD_BYTES + effect * EFFECT_BYTES) >> 2;
    this.#words[word] = toy;
    this.#words[word + 1] = quantity;
  }

  /**
   * Completes a frame.
   *
   * @param payloadOffset offset of the payload in `bytes`
   * @returns the position behind the frame: the new `appended`
   */
  finish(position: number, effects: number, payloadOffset: number, payloadBytes: number): number {
    const offset = position & MASK;
    const end = alignTo8(payloadOffset + payloadBytes);
    this.#words[offset >> 2] = end - offset;
    this.#words[(offset >> 2) + 1] = effects;
    this.#words[(offset >> 2) + 2] = payloadBytes;
    this.#words[(offset >> 2) + 3] = payloadOffset - offset;
    return position + end - offset;
  }

  /** The frames from one position to another, fillers left out. */
  *frames(from: number, to: number): Generator<Frame> {
    for (let position = from; position < to; ) {
      const word = (position & MASK) >> 2;
      const end = position + this.#words[word]!;
      const effects = this.#words[word + 1]!;
      assert(end > position && end <= to, 'frames fill the ring without a gap');
      if (effects !== FILLER) yield { position, end, effects };
      position = end;
    }
  }

  /** A copy of the payload: the ring's memory is used again. */
  payloadOf(frame: Frame): Buffer {
    const offset = frame.position & MASK;
    const start = offset + this.#words[(offset >> 2) + 3]!;
    return Buffer.from(this.bytes.subarray(start, start + this.#words[(offset >> 2) + 2]!));
  }

  /** Adds each effect of the frame, times `sign`, to the quantities. */
  applyEffects(frame: Frame, quantities: Uint32Array, sign: 1 | -1): void {
    let word = ((frame.position & MASK) + FRAME_HEAD_BYTES) >> 2;
    for (let effect = 0; effect < frame.effects; effect++, word += 2) {
      const toy = this.#words[word]!;
      quantities[toy] = quantities[toy]! + sign * this.#words[word + 1]!;
    }
  }
}

function alignTo8(bytes: number): number {
  return (bytes + 7) & ~7;
}
