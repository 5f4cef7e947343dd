// settings.ts: environment and flags -> one typed, checked object.
//
// Every setting is an environment variable in upper case and a flag of the same name in kebab-case; the flag wins. The
// table SETTINGS is the only list of them: parsing, defaults and help texts come from it.

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogLevel } from './log.js';

export const DURABILITIES = ['commit', 'periodic'] as const;
export const HANDOFFS = ['auto', 'native', 'ipc'] as const;

/** `commit`: on disk before the answer; `periodic`: each flush interval. */
export type Durability = (typeof DURABILITIES)[number];
/** How a socket gets to its thread: see src/pool/handoff.ts. */
export type HandoffChoice = (typeof HANDOFFS)[number];

export interface Settings {
  readonly host: string;
  readonly frontendPort: number;
  readonly catalogPort: number;
  readonly orderPort: number;
  /** host:port */
  readonly catalogAddress: string;
  /** host:port */
  readonly orderAddress: string;
  readonly dataDir: string;
  readonly seedCsv: string;
  readonly threads: number;
  readonly maxThreads: number;
  readonly sessionsPerThread: number;
  readonly queueMax: number;
  readonly idleTimeoutMs: number;
  readonly durability: Durability;
  readonly flushIntervalMs: number;
  readonly logLevel: LogLevel;
  readonly handoff: HandoffChoice;
}

/** A setting or flag that cannot be used; its message is one line that says what to do. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const PORT_MAX = 65_535;
const THREADS_MAX = 1024;
const SESSIONS_MAX = 1_000_000;
const WAITING_MAX = 1_000_000;
const INTERVAL_MS_MAX = 3_600_000;
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** One row of the table. */
interface Setting<T> {
  readonly env: string;
  /** What the help shows in place of a value. */
  readonly placeholder: string;
  readonly help: string;
  readonly defaultText: string;
  /** The value when none is given; may look at the settings above it in the table. */
  fallback(known: Partial<Mutable<Settings>>): T;
  /** The typed value of a text, or what it should have been. */
  parse(text: string): T | Expected;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Expected {
  constructor(readonly what: string) {}
}

const SETTINGS: { [K in keyof Settings]: Setting<Settings[K]> } = {
  host: { ...host('HOST', 'address that a service listens on'), ...byDefault('127.0.0.1') },
  frontendPort: { ...wholeNumber('FRONTEND_PORT', 0, PORT_MAX, 'port of the front end'), ...byDefault(5000) },
  catalogPort: { ...wholeNumber('CATALOG_PORT', 0, PORT_MAX, 'port of the catalog'), ...byDefault(5001) },
  orderPort: { ...wholeNumber('ORDER_PORT', 0, PORT_MAX, 'port of the order service'), ...byDefault(5002) },
  catalogAddress: {
    ...address('CATALOG_ADDRESS', 'where the others find the catalog'),
    defaultText: '127.0.0.1:5001',
    fallback: ({ host = '', catalogPort = 0 }) => formatAddress(reachableHost(host), catalogPort),
  },
  orderAddress: {
    ...address('ORDER_ADDRESS', 'where the front end finds the order service'),
    defaultText: '127.0.0.1:5002',
    fallback: ({ host = '', orderPort = 0 }) => formatAddress(reachableHost(host), orderPort),
  },
  dataDir: {
    ...path('DATA_DIR', 'directory of catalog/ and order/'),
    defaultText: './var',
    fallback: () => resolve('var'),
  },
  seedCsv: {
    ...path('SEED_CSV', 'copied to an empty data directory on first start'),
    defaultText: 'the toys.csv of the repository',
    fallback: () => resolve(REPOSITORY, 'toys.csv'),
  },
  threads: {
    ...wholeNumber('THREADS', 0, THREADS_MAX, 'threads that are always there; 0: all on the main thread'),
    defaultText: 'number of cores',
    fallback: () => availableParallelism(),
  },
  maxThreads: {
    ...wholeNumber('MAX_THREADS', 0, THREADS_MAX, 'the pool may grow to this many threads'),
    defaultText: 'THREADS',
    fallback: ({ threads = 0 }) => threads,
  },
  sessionsPerThread: {
    ...wholeNumber('SESSIONS_PER_THREAD', 1, SESSIONS_MAX, 'HTTP connections one thread serves at a time'),
    ...byDefault(1024),
  },
  queueMax: {
    ...wholeNumber('QUEUE_MAX', 0, WAITING_MAX, 'HTTP connections that may wait for a thread; past it: 503'),
    ...byDefault(1024),
  },
  idleTimeoutMs: {
    ...wholeNumber(
      'IDLE_TIMEOUT_MS',
      1,
      INTERVAL_MS_MAX,
      'an idle HTTP connection gives way after this to one that waits',
    ),
    ...byDefault(5000),
  },
  durability: {
    ...oneOf('DURABILITY', DURABILITIES, 'commit: on disk before the answer; periodic: each FLUSH_INTERVAL_MS'),
    ...byDefault('commit'),
  },
  flushIntervalMs: {
    ...wholeNumber('FLUSH_INTERVAL_MS', 1, INTERVAL_MS_MAX, 'milliseconds between syncs with DURABILITY=periodic'),
    ...byDefault(100),
  },
  logLevel: { ...oneOf('LOG_LEVEL', LOG_LEVELS, 'least level of the JSON lines on stderr'), ...byDefault('info') },
  handoff: {
    ...oneOf('HANDOFF', HANDOFFS, 'how sockets get to threads; auto: native where the runtime has it, else ipc'),
    ...byDefault('auto'),
  },
};

const NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

/**
 * The settings from flags and environment.
 *
 * @param argv flags, as `--frontend-port 5000` or `--frontend-port=5000`
 * @param env the environment; an empty variable counts as not set
 * @throws UsageError for an unknown flag, a stray argument or a value that does not fit
 */
export function parseSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const flags = parseFlags(argv);
  const known: Partial<Mutable<Settings>> = {};
  const settle = <K extends keyof Settings>(name: K): void => {
    const setting: Setting<Settings[K]> = SETTINGS[name];
    const flag = flagOf(setting.env);
    const value = flags[flag] ?? (env[setting.env] || undefined);
    const parsed = value === undefined ? setting.fallback(known) : setting.parse(value);
    if (parsed instanceof Expected) {
      const source = flags[flag] === undefined ? setting.env : `--${flag}`;
      throw new UsageError(`${source} is ${JSON.stringify(value)}: it must be ${parsed.what}`);
    }
    known[name] = parsed;
  };
  for (const name of NAMES) settle(name);

