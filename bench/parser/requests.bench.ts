// requests.bench.ts: what does it take to read a request, its method, its target and all its headers?
//
// Beside Node's own parser, the same one in WebAssembly as undici uses it, and http-parser-js. The last case has headers
// that change with every request, so that what our parser remembers of earlier ones is of no use to it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Result, RunBenchmark, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { CASES, CHANGING, SMALL_GET } from './messages.js';
import type { ParserChoice, ReadOrder } from './parser-thread.js';
import { PARSERS, type ParserName } from './parsers.js';

const MESSAGES_PER_ROUND = 100_000;
const ROUNDS = 15;
const ROUNDS_QUICK = 5;
const WARMUPS = 3;
const OURS: ParserName = 'toystore';
const BASELINE: ParserName = 'llhttp, in Node';
/** Five times as fast as Node's binding on the request that a store gets most, faster than it on all. */
const SMALL_GET_BAR = { atMost: 0.2 };
const FASTER_BAR = { atMost: 1 };
/** Of the time that another commit's parser takes: at least 0.95 of its speed. */
const OTHER_COMMIT = 'baseline';
const OTHER_COMMIT_BAR = { atMost: 1 / 0.95 };

export const run: RunBenchmark = async (options) => {
  const choices = new Map<string, ParserChoice>((Object.keys(PARSERS) as ParserName[]).map((name) => [name, name]));
  if (options.baseline !== undefined) choices.set(OTHER_COMMIT, { root: options.baseline });
  const url = new URL('./parser-thread.js', import.meta.url);
  const threads = new Map([...choices].map(([name, workerData]) => [name, new Worker(url, { workerData })]));
  try {
    const results: Result[] = [];
    for (const name of CASES.keys()) results.push(...(await compare(name, threads, options)));
    return results;
  } finally {
    await Promise.all([...threads.values()].map((thread) => thread.terminate()));
  }
};

/** All parsers on the same messages; then ours once more, beside the fastest of the others and that of another commit. */
async function compare(name: string, threads: ReadonlyMap<string, Worker>, options: RunOptions): Promise<Result[]> {
  const bar = name === SMALL_GET ? SMALL_GET_BAR : FASTER_BAR;
  const hasBar = name !== CHANGING;
  const results = await measureRounds(
    {
      case: name,
      unit: 'ns',
      better: 'lower',
      baseline: BASELINE,
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      warmups: WARMUPS,
      subjects: [...threads].map(([parser, thread]) => ({
        name: parser,
        measure: () => read(thread, { caseName: name, count: MESSAGES_PER_ROUND }),
        bar: parser === OURS && hasBar ? bar : undefined,
      })),
    },
    options,
  );
  const ours = results.find(({ subject }) => subject === OURS);
  const fastest = results
    .filter(({ subject }) => subject !== OURS && subject !== OTHER_COMMIT)
    .sort((a, b) => a.value - b.value)[0];
  const other = results.find(({ subject }) => subject === OTHER_COMMIT);
  return [
    ...results,
    ...beside(ours, fastest, 'the fastest peer', hasBar ? FASTER_BAR : undefined),
    ...beside(ours, other, 'another commit', OTHER_COMMIT_BAR),
  ];
}

function beside(ours: Result | undefined, other: Result | undefined, what: string, bar: Result['bar']): Result[] {
  if (ours === undefined || other === undefined) return [];
  const ratio = ours.value / other.value;
  return [{ ...ours, case: `${ours.case}, beside ${what}`, baseline: other.subject, ratio, bar }];
}

async function read(thread: Worker, order: ReadOrder): Promise<number> {
  thread.postMessage(order);
  const [nanoseconds] = (await once(thread, 'message')) as [number];
  return nanoseconds;
}
