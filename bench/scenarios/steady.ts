// steady.ts: loads a server, uncounted, until it does not get faster any more: until its hot code is compiled.
//
//   orders a second:  4.5  7.2  8.7  7.7  9.0  10.3  11.2  12.0  11.6  11.3  11.6   ► steady
//                                                     best so far ┘└─ and a while without a better one
//
// A fixed time will not do: V8 compiles on the processors that the load keeps busy, and a slow moment of the machine makes
// it take three times as long. The same rule for every server that is compared.

/** Without a better second for so long it is steady: rates go up and down by more than a tenth from one to the next. */
const SECONDS_WITHOUT_A_BETTER = 5;
/** Less than this is not better. */
const BETTER_BY = 1.03;

/**
 * Runs `loadForASecond`, which returns the rate that it saw, again and again.
 *
 * @param secondsMax whatever the rates are
 * @returns the best rate
 */
export async function untilSteady(loadForASecond: () => Promise<number>, secondsMax: number): Promise<number> {
  let best = 0;
  let secondsSince = 0;
  for (let second = 0; second < secondsMax && secondsSince < SECONDS_WITHOUT_A_BETTER; second++) {
    const rate = await loadForASecond();
    secondsSince = rate > best * BETTER_BY ? 0 : secondsSince + 1;
    best = Math.max(best, rate);
  }
  return best;
}
