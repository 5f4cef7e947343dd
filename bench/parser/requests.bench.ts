// requests.bench.ts: what does it take to read a request, its method, its target and all its headers?
//
// Beside Node's own parser, the same one in WebAssembly as undici uses it, and http-parser-js. The last case has headers
// that change with every request, so that what our parser remembers of earlier ones is of no use to it.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Result, RunBenchmark, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { CASES, CHANGING, SMALL_GET } from './messages.js';
import type { ReadOrder } from './parser-thread.js';
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

export const run: RunBenchmark = async (options) => {
  const names = Object.keys(PARSERS) as ParserName[];
  const url = new URL('./parser-thread.js', import.meta.url);
  const threads = new Map(names.map((name) => [name, new Worker(url, { workerData: name })]));
  try {
    const results: Result[] = [];
    for (const name of CASES.keys()) results.push(...(await compare(name, threads, options)));
    return results;
  } finally {
    await Promise.all([...threads.values()].map((thread) => thread.terminate()));
  }
};

/** All parsers on the same messages; then ours once more, beside the fastest of the others. */
async function compare(name: string, threads: ReadonlyMap<ParserName, Worker>, options: RunOptions): Promise<Result[]> {
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
  const fastest = results.filter(({ subject }) => subject !== OURS).sort((a, b) => a.value - b.value)[0];
  if (ours === undefined || fastest === undefined) return results;
  const ratio = ours.value / fastest.value;
  const beside: Result = { ...ours, case: `${name}, beside the fastest peer`, baseline: fastest.subject, ratio };
  return [...results, { ...beside, bar: hasBar ? FASTER_BAR : undefined }];
}

async function read(thread: Worker, order: ReadOrder): Promise<number> {
  thread.postMessage(order);
  const [nanoseconds] = (await once(thread, 'message')) as [number];
  return nanoseconds;
}
