// profile-options.ts: the command line of `npm run profile`, typed and checked.

import { UsageError } from '../../src/flags.js';
import { one, PROBABILITY, parseWords } from '../run/bench-options.js';

export const PROFILE_TOOLS = ['threads', 'doctor', 'flame', 'heapprofiler'] as const;
export const SERVICES = ['catalog', 'order', 'frontend'] as const;

export type ServiceName = (typeof SERVICES)[number];

/** What to profile, and under which load. */
export interface ProfileOptions {
  readonly tool: (typeof PROFILE_TOOLS)[number];
  /** The service that clinic watches; `threads` sees all three. */
  readonly service: ServiceName;
  readonly seconds: number;
  readonly clients: number;
  readonly p: number;
  readonly out: string | undefined;
}

const NO_BUBBLEPROF =
  'bubbleprof hangs on current versions of Node: `threads` shows where the time goes, /metrics where requests wait';

const TEXT = { type: 'string' } as const;
const FLAGS = { service: TEXT, seconds: TEXT, clients: TEXT, p: TEXT, out: TEXT } as const;
const SECONDS = { kind: 'whole number', min: 1, max: 600 } as const;
const CLIENTS = { kind: 'whole number', min: 1, max: 10_000 } as const;

/** @throws UsageError */
export function parseProfileOptions(argv: readonly string[]): ProfileOptions {
  const { values, positionals } = parseWords(argv, FLAGS);
  const [tool, ...more] = positionals;
  if (tool === undefined || more.length > 0) {
    throw new UsageError(`profile takes one tool: ${PROFILE_TOOLS.join(', ')}; see --help`);
  }
  if (tool === 'bubbleprof') throw new UsageError(NO_BUBBLEPROF);
  return {
    tool: oneOf('the tool', tool, PROFILE_TOOLS),
    service: oneOf('--service', values.service ?? 'frontend', SERVICES),
    seconds: one('seconds', values.seconds, SECONDS) ?? 10,
    clients: one('clients', values.clients, CLIENTS) ?? 32,
    p: one('p', values.p, PROBABILITY) ?? 0.4,
    out: values.out,
  };
}

function oneOf<const T extends string>(what: string, word: string, words: readonly T[]): T {
  const found = words.find((one) => one === word);
  if (found !== undefined) return found;
  throw new UsageError(`${what} is ${JSON.stringify(word)}: it must be one of ${words.join(', ')}`);
}
