// random.ts: repeatable chance. Each client draws from a sequence of its own, so that what one of them does never
// depends on how the others were scheduled: the same seed and client number give the same session every time.
//
// The generator is Mulberry32 (Tommy Ettinger, 2017): 32 bits of state, period 2^32, plenty for drawing toys and not
// meant for secrets.

const GOLDEN_RATIO_32 = 0x9e37_79b9;
const TWO_TO_32 = 0x1_0000_0000;

/**
 * @param seed the run's seed, 0 to 2^32 - 1
 * @param stream which client's sequence
 * @returns a function that draws numbers from 0 (included) to 1 (excluded)
 */
export function seededRandom(seed: number, stream: number): () => number {
  let state = (seed + Math.imul(stream + 1, GOLDEN_RATIO_32)) >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };
}