  const settings = known as Settings;
  const { threads, maxThreads } = settings;
  if (maxThreads < threads) {
    throw new UsageError(`MAX_THREADS is ${maxThreads}, less than THREADS (${threads}): raise it or leave it out`);
  }
  return settings;
}

/** The environment that gives another process the same settings. */
export function settingsEnvironment(settings: Settings): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [SETTINGS[name].env, String(settings[name])]));
}

/** The lines of a help text that describe every setting. */
export function settingsHelp(): string {
  const rows = NAMES.map((name) => {
    const setting = SETTINGS[name];
    return { flag: `--${flagOf(setting.env)} ${setting.placeholder}`, setting };
  });
  const width = Math.max(...rows.map((row) => row.flag.length));
  return rows
    .map(({ flag, setting }) => `  ${flag.padEnd(width)}  ${setting.help} (${setting.env}; ${setting.defaultText})`)
    .join('\n');
}

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a service that listens on `host` is found from this machine: a wildcard address means loopback. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function parseFlags(argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(NAMES.map((name) => [flagOf(SETTINGS[name].env), { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw flagError(error);
  }
}

/** The one line for a flag that node:util's parseArgs refused. */
export function flagError(error: unknown): UsageError {
  const message = error instanceof Error ? (error.message.split(/\. (?=[A-Z])/)[0] ?? '') : String(error);
  return new UsageError(`${message.replace(/\.$/, '')}: see --help for the flags`);
}

function flagOf(env: string): string {
  return env.toLowerCase().replaceAll('_', '-');
}

type Parsing<T> = Pick<Setting<T>, 'env' | 'placeholder' | 'help' | 'parse'>;

function byDefault<T extends string | number>(value: T): Pick<Setting<T>, 'defaultText' | 'fallback'> {
  return { defaultText: String(value), fallback: () => value };
}

function host(env: string, help: string): Parsing<string> {
  const expected = new Expected('an address or a host name, without brackets');
  return { env, placeholder: 'HOST', help, parse: (value) => (/^[^\s[\]/]+$/.test(value) ? value : expected) };
}

function path(env: string, help: string): Parsing<string> {
  const parse = (value: string): string | Expected => (value === '' ? new Expected('a path') : resolve(value));
  return { env, placeholder: 'PATH', help, parse };
}

function wholeNumber(env: string, min: number, max: number, help: string): Parsing<number> {
  const expected = new Expected(`a whole number from ${min} to ${max}`);
  const parse = (value: string): number | Expected => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : expected;
  };
  return { env, placeholder: 'N', help, parse };
}

function oneOf<const T extends string>(env: string, values: readonly T[], help: string): Parsing<T> {
  const expected = new Expected(`one of ${values.join(', ')}`);
  return { env, placeholder: 'WORD', help, parse: (value) => values.find((one) => one === value) ?? expected };
}

function address(env: string, help: string): Parsing<string> {
  const expected = new Expected('host:port, such as 127.0.0.1:5001');
  const parse = (value: string): string | Expected => {
    const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(value)?.[1];
    return port !== undefined && Number(port) <= PORT_MAX ? value : expected;
  };
  return { env, placeholder: 'HOST:PORT', help, parse };
}
