// store-target.ts: the store that a scenario measures: the one that the user points at, or one started for it.

import type { BenchOptions } from '../run/bench-options.js';
import type { Target } from '../store/server-process.js';
import { startToystore } from '../store/toystore.js';

/** A store at `--url` is left running; its stock may run out, and its orders are real. */
export async function storeTarget({ url, threads }: BenchOptions): Promise<Target> {
  if (url !== undefined) return { name: 'toystore', ...url, pid: undefined, stop: async () => {} };
  return startToystore({ settings: threads === undefined ? {} : { THREADS: String(threads) } });
}
