// contended.bench.ts: what do readers gain by going in together? Two and four threads, nine sections in ten read, beside a
// plain mutex that lets in one at a time.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedRwLock } from '../../src/lock/index.js';
import type { Result, RunBenchmark, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import type { ContendedOrder, ContendedSetup, ContendedSubject } from './contended-thread.js';

const BASELINE: ContendedSubject = 'plain mutex';
const SUBJECTS: readonly ContendedSubject[] = [BASELINE, 'SharedRwLock'];
const ROUND_MS = 250;
const ROUND_QUICK_MS = 100;
const ROUNDS = 7;
const ROUNDS_QUICK = 3;
/** What a section reads or writes: about as much as a table of toys. */
const DATA_WORDS = 64;
const MS_PER_S = 1000;

export const run: RunBenchmark = async (options) => {
  const results: Result[] = [];
  for (const threads of [2, 4]) results.push(...(await contend(threads, options)));
  return results;
};

async function contend(threads: number, options: RunOptions): Promise<Result[]> {
  const setup: ContendedSetup = {
    lockWords: shared(SharedRwLock.WORDS),
    mutexWords: shared(SharedRwLock.WORDS),
    data: shared(DATA_WORDS),
    clock: shared(1),
  };
  const url = new URL('./contended-thread.js', import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(url, { workerData: setup }));
  const roundMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
  const measure = async (subject: ContendedSubject): Promise<number> => {
    const answers = workers.map((worker) => once(worker, 'message') as Promise<[number]>);
    const order: ContendedOrder = { subject, round: Atomics.load(setup.clock, 0) + 1 };
    for (const worker of workers) worker.postMessage(order);
    Atomics.add(setup.clock, 0, 1);
    Atomics.notify(setup.clock, 0);
    await delay(roundMs);
    Atomics.add(setup.clock, 0, 1);
    const sections = (await Promise.all(answers)).reduce((sum, [ofThread]) => sum + ofThread, 0);
    return (sections / roundMs) * MS_PER_S;
  };
  try {
    return await measureRounds(
      {
        case: `${threads} threads, 90% readers: sections`,
        unit: 'sections/s',
        better: 'higher',
        baseline: BASELINE,
        subjects: SUBJECTS.map((subject) => ({ name: subject, measure: () => measure(subject) })),
        rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      },
      options,
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function shared(words: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT));
}
