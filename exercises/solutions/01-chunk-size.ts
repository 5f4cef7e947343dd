/** The largest chunk that is taken: digits that a 53-bit integer holds for certain. */
export const DIGITS_MAX = 13;

const DIGITS = new RegExp(`^[0-9A-Fa-f]{1,${DIGITS_MAX}}$`);

/** Number.parseInt() stops at what it does not know, and skips what it likes: two readers of it may disagree. */
export function chunkSize(line: string): number | undefined {
  return DIGITS.test(line) ? Number.parseInt(line, 16) : undefined;
}
