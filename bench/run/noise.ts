// noise.ts: how much the machine itself varies while a scenario runs, so that a bar that was missed beside somebody else's
// work is not taken for a failure of the store.
//
//   sample ── load ── sample ── load ── sample …      the same work each time, while no load runs; it would take the same
//                                                     time each time if nobody else used the cores and their clock stood

import { hash } from 'node:crypto';
import { median } from '../figures.js';

/** A spread up to here is quiet: on a machine with nothing else to do it is 0.02 to 0.06. */
export const NOISE_MAX = 0.15;

/** Enough work for some ten milliseconds: longer than a look at the clock, shorter than anyone waits for. */
const WORK = Buffer.alloc(8 * 1024 * 1024, 'toystore');
/** With fewer, one slow moment would be all there is to see. */
const SAMPLES_MIN = 5;
const LOW_SHARE = 0.1;
const HIGH_SHARE = 0.9;

/** The times that the reference took during one scenario. */
export class NoiseMeter {
  readonly #times: number[] = [];

  /** Takes one sample; some ten milliseconds. */
  sample(): void {
    const since = performance.now();
    hash('sha1', WORK);
    this.#times.push(performance.now() - since);
  }

  /** Samples until there are enough of them. */
  spread(): number {
    while (this.#times.length < SAMPLES_MIN) this.sample();
    return spreadOf(this.#times);
  }
}

/** How far the slow tenth lies from the fast tenth, as a share of the median. */
export function spreadOf(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return (at(HIGH_SHARE) - at(LOW_SHARE)) / median(sorted);
}
