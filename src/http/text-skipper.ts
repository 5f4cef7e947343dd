// text-skipper.ts: runs over long field values four bytes at a time.
//
// Nearly all bytes of a head lie in a few long values (User-Agent, Cookie). Asking a table about each costs 1.4 ns a byte,
// asking about four at once 0.4 ns (Node 20). A word is passed over when none of its bytes is a control character:
//
//   below 0x20:  (word - 0x20202020) & ~word & 0x80808080      some bit is set when some byte is
//   0x7f:        the same question, "is some byte zero", about word ^ 0x7f7f7f7f
//
// The word with the first such byte is left to the caller, byte by byte; a tab, which is allowed, stops it as well.
// Source of the formulas: "haszero" and "hasless", the well-known bit tricks, see Hacker's Delight 6-1.

const ONES = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
const SPACES = 0x20202020;
const DELETES = 0x7f7f7f7f;

/** Keeps the view of the buffer it looked at last: making one costs as much as 40 bytes. */
export class TextSkipper {
  private bytes: Buffer | undefined;
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** The first place from `index` on, in steps of four, where a byte may be no text; or one less than four before `end`. */
  skip(bytes: Buffer, index: number, end: number): number {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const { view } = this;
    const last = end - 4;
    let at = index;
    while (at <= last) {
      const word = view.getInt32(at, true);
      const flipped = word ^ DELETES;
      const marks = (((word - SPACES) & ~word) | ((flipped - ONES) & ~flipped)) & HIGH_BITS;
      if (marks !== 0) break;
      at += 4;
    }
    return at;
  }
}
