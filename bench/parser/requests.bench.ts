// requests.bench.ts: what does it take to read a request, its method, its target and all its headers?
//
// Beside Node's own parser, and with --baseline that of another commit. The last case has headers that change with every
// request, so that what our parser remembers of earlier ones is of no use to it.

import type { Bar } from '../figures.js';
import { measureRounds } from '../rounds.js';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.js';
import { CASES, CHANGING, type Message, SMALL_GET } from './messages.js';
import { baselineParser, nodeParser, ourParser, type Parser } from './parsers.js';

const MESSAGES_PER_ROUND = 100_000;
const ROUNDS = 15;
const WARMUPS = 3;
const NS_PER_US = 1000;
/** Five times as fast as Node's parser on the request that a store gets most, faster than it on all. */
const SMALL_GET_BAR = { atMost: 0.2 };
const FASTER_BAR = { atMost: 1 };
/** Of the time that another commit's parser takes: at least 0.95 of its speed. */
const OTHER_COMMIT_BAR = { atMost: 1 / 0.95 };

export const parser: Scenario = async (context) => {
  const [node, ours] = [nodeParser(), ourParser()];
  const root = context.options.baseline;
  const other = root === undefined ? undefined : await baselineParser(root);
  for (const [name, messages] of CASES) {
    const bar = name === SMALL_GET ? SMALL_GET_BAR : FASTER_BAR;
    await compare(name, messages, [node, ours], name === CHANGING ? undefined : bar, context);
    if (other === undefined) continue;
    await compare(`${name}, beside another commit`, messages, [other, ours], OTHER_COMMIT_BAR, context);
  }
};

/** @param bar for the second of the parsers, beside the first */
async function compare(
  title: string,
  messages: readonly Message[],
  [baseline, ours]: readonly [Parser, Parser],
  bar: Bar | undefined,
  context: ScenarioContext,
): Promise<void> {
  const bars = bar === undefined ? {} : { [ours.name]: bar };
  const quantities = [{ case: title, unit: 'ns', better: 'lower', bars }] as const;
  const subjects = [baseline, ours].map((one) => ({ name: one.name, measure: () => nsPerMessage(one, messages) }));
  await measureRounds({ quantities, subjects, baseline: baseline.name, rounds: ROUNDS, warmups: WARMUPS }, context);
}

/**
 * Nanoseconds of processor time for each message; checks that all of each was found. Not the time on the clock, of which
 * others on the machine take their part.
 */
function nsPerMessage({ name, read, tally }: Parser, messages: readonly Message[]): number {
  const before = { ...tally };
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < MESSAGES_PER_ROUND; index++) read(messages[index % messages.length]!.bytes);
  const { user, system } = process.cpuUsage(cpuBefore);
  const { fieldCount, bodyBytes } = messages[0]!;
  const isRight =
    tally.messages - before.messages === MESSAGES_PER_ROUND &&
    tally.fields - before.fields === MESSAGES_PER_ROUND * fieldCount &&
    tally.bodyBytes - before.bodyBytes === MESSAGES_PER_ROUND * bodyBytes;
  if (!isRight) throw new Error(`${name} found other things than there are`);
  return ((user + system) * NS_PER_US) / MESSAGES_PER_ROUND;
}
