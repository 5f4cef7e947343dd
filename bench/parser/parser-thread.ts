// parser-thread.ts: one parser in a thread of its own, reading messages when it is asked to.
//
// Alone, because parsers in one isolate slow each other down: WebAssembly that grows its memory detaches a buffer, and from
// then on the whole isolate's code checks at each access to a typed array that its buffer is still there (100 ns became
// 125 for ours).
import { parentPort, workerData } from 'node:worker_threads';
import { CASES, type Message } from './messages.js';
import { baselineParser, PARSERS, type ParserName, type ReadMessages } from './parsers.js';

/** Which messages to read, and how many times. */
export interface ReadOrder {
  readonly caseName: string;
  readonly count: number;
}

/** Which parser: one of the names, or the one of a checkout. */
export type ParserChoice = ParserName | { readonly root: string };

const choice = workerData as ParserChoice;
const parser = typeof choice === 'string' ? PARSERS[choice]() : await baselineParser(choice.root);

parentPort!.on('message', ({ caseName, count }: ReadOrder) => {
  parentPort!.postMessage(readAll(parser, CASES.get(caseName)!, count));
});

const NS_PER_US = 1000;

/**
 * Nanoseconds of processor time for each message; checks that all of each was found. The process's time, since the other
 * threads wait meanwhile; and not the time on the clock, of which others on the machine take their part.
 */
function readAll({ name, read, tally }: ReadMessages, messages: readonly Message[], count: number): number {
  const before = { ...tally };
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < count; index++) read(messages[index % messages.length]!.bytes);
  const { user, system } = process.cpuUsage(cpuBefore);
  const { fieldCount, bodyBytes } = messages[0]!;
  const isRight =
    tally.messages - before.messages === count &&
    tally.fields - before.fields === count * fieldCount &&
    tally.bodyBytes - before.bodyBytes === count * bodyBytes;
  if (!isRight) throw new Error(`${name} found other things than there are`);
  return ((user + system) * NS_PER_US) / count;
}
