// uncontended.bench.ts: what does a lock cost that nobody else wants? Beside the least any lock could do: one
// compareExchange to take a word, one to give it back.

import { SharedRwLock } from '../../src/lock/index.js';
import { measureRounds } from '../rounds.js';
import type { Scenario } from '../scenarios/scenario.js';

const NS_PER_MS = 1e6;
const PAIRS = 300_000;
const ROUNDS = 15;
/** The compiler is done with a loop of this length after the first. */
const WARMUPS = 3;
const BAR = { atMost: 2.5 };
const BASELINE = 'two compareExchange';
const READ = 'acquireRead + releaseRead';
const WRITE = 'acquireWrite + releaseWrite';

export const lock: Scenario = async (context) => {
  const words = new Int32Array(new SharedArrayBuffer((SharedRwLock.WORDS + 1) * Int32Array.BYTES_PER_ELEMENT));
  const bareWord = SharedRwLock.WORDS;
  const shared = new SharedRwLock(words);
  // Each with a loop of its own: in one that all share the compiler would not see what is called.
  const bare = (): void => {
    for (let pair = 0; pair < PAIRS; pair += 1) {
      Atomics.compareExchange(words, bareWord, 0, 1);
      Atomics.compareExchange(words, bareWord, 1, 0);
    }
  };
  const read = (): void => {
    for (let pair = 0; pair < PAIRS; pair += 1) {
      shared.acquireRead();
      shared.releaseRead();
    }
  };
  const write = (): void => {
    for (let pair = 0; pair < PAIRS; pair += 1) {
      shared.acquireWrite();
      shared.releaseWrite();
    }
  };
  const quantity = {
    case: 'take a free lock and give it back',
    unit: 'ns',
    better: 'lower',
    bars: { [READ]: BAR, [WRITE]: BAR },
  } as const;
  const loops = { [BASELINE]: bare, [READ]: read, [WRITE]: write };
  const subjects = Object.entries(loops).map(([name, loop]) => ({ name, measure: () => nsPerPair(loop) }));
  await measureRounds(
    { quantities: [quantity], subjects, baseline: BASELINE, rounds: ROUNDS, warmups: WARMUPS },
    context,
  );
};

function nsPerPair(loop: () => void): number {
  const since = performance.now();
  loop();
  return ((performance.now() - since) * NS_PER_MS) / PAIRS;
}
