// client-settings.ts: flags and environment of the load client -> one typed, checked object.
//
// As with the services, a flag is also a setting: `--requests 50` and REQUESTS=50 mean the same, and the flag wins. But
// `P`, `URL`, `SEED` and `JSON` stand in many an environment for something else: those four are flags only.

import { type HttpOrigin, parseHttpUrl } from '../address.js';
import { parseFlags, UsageError } from '../flags.js';

/** What the load client is to do, and at which store. */
export interface ClientSettings extends HttpOrigin {
  /** How many clients shop at the same time, each on a connection of its own. */
  readonly clients: number;
  /** Probability, 0 to 1, that an order follows a query that showed stock. */
  readonly p: number;
  /** Queries of each client's session; orders come on top. */
  readonly requests: number;
  /** The names asked for, one drawn at random for each query. */
  readonly toys: readonly string[];
  /** Start of the random sequence: the same seed draws the same toys and the same intentions to buy. */
  readonly seed: number;
  /** Print one JSON object instead of the tables. */
  readonly json: boolean;
}

const CLIENTS_MAX = 100_000;
const REQUESTS_MAX = 1_000_000_000;
const SEED_MAX = 0xffff_ffff;
/** The six toys of the repository's toys.csv: there is no route that lists them. */
const DEFAULT_TOYS = 'Tux,Whale,Elephant,Dolphin,Fox,Python';

/** `isFlagOnly`: the name is a word of everyday use, which an environment may hold for something else. */
const OPTIONS = {
  clients: { type: 'string', fallback: '5', help: 'N   clients, each one connection', isFlagOnly: false },
  p: {
    type: 'string',
    fallback: '0.4',
    help: 'P         probability that an order follows a query that showed stock',
    isFlagOnly: true,
  },
  requests: {
    type: 'string',
    fallback: '1000',
    help: 'N  queries of each client; orders come on top',
    isFlagOnly: false,
  },
  url: { type: 'string', fallback: 'http://127.0.0.1:5000', help: 'URL     the store', isFlagOnly: true },
  toys: { type: 'string', fallback: DEFAULT_TOYS, help: 'A,B,C  names to ask for, with commas', isFlagOnly: false },
  seed: {
    type: 'string',
    fallback: undefined,
    help: 'N      repeats the choices of an earlier run',
    isFlagOnly: true,
  },
  json: {
    type: 'boolean',
    fallback: 'false',
    help: '       print one JSON object, times in milliseconds',
    isFlagOnly: true,
  },
} as const;

type OptionName = keyof typeof OPTIONS;

export function clientHelp(): string {
  const lines = Object.entries(OPTIONS).map(([name, { fallback, help, isFlagOnly }]) => {
    const defaultText = fallback ?? 'drawn, and printed';
    return `  --${name} ${help} (${isFlagOnly ? '' : `${name.toUpperCase()}; `}${defaultText})`;
  });
  return `Usage: npm run client -- [flags]

Loads the store: each client queries random toys on one connection; after a query that showed stock, with probability
P an order for that toy follows on the same connection. Checks every answer. Ctrl-C prints what was measured so far.

Flags (environment, where there is one; default):
${lines.join('\n')}

Exit code: 0 done, 1 the store could not be reached or an answer was not what it should be, 2 wrong usage, 130 ended by
Ctrl-C.`;
}

/**
 * @param argv flags, as `--clients 5` or `--clients=5`
 * @param env the environment; an empty variable counts as not set
 * @throws UsageError for an unknown flag, a stray argument or a value that does not fit
 */
export function parseClientSettings(argv: readonly string[], env: NodeJS.ProcessEnv): ClientSettings {
  const flags = parseFlags(argv, OPTIONS, env);
  const read = <T>(name: OptionName, expected: string, parse: (text: string) => T | undefined): T => {
    const flag = flags[name] === undefined ? undefined : String(flags[name]);
    const variable = OPTIONS[name].isFlagOnly ? undefined : env[name.toUpperCase()];
    const text = flag ?? (variable || OPTIONS[name].fallback);
    const value = text === undefined ? undefined : parse(text);
    if (value !== undefined) return value;
    const source = flag === undefined ? name.toUpperCase() : `--${name}`;
    throw new UsageError(`${source} is ${JSON.stringify(text)}: it must be ${expected}`);
  };
  return {
    clients: read('clients', `a whole number from 1 to ${CLIENTS_MAX}`, (text) => wholeNumber(text, 1, CLIENTS_MAX)),
    p: read('p', 'a number from 0 to 1', probability),
    requests: read('requests', `a whole number from 1 to ${REQUESTS_MAX}`, (text) =>
      wholeNumber(text, 1, REQUESTS_MAX),
    ),
    ...read('url', 'http://host:port or https://host:port without a path', parseHttpUrl),
    toys: read('toys', 'names separated by commas', parseToys),
    seed:
      flags.seed === undefined
        ? Math.floor(Math.random() * SEED_MAX)
        : read('seed', `a whole number from 0 to ${SEED_MAX}`, (text) => wholeNumber(text, 0, SEED_MAX)),
    json: flags.json ?? false,
  };
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function probability(text: string): number | undefined {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  return value <= 1 ? value : undefined;
}

function parseToys(text: string): string[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  return names.includes('') ? undefined : names;
}
