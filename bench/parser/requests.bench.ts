// requests.bench.ts: what does it take to read a request, its method, its target and all its headers?
//
// Beside Node's own parser, the same one in WebAssembly as undici uses it, and http-parser-js. The last case has headers
// that change with every request, so that what our parser remembers of earlier ones is of no use to it.
import type { Result, RunBenchmark, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { BROWSER, BROWSERS, GET, type Message, POST } from './messages.js';
import { httpParserJs, nodeLlhttp, ourParser, type ReadMessages, undiciLlhttp } from './parsers.js';

const MESSAGES_PER_ROUND = 60_000;
const ROUNDS = 15;
const ROUNDS_QUICK = 5;
const WARMUPS = 3;
const BASELINE = 'llhttp, in Node';
/** Five times as fast as Node's binding on the request that a store gets most, faster than it on all. */
const SMALL_GET_BAR = { atMost: 0.2 };
const FASTER_BAR = { atMost: 1 };

export const run: RunBenchmark = async (options) => {
  const parsers = [nodeLlhttp(), ourParser(), undiciLlhttp(), httpParserJs()];
  return [
    ...(await compare(GET.name, [GET], parsers, SMALL_GET_BAR, options)),
    ...(await compare(POST.name, [POST], parsers, FASTER_BAR, options)),
    ...(await compare(BROWSER.name, [BROWSER], parsers, FASTER_BAR, options)),
    ...(await compare(`${BROWSER.name}, another cookie each time`, BROWSERS, parsers, undefined, options)),
  ];
};

/** All parsers on the same messages; then ours once more, beside the fastest of the others. */
async function compare(
  name: string,
  messages: readonly Message[],
  parsers: readonly ReadMessages[],
  bar: Result['bar'],
  options: RunOptions,
): Promise<Result[]> {
  const results = await measureRounds(
    {
      case: name,
      unit: 'ns',
      better: 'lower',
      baseline: BASELINE,
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      warmups: WARMUPS,
      subjects: parsers.map((parser) => ({
        name: parser.name,
        measure: () => readAll(parser, messages),
        bar: parser.name === 'toystore' ? bar : undefined,
      })),
    },
    options,
  );
  const ours = results.find(({ subject }) => subject === 'toystore');
  const others = results.filter(({ subject }) => subject !== 'toystore').sort((a, b) => a.value - b.value);
  const fastest = others[0];
  if (ours === undefined || fastest === undefined) return results;
  const baseline = fastest.subject;
  const ratio = ours.value / fastest.value;
  const beside: Result = { ...ours, case: `${name}, beside the fastest peer`, baseline, ratio };
  return [...results, { ...beside, bar: bar === undefined ? undefined : FASTER_BAR }];
}

/** Nanoseconds for each message; checks that all of each was found. */
function readAll(parser: ReadMessages, messages: readonly Message[]): number {
  const { tally } = parser;
  const before = { ...tally };
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < MESSAGES_PER_ROUND; index++) parser.read(messages[index % messages.length]!.bytes);
  const elapsedNs = Number(process.hrtime.bigint() - startedAt);
  const { fieldCount, bodyBytes } = messages[0]!;
  const isRight =
    tally.messages - before.messages === MESSAGES_PER_ROUND &&
    tally.fields - before.fields === MESSAGES_PER_ROUND * fieldCount &&
    tally.bodyBytes - before.bodyBytes === MESSAGES_PER_ROUND * bodyBytes;
  if (!isRight) throw new Error(`${parser.name} found other things than there are`);
  return elapsedNs / MESSAGES_PER_ROUND;
}
