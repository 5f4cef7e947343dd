// uncontended.bench.ts: what does a lock cost that nobody else wants? Beside the least any lock could do: one
// compareExchange to take a word, one to give it back.

import { SharedRwLock } from '../../src/lock/index.js';
import type { RunBenchmark } from '../result.js';
import { measureRounds, type Subject } from '../rounds.js';

const NS_PER_MS = 1e6;
const PAIRS = 300_000;
const ROUNDS = 15;
const ROUNDS_QUICK = 7;
/** The compiler is done with a loop of this length after the first. */
const WARMUPS = 3;
const BAR = { atMost: 2.5 };
const BASELINE = 'two compareExchange';

export const run: RunBenchmark = (options) => {
  const words = new Int32Array(new SharedArrayBuffer((SharedRwLock.WORDS + 1) * Int32Array.BYTES_PER_ELEMENT));
  const bareWord = SharedRwLock.WORDS;
  const lock = new SharedRwLock(words);

  const bare: Subject = {
    name: BASELINE,
    measure: () =>
      nsPerPair(() => {
        for (let pair = 0; pair < PAIRS; pair += 1) {
          Atomics.compareExchange(words, bareWord, 0, 1);
          Atomics.compareExchange(words, bareWord, 1, 0);
        }
      }),
  };
  const read: Subject = {
    name: 'acquireRead + releaseRead',
    bar: BAR,
    measure: () =>
      nsPerPair(() => {
        for (let pair = 0; pair < PAIRS; pair += 1) {
          lock.acquireRead();
          lock.releaseRead();
        }
      }),
  };
  const write: Subject = {
    name: 'acquireWrite + releaseWrite',
    bar: BAR,
    measure: () =>
      nsPerPair(() => {
        for (let pair = 0; pair < PAIRS; pair += 1) {
          lock.acquireWrite();
          lock.releaseWrite();
        }
      }),
  };
  return measureRounds(
    {
      case: 'take a free lock and give it back',
      unit: 'ns',
      better: 'lower',
      baseline: BASELINE,
      subjects: [bare, read, write],
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      warmups: WARMUPS,
    },
    options,
  );
};

function nsPerPair(loop: () => void): number {
  const since = performance.now();
  loop();
  return ((performance.now() - since) * NS_PER_MS) / PAIRS;
}
