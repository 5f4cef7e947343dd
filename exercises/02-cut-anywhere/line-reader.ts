const CR = 0x0d;
const LF = 0x0a;

/** Cuts a stream of bytes into lines that end in CR LF. Bytes come as TCP brings them: cut anywhere. */
export class LineReader {
  #kept = '';

  /** The lines that are complete with these bytes, without their ends. */
  feed(bytes: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let at = 0; at + 1 < bytes.length; at++) {
      if (bytes[at] !== CR || bytes[at + 1] !== LF) continue;
      lines.push(this.#kept + Buffer.from(bytes.subarray(start, at)).toString('latin1'));
      this.#kept = '';
      start = at + 2;
    }
    this.#kept += Buffer.from(bytes.subarray(start)).toString('latin1');
    return lines;
  }
}
