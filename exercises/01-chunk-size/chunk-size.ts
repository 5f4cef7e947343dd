/** The largest chunk that is taken: digits that a 53-bit integer holds for certain. */
export const DIGITS_MAX = 13;

/**
 * The size at the beginning of a chunk (RFC 9112 7.1: one or more hexadecimal digits).
 *
 * @param line what stands before CR LF, without extensions
 * @returns undefined where that is no size
 */
export function chunkSize(line: string): number | undefined {
  const size = Number.parseInt(line, 16);
  return Number.isNaN(size) || size < 0 ? undefined : size;
}
