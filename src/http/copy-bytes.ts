// copy-bytes.ts: copies few bytes without calling into the runtime, which costs 150 ns whatever there is to copy (Node 20):
// request lines and the bodies of orders are shorter than what that is worth.

/** Up to here a loop is faster. */
const LOOP_BYTES_MAX = 96;

/** Copies the bytes of `from` between `start` and `end` to `to`, from `at` on, where there must be room for them. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > LOOP_BYTES_MAX) {
    from.copy(to, at, start, end);
    return;
  }
  for (let index = start, place = at; index < end; index++, place++) to[place] = from[index]!;
}
