// bench-options.ts: the command line of `npm run bench`, typed and checked.

import { parseArgs } from 'node:util';
import { SCENARIOS, type ScenarioName } from '../help.js';

/** What to measure and how. Lists that are undefined leave the choice to the scenario. */
export interface BenchOptions {
  readonly scenarios: readonly ScenarioName[];
  /** No scenario was named: all of them share five minutes. Named ones take the time that steady figures need. */
  readonly isOverview: boolean;
  readonly quick: boolean;
  readonly clients: readonly number[] | undefined;
  readonly probabilities: readonly number[] | undefined;
  readonly rates: readonly number[] | undefined;
  readonly connections: readonly number[] | undefined;
  readonly rounds: number | undefined;
  readonly minutes: number | undefined;
  /** THREADS of the stores that are started. */
  readonly threads: number | undefined;
  /** A store that is already running. */
  readonly url: { readonly host: string; readonly port: number } | undefined;
  readonly out: string | undefined;
}

/** A command line that cannot be used; one line that says what to do. */
export class BenchUsageError extends Error {
  override readonly name = 'BenchUsageError';
}

const CLIENTS_MAX = 20_000;
const RATE_MAX = 10_000_000;
const ROUNDS_MAX = 1000;
const MINUTES_MAX = 7 * 24 * 60;
const THREADS_MAX = 1024;
const HTTP_PORT = 80;

const FLAGS = {
  quick: { type: 'boolean' },
  clients: { type: 'string' },
  p: { type: 'string' },
  rates: { type: 'string' },
  connections: { type: 'string' },
  rounds: { type: 'string' },
  minutes: { type: 'string' },
  threads: { type: 'string' },
  url: { type: 'string' },
  out: { type: 'string' },
} as const;

/** @throws BenchUsageError */
export function parseBenchOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseWords(argv);
  const chosen = positionals.map((word) => {
    if (!Object.hasOwn(SCENARIOS, word)) {
      throw new BenchUsageError(
        `unknown scenario ${JSON.stringify(word)}: it must be one of ${Object.keys(SCENARIOS).join(', ')}`,
      );
    }
    return word as ScenarioName;
  });
  const byDefault = (Object.keys(SCENARIOS) as ScenarioName[]).filter((name) => SCENARIOS[name].inDefaultRun);
  return {
    scenarios: chosen.length === 0 ? byDefault : [...new Set(chosen)],
    isOverview: chosen.length === 0,
    quick: values.quick ?? false,
    clients: list('clients', values.clients, wholeNumber(1, CLIENTS_MAX)),
    probabilities: list('p', values.p, { expected: 'numbers from 0 to 1', accepts: (n) => n >= 0 && n <= 1 }),
    rates: list('rates', values.rates, wholeNumber(1, RATE_MAX)),
    connections: list('connections', values.connections, wholeNumber(1, CLIENTS_MAX)),
    rounds: one('rounds', values.rounds, wholeNumber(1, ROUNDS_MAX)),
    minutes: one('minutes', values.minutes, {
      expected: 'a number of minutes',
      accepts: (n) => n > 0 && n <= MINUTES_MAX,
    }),
    threads: one('threads', values.threads, wholeNumber(0, THREADS_MAX)),
    url: parseUrl(values.url),
    out: values.out,
  };
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
  throw new BenchUsageError(`--${flag} is ${JSON.stringify(text)}: it must be ${expected}, separated by commas`);
}

function one(flag: string, text: string | undefined, { expected, accepts }: Numbers): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (accepts(value)) return value;
  throw new BenchUsageError(`--${flag} is ${JSON.stringify(text)}: it must be one of ${expected}`);
}

function parseUrl(text: string | undefined): BenchOptions['url'] {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'http:' || url.pathname !== '/' || url.search !== '') {
    throw new BenchUsageError(`--url is ${JSON.stringify(text)}: it must be http://host:port without a path`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? HTTP_PORT : Number(url.port) };
}

function parseWords(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. (?=[A-Z])/)[0] ?? '') : String(error);
    throw new BenchUsageError(`${message}: see --help for the options`, { cause: error });
  }
}
