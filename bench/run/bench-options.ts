// bench-options.ts: the command line of `npm run bench`, typed and checked. It needs none of bench's own packages, so that
// the launcher can refuse a line before it installs them.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { flagOf, UsageError } from '../../src/flags.js';
import { parseSettings } from '../../src/settings.js';
import { SCENARIOS, type ScenarioName } from '../help.js';

/** What to measure and how. Lists that are undefined leave the choice to the scenario. */
export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  /** Asked for, or no scenario was named: short rounds, the main cases. Otherwise as long as steady figures need. */
  readonly quick: boolean;
  readonly clients: readonly number[] | undefined;
  readonly probabilities: readonly number[] | undefined;
  readonly rates: readonly number[] | undefined;
  readonly connections: readonly number[] | undefined;
  readonly rounds: number | undefined;
  /** Of the stores that are started, by the names they have in the environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** A store that is already running. */
  readonly url: { readonly host: string; readonly port: number } | undefined;
  /** A built checkout of another commit, to measure beside this one. */
  readonly baseline: string | undefined;
  readonly out: string | undefined;
}

const CLIENTS_MAX = 20_000;
const RATE_MAX = 10_000_000;
const ROUNDS_MAX = 1000;
const THREADS_MAX = 1024;
const HTTP_PORT = 80;
/** Of an order after a query. */
export const PROBABILITY: Numbers = { kind: 'number', min: 0, max: 1 };

/** A quick run has a third of the rounds, and a quarter of the time or work in each. */
const QUICK_ROUNDS = 1 / 3;
const QUICK_AMOUNT = 1 / 4;

const FLAGS = {
  quick: { type: 'boolean' },
  clients: { type: 'string' },
  p: { type: 'string' },
  rates: { type: 'string' },
  connections: { type: 'string' },
  rounds: { type: 'string' },
  threads: { type: 'string' },
  set: { type: 'string', multiple: true },
  url: { type: 'string' },
  baseline: { type: 'string' },
  out: { type: 'string' },
} as const;

/** @throws UsageError */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseWords(argv, FLAGS);
  const chosen = positionals.map((word) => {
    if (!Object.hasOwn(SCENARIOS, word)) {
      throw new UsageError(
        `unknown scenario ${JSON.stringify(word)}: it must be one of ${Object.keys(SCENARIOS).join(', ')}`,
      );
    }
    return word as ScenarioName;
  });
  if (chosen.includes('baseline') && values.baseline === undefined) {
    throw new UsageError('the scenario baseline needs --baseline DIR, a built checkout of another commit');
  }
  const byDefault = (Object.keys(SCENARIOS) as ScenarioName[]).filter((name) => SCENARIOS[name].inDefaultRun);
  return {
    scenarios: chosen.length === 0 ? byDefault : [...new Set(chosen)],
    quick: values.quick ?? chosen.length === 0,
    clients: list('clients', values.clients, wholeNumber(1, CLIENTS_MAX)),
    probabilities: list('p', values.p, PROBABILITY),
    rates: list('rates', values.rates, wholeNumber(1, RATE_MAX)),
    connections: list('connections', values.connections, wholeNumber(1, CLIENTS_MAX)),
    rounds: one('rounds', values.rounds, wholeNumber(1, ROUNDS_MAX)),
    settings: parseStoreSettings(one('threads', values.threads, wholeNumber(0, THREADS_MAX)), values.set ?? []),
    url: parseUrl(values.url),
    baseline: parseBaseline(values.baseline),
    out: values.out,
  };
}

/** @param long how many rounds give steady figures */
export function roundsOf({ quick, rounds }: BenchOptions, long: number): number {
  return rounds ?? (quick ? Math.ceil(long * QUICK_ROUNDS) : long);
}

/** @param long how much time or work in a round gives steady figures */
export function amountOf({ quick }: BenchOptions, long: number): number {
  return quick ? long * QUICK_AMOUNT : long;
}

/** What parseArgs makes of the words, or the one line that says what is wrong with them. */
export function parseWords<const F extends Record<string, { type: 'string' | 'boolean'; multiple?: boolean }>>(
  argv: readonly string[],
  flags: F,
) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. (?=[A-Z])/)[0] ?? '') : String(error);
    throw new UsageError(`${message}: see --help for the options`);
  }
}

/** Checked as the store would check them, so that no store is started that refuses them. */
function parseStoreSettings(threads: number | undefined, words: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = threads === undefined ? {} : { THREADS: String(threads) };
  for (const word of words) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.+)$/.exec(word) ?? [];
    if (name === undefined || value === undefined) {
      throw new UsageError(`--set is ${JSON.stringify(word)}: it must be NAME=VALUE, such as DURABILITY=periodic`);
    }
    settings[name] = value;
  }
  // Those of OpenTelemetry are no flags of ours.
  const own = Object.entries(settings).filter(([name]) => !name.startsWith('OTEL_'));
  const flags = own.map(([name, value]) => `--${flagOf(name)}=${value}`);
  try {
    parseSettings(flags, {});
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--set: ${error.message}`);
  }
  return settings;
}

interface Numbers {
  readonly kind: 'number' | 'whole number';
  readonly min: number;
  readonly max: number;
}

function wholeNumber(min: number, max: number): Numbers {
  return { kind: 'whole number', min, max };
}

/** @throws UsageError */
export function one(flag: string, text: string | undefined, { kind, min, max }: Numbers): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (kind === 'number' || Number.isInteger(value))) return value;
  throw new UsageError(`--${flag} is ${JSON.stringify(text)}: it must be a ${kind} from ${min} to ${max}`);
}

function list(flag: string, text: string | undefined, accepted: Numbers): number[] | undefined {
  try {
    return text?.split(',').map((word) => one(flag, word, accepted)!);
  } catch {
    const { kind, min, max } = accepted;
    const numbers = `${kind}s from ${min} to ${max}, separated by commas`;
    throw new UsageError(`--${flag} is ${JSON.stringify(text)}: it must be ${numbers}`);
  }
}

function parseBaseline(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (existsSync(path.join(text, 'dist', 'src', 'cli.js'))) return path.resolve(text);
  throw new UsageError(`--baseline is ${JSON.stringify(text)}: it must be a checkout where \`npm ci\` was run`);
}

function parseUrl(text: string | undefined): BenchOptions['url'] {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'http:' || url.pathname !== '/' || url.search !== '') {
    throw new UsageError(`--url is ${JSON.stringify(text)}: it must be http://host:port without a path`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? HTTP_PORT : Number(url.port) };
}
