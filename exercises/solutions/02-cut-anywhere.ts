const CR = 0x0d;
const LF = 0x0a;

/** The last byte of what was kept may be the first half of a line's end: it is looked at again with what comes. */
export class LineReader {
  #kept = Buffer.alloc(0);

  feed(bytes: Uint8Array): string[] {
    const all = Buffer.concat([this.#kept, bytes]);
    const lines: string[] = [];
    let start = 0;
    // From the byte before the new ones on: what is kept has no whole line's end in it.
    for (let at = Math.max(0, this.#kept.length - 1); at + 1 < all.length; at++) {
      if (all[at] !== CR || all[at + 1] !== LF) continue;
      lines.push(all.toString('latin1', start, at));
      start = at + 2;
    }
    this.#kept = all.subarray(start);
    return lines;
  }
}
