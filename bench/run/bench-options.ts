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
    probabilities: list('p', values.p, { expected: 'numbers from 0 to 1', accepts: (n) => n >= 0 && n <= 1 }),
    rates: list('rates', values.rates, wholeNumber(1, RATE_MAX)),
    connections: list('connections', values.connections, wholeNumber(1, CLIENTS_MAX)),
    rounds: one('rounds', values.rounds, wholeNumber(1, ROUNDS_MAX)),
    settings: parseStoreSettings(one('threads', values.threads, wholeNumber(0, THREADS_MAX)), values.set ?? []),
    url: parseUrl(values.url),
    baseline: parseBaseline(values.baseline),
    out: values.out,
  };
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
  readonly expected: string;
  accepts(value: number): boolean;
}

function wholeNumber(min: number, max: number): Numbers {
  const accepts = (value: number): boolean => Number.isInteger(value) && value >= min && value <= max;
  return { expected: `whole numbers from ${min} to ${max}`, accepts };
}

function list(flag: string, text: string | undefined, { expected, accepts }: Numbers): number[] | undefined {
  if (text === undefined) return undefined;
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.every(accepts)) return values;
  throw new UsageError(`--${flag} is ${JSON.stringify(text)}: it must be ${expected}, separated by commas`);
}

function one(flag: string, text: string | undefined, { expected, accepts }: Numbers): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (accepts(value)) return value;
  throw new UsageError(`--${flag} is ${JSON.stringify(text)}: it must be one of ${expected}`);
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
