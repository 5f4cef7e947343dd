// order-index.ts: where in orders.csv an order stands, without keeping all orders in memory.
//
//   row        0 . . . . . . 64 . . . . . . 128 . . .
//   marks      [0]           [1]            [2]            the byte at which every 64th row begins
//
// An order is found by reading from the mark before it to the next one (about 6 kB) and counting rows. A million orders
// take 125 kB of marks.

/** Rows between two marks: 64 rows are about one and a half pages to read, and a mark costs 8 bytes. */
const ROWS_PER_MARK = 64;
const MARKS_MIN = 1024;

/** Bytes of the file to look through, and how many whole rows of them to skip. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
  readonly skipRows: number;
}

export class OrderIndex {
  #marks = new Float64Array(MARKS_MIN);
  #count = 0;
  #endByte: number;

  /** @param firstByte where the first row begins: behind the header */
  constructor(firstByte: number) {
    this.#endByte = firstByte;
  }

  get count(): number {
    return this.#count;
  }

  /** Notes the next row, which is `bytes` long. */
  add(bytes: number): void {
    if (this.#count % ROWS_PER_MARK === 0) {
      const mark = this.#count / ROWS_PER_MARK;
      if (mark === this.#marks.length) {
        const grown = new Float64Array(2 * mark);
        grown.set(this.#marks);
        this.#marks = grown;
      }
      this.#marks[mark] = this.#endByte;
    }
    this.#count++;
    this.#endByte += bytes;
  }

  /** Where to look for order `number`, which must be less than `count`. */
  rangeOf(number: number): RowRange {
    const mark = Math.floor(number / ROWS_PER_MARK);
    const isLast = (mark + 1) * ROWS_PER_MARK >= this.#count;
    return {
      start: this.#marks[mark]!,
      end: isLast ? this.#endByte : this.#marks[mark + 1]!,
      skipRows: number % ROWS_PER_MARK,
    };
  }
}
