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
const QUEUE_MAX_MAX = 1_000_000;
const INTERVAL_MS_MAX = 3_600_000;
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

interface Setting<T> {
  readonly env: string;
  readonly value: string;
  readonly help: string;
  /** Shown in the help where the default is not a plain text. */
  readonly defaultText: string;
  /** The typed value of a text, or a description of what it should have been. */
  parse(text: string): T | Expected;
}

class Expected {
  constructor(readonly what: string) {}
}

const cores = availableParallelism();

const SETTINGS = {
  host: text('HOST', '127.0.0.1', 'address that a service listens on'),
  frontendPort: wholeNumber('FRONTEND_PORT', '5000', 0, PORT_MAX, 'port of the front end'),
  catalogPort: wholeNumber('CATALOG_PORT', '5001', 0, PORT_MAX, 'port of the catalog'),
  orderPort: wholeNumber('ORDER_PORT', '5002', 0, PORT_MAX, 'port of the order service'),
  catalogAddress: address('CATALOG_ADDRESS', '127.0.0.1:5001', 'where the others find the catalog'),
  orderAddress: address('ORDER_ADDRESS', '127.0.0.1:5002', 'where the front end finds the order service'),
  dataDir: path('DATA_DIR', './var', 'directory of catalog/ and order/'),
  seedCsv: path('SEED_CSV', 'toys.csv of the repository', 'copied to an empty data directory on first start'),
  threads: wholeNumber(
    'THREADS',
    'number of cores',
    0,
    THREADS_MAX,
    'threads that are always there; 0: sessions run on the main thread, for profilers',
  ),
  maxThreads: wholeNumber('MAX_THREADS', 'THREADS', 0, THREADS_MAX, 'the pool may grow to this many threads'),
  sessionsPerThread: wholeNumber(
    'SESSIONS_PER_THREAD',
    '1024',
    1,
    SESSIONS_MAX,
    'HTTP connections that one thread serves at a time; 1: strict thread-per-connection',
  ),
  queueMax: wholeNumber(
    'QUEUE_MAX',
    '1024',
    0,
    QUEUE_MAX_MAX,
    'HTTP connections that may wait for a thread; past it they get 503',
  ),
  idleTimeoutMs: wholeNumber(
    'IDLE_TIMEOUT_MS',
    '5000',
    1,
    INTERVAL_MS_MAX,
    'an HTTP connection idle for longer gives its place up while others wait',
  ),
  durability: oneOf(
    'DURABILITY',
    'commit',
    DURABILITIES,
    'commit: on disk before the answer; periodic: each FLUSH_INTERVAL_MS',
  ),
  flushIntervalMs: wholeNumber(
    'FLUSH_INTERVAL_MS',
    '100',
    1,
    INTERVAL_MS_MAX,
    'milliseconds between syncs with DURABILITY=periodic',
  ),
  logLevel: oneOf('LOG_LEVEL', 'info', LOG_LEVELS, 'least level of the JSON lines on stderr'),
  handoff: oneOf(
    'HANDOFF',
    'auto',
    HANDOFFS,
    'how sockets get to threads; auto: native where the runtime has it, else ipc',
  ),
} satisfies { [K in keyof Settings]: Setting<Settings[K]> };

type SettingName = keyof Settings;
const NAMES = Object.keys(SETTINGS) as SettingName[];

/**
 * The settings from flags and environment.
 *
 * @param argv flags, as `--frontend-port 5000` or `--frontend-port=5000`
 * @param env the environment; an empty variable counts as not set
 * @throws UsageError for an unknown flag, a stray argument or a value that does not fit
 */
export function parseSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const flags = parseFlags(argv);
  const given = <K extends SettingName>(name: K): Settings[K] | undefined => {
    const setting = SETTINGS[name] as unknown as Setting<Settings[K]>;
    const flag = flags[flagOf(setting.env)];
    const [source, value] = flag === undefined ? [setting.env, env[setting.env]] : [`--${flagOf(setting.env)}`, flag];
    if (value === undefined || (value === '' && flag === undefined)) return undefined;
    const parsed = setting.parse(value);
    if (parsed instanceof Expected) {
      throw new UsageError(`${source} is ${JSON.stringify(value)}: it must be ${parsed.what}`);
    }
    return parsed;
  };

  const host = given('host') ?? '127.0.0.1';
  const catalogPort = given('catalogPort') ?? 5001;
  const orderPort = given('orderPort') ?? 5002;
  const threads = given('threads') ?? cores;
  const settings: Settings = {
    host,
    frontendPort: given('frontendPort') ?? 5000,
    catalogPort,
    orderPort,
    catalogAddress: given('catalogAddress') ?? formatAddress(reachableHost(host), catalogPort),
    orderAddress: given('orderAddress') ?? formatAddress(reachableHost(host), orderPort),
    dataDir: given('dataDir') ?? resolve('var'),
    seedCsv: given('seedCsv') ?? resolve(REPOSITORY, 'toys.csv'),
    threads,
    maxThreads: given('maxThreads') ?? threads,
    sessionsPerThread: given('sessionsPerThread') ?? 1024,
    queueMax: given('queueMax') ?? 1024,
    idleTimeoutMs: given('idleTimeoutMs') ?? 5000,
    durability: given('durability') ?? 'commit',
    flushIntervalMs: given('flushIntervalMs') ?? 100,
    logLevel: given('logLevel') ?? 'info',
    handoff: given('handoff') ?? 'auto',
  };
  if (settings.maxThreads < settings.threads) {
    throw new UsageError(
      `MAX_THREADS is ${settings.maxThreads}, less than THREADS (${settings.threads}): raise it or leave it out`,
    );
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
    return { flag: `--${flagOf(setting.env)} ${setting.value}`, setting };
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
  return new UsageError(`${message}: see --help for the flags`, { cause: error });
}

function flagOf(env: string): string {
  return env.toLowerCase().replaceAll('_', '-');
}

function text(env: string, defaultText: string, help: string): Setting<string> {
  return {
    env,
    value: 'TEXT',
    help,
    defaultText,
    parse: (value) => (value === '' ? new Expected('not empty') : value),
  };
}

function path(env: string, defaultText: string, help: string): Setting<string> {
  return {
    env,
    value: 'PATH',
    help,
    defaultText,
    parse: (value) => (value === '' ? new Expected('a path') : resolve(value)),
  };
}

function wholeNumber(env: string, defaultText: string, min: number, max: number, help: string): Setting<number> {
  const expected = new Expected(`a whole number from ${min} to ${max}`);
  return {
    env,
    value: 'N',
    help,
    defaultText,
    parse(value) {
      const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
      return number >= min && number <= max ? number : expected;
    },
  };
}

function oneOf<const T extends string>(
  env: string,
  defaultText: string,
  values: readonly T[],
  help: string,
): Setting<T> {
  return {
    env,
    value: 'WORD',
    help,
    defaultText,
    parse: (value) => values.find((one) => one === value) ?? new Expected(`one of ${values.join(', ')}`),
  };
}

function address(env: string, defaultText: string, help: string): Setting<string> {
  return {
    env,
    value: 'HOST:PORT',
    help,
    defaultText,
    parse(value) {
      const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(value)?.[1];
      return port !== undefined && Number(port) <= PORT_MAX ? value : new Expected('host:port, such as 127.0.0.1:5001');
    },
  };
}
