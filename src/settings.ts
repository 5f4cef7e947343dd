// settings.ts: environment and flags -> one typed, checked object.
//
// Every setting is an environment variable in upper case and a flag of the same name in kebab-case; the flag wins. The
// table SETTINGS is the only list of them: parsing, defaults, help texts and docs/settings.md come from it.

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatAddress, PORT_MAX, reachableHost } from './address.js';
import { flagOf, parseFlags, UsageError } from './flags.js';
import { LOG_LEVELS, type LogLevel } from './log.js';
import {
  type AddressList,
  addresses,
  databaseUrl,
  Expected,
  host,
  oneOf,
  path,
  type SettingKind,
  wholeNumber,
} from './setting-kinds.js';

export const SERVICES = ['catalog', 'order', 'frontend'] as const;
export const DURABILITIES = ['commit', 'periodic'] as const;
const HANDOFFS = ['auto', 'native', 'ipc'] as const;

export type ServiceName = (typeof SERVICES)[number];
/** `commit`: on disk before the answer; `periodic`: each flush interval. */
export type Durability = (typeof DURABILITIES)[number];
/** How a socket gets to its thread: see src/pool/handoff.ts. */
export type HandoffChoice = (typeof HANDOFFS)[number];

export interface Settings {
  readonly host: string;
  readonly frontendPort: number;
  readonly catalogPort: number;
  readonly orderPort: number;
  /** host:port of each catalog; one of them serves. */
  readonly catalogAddresses: AddressList;
  /** host:port of each order service; one of them serves. */
  readonly orderAddresses: AddressList;
  readonly dataDir: string;
  readonly seedCsv: string;
  /** With a password in it, so never in a log or an error. */
  readonly databaseUrl: string | undefined;
  readonly threads: number;
  readonly maxThreads: number;
  readonly sessionsPerThread: number;
  readonly packedSessions: number;
  readonly queueMax: number;
  readonly idleTimeoutMs: number;
  readonly durability: Durability;
  readonly flushIntervalMs: number;
  readonly cacheToys: number;
  readonly leaseMs: number;
  readonly logLevel: LogLevel;
  readonly handoff: HandoffChoice;
  /** Paths of PEM files: certificate and key of HTTPS; both or neither. */
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Paths of PEM files: mutual TLS among the services; all three or none. */
  readonly grpcTlsCert: string | undefined;
  readonly grpcTlsKey: string | undefined;
  readonly grpcTlsCa: string | undefined;
}

const THREADS_MAX = 1024;
const SESSIONS_MAX = 1_000_000;
const WAITING_MAX = 1_000_000;
/**
 * Customers that one thread is given before another one gets its first. What they ask for travels to the other services in
 * the same messages, and what one was shown is held for all: fewer messages, and no second thread to be woken. So many who
 * each wait for their answers do not keep a thread busy, but for those who are on the same machine.
 */
const PACKED_SESSIONS = 16;
/**
 * The same with so few threads: a second one would take a core from the services behind it, or from the customers, who are
 * mostly on the same machine then. Measured with 32 and 64 customers, docs/decisions/0018-customers-are-packed.md.
 */
const PACKED_SESSIONS_OF_FEW = 64;
const FEW_THREADS = 2;
const INTERVAL_MS_MAX = 3_600_000;
/** Each held toy takes half a kilobyte in a front end: ten million are the memory of a large machine. */
const CACHE_TOYS_MAX = 10_000_000;
/** Renewals go out several times a lease: a shorter one would be lost to one slow collection of garbage. */
const LEASE_MS_MIN = 200;
/** A sale may have to wait for one whole lease: an order is answered within this time. */
const LEASE_MS_MAX = 10_000;
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

interface Setting<T> extends SettingKind<T> {
  readonly defaultText: string;
  /** The services that look at it. */
  readonly of: readonly ServiceName[];
  /** The value when none is given; may look at the settings above it in the table. */
  fallback(known: Partial<Mutable<Settings>>): T;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NOT_SET = { defaultText: 'not set', fallback: () => undefined };
const CATALOG = ['catalog'] as const;
const ORDER = ['order'] as const;
const FRONTEND = ['frontend'] as const;
const BACKENDS = ['catalog', 'order'] as const;

const SETTINGS: { [K in keyof Settings]: Setting<Settings[K]> } = {
  host: { ...host('HOST', 'address that a service listens on'), ...byDefault('127.0.0.1'), of: SERVICES },
  frontendPort: {
    ...wholeNumber('FRONTEND_PORT', 0, PORT_MAX, 'port of the front end'),
    ...byDefault(5000),
    of: FRONTEND,
  },
  catalogPort: { ...wholeNumber('CATALOG_PORT', 0, PORT_MAX, 'port of the catalog'), ...byDefault(5001), of: CATALOG },
  orderPort: { ...wholeNumber('ORDER_PORT', 0, PORT_MAX, 'port of the order service'), ...byDefault(5002), of: ORDER },
  catalogAddresses: {
    ...addresses('CATALOG_ADDRESS', 'where the others find the catalog'),
    of: ['order', 'frontend'],
    defaultText: '127.0.0.1:5001',
    fallback: ({ host = '', catalogPort = 0 }) => [formatAddress(reachableHost(host), catalogPort)],
  },
  orderAddresses: {
    ...addresses('ORDER_ADDRESS', 'where the front end finds the order service'),
    of: FRONTEND,
    defaultText: '127.0.0.1:5002',
    fallback: ({ host = '', orderPort = 0 }) => [formatAddress(reachableHost(host), orderPort)],
  },
  dataDir: {
    ...path('DATA_DIR', 'directory of catalog/ and order/'),
    defaultText: './var',
    fallback: () => resolve('var'),
    of: BACKENDS,
  },
  seedCsv: {
    ...path('SEED_CSV', 'copied to an empty data directory on first start'),
    defaultText: 'the toys.csv of the repository',
    fallback: () => resolve(REPOSITORY, 'toys.csv'),
    of: CATALOG,
  },
  databaseUrl: {
    ...databaseUrl('DATABASE_URL', 'PostgreSQL that keeps catalog and orders, instead of files in DATA_DIR'),
    ...NOT_SET,
    of: BACKENDS,
  },
  threads: {
    ...wholeNumber('THREADS', 0, THREADS_MAX, 'threads that are always there; 0: all on the main thread'),
    defaultText: 'number of cores',
    fallback: () => availableParallelism(),
    of: SERVICES,
  },
  maxThreads: {
    ...wholeNumber('MAX_THREADS', 0, THREADS_MAX, 'the pool may grow to this many threads'),
    defaultText: 'THREADS',
    fallback: ({ threads = 0 }) => threads,
    of: ['order', 'frontend'],
  },
  sessionsPerThread: {
    ...wholeNumber('SESSIONS_PER_THREAD', 1, SESSIONS_MAX, 'HTTP connections one thread serves at a time'),
    ...byDefault(1024),
    of: FRONTEND,
  },
  packedSessions: {
    ...wholeNumber('PACKED_SESSIONS', 1, SESSIONS_MAX, 'HTTP connections a thread gets before another gets its first'),
    defaultText: `${PACKED_SESSIONS}; ${PACKED_SESSIONS_OF_FEW} with at most ${FEW_THREADS} threads`,
    fallback: ({ threads = 0 }) => (threads <= FEW_THREADS ? PACKED_SESSIONS_OF_FEW : PACKED_SESSIONS),
    of: FRONTEND,
  },
  queueMax: {
    ...wholeNumber('QUEUE_MAX', 0, WAITING_MAX, 'HTTP connections that may wait for a thread; past it: 503'),
    ...byDefault(1024),
    of: FRONTEND,
  },
  idleTimeoutMs: {
    ...wholeNumber(
      'IDLE_TIMEOUT_MS',
      1,
      INTERVAL_MS_MAX,
      'an idle HTTP connection gives way after this to one that waits',
    ),
    ...byDefault(5000),
    of: FRONTEND,
  },
  durability: {
    ...oneOf('DURABILITY', DURABILITIES, 'commit: on disk before the answer; periodic: each FLUSH_INTERVAL_MS'),
    ...byDefault('commit'),
    of: BACKENDS,
  },
  flushIntervalMs: {
    ...wholeNumber('FLUSH_INTERVAL_MS', 1, INTERVAL_MS_MAX, 'milliseconds between syncs with DURABILITY=periodic'),
    ...byDefault(100),
    of: BACKENDS,
  },
  cacheToys: {
    ...wholeNumber('CACHE_TOYS', 0, CACHE_TOYS_MAX, 'toys that a front end may hold; 0: every find asks the catalog'),
    ...byDefault(10_000),
    of: FRONTEND,
  },
  leaseMs: {
    ...wholeNumber(
      'LEASE_MS',
      LEASE_MS_MIN,
      LEASE_MS_MAX,
      'milliseconds that a front end may show what it holds without hearing from the catalog',
    ),
    ...byDefault(1000),
    of: CATALOG,
  },
  logLevel: {
    ...oneOf('LOG_LEVEL', LOG_LEVELS, 'least level of the JSON lines on stderr'),
    ...byDefault('info'),
    of: SERVICES,
  },
  handoff: {
    ...oneOf('HANDOFF', HANDOFFS, 'how sockets get to threads; auto: native where the runtime has it, else ipc'),
    ...byDefault('auto'),
    of: SERVICES,
  },
  tlsCert: { ...path('TLS_CERT', 'PEM file: certificate of the front end, for HTTPS'), ...NOT_SET, of: FRONTEND },
  tlsKey: { ...path('TLS_KEY', 'PEM file: key of TLS_CERT'), ...NOT_SET, of: FRONTEND },
  grpcTlsCert: {
    ...path('GRPC_TLS_CERT', 'PEM file: certificate for mutual TLS among the services'),
    ...NOT_SET,
    of: SERVICES,
  },
  grpcTlsKey: { ...path('GRPC_TLS_KEY', 'PEM file: key of GRPC_TLS_CERT'), ...NOT_SET, of: SERVICES },
  grpcTlsCa: {
    ...path('GRPC_TLS_CA', 'PEM file: authority that signed the certificates of the services'),
    ...NOT_SET,
    of: SERVICES,
  },
};

const NAMES = Object.keys(SETTINGS) as (keyof Settings)[];
const FLAG_OPTIONS = Object.fromEntries(NAMES.map((name) => [flagOf(SETTINGS[name].env), { type: 'string' as const }]));

/**
 * The settings from flags and environment.
 *
 * @param argv flags, as `--frontend-port 5000` or `--frontend-port=5000`
 * @param env the environment; an empty variable counts as not set
 * @throws UsageError for an unknown flag, a stray argument or a value that does not fit
 */
export function parseSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const flags = parseFlags(argv, FLAG_OPTIONS, env);
  const known: Partial<Mutable<Settings>> = {};
  const read = <K extends keyof Settings>(name: K): void => {
    const setting: Setting<Settings[K]> = SETTINGS[name];
    const flag = flags[flagOf(setting.env)];
    const value = flag === undefined ? env[setting.env] || undefined : String(flag);
    const parsed = value === undefined ? setting.fallback(known) : setting.parse(value);
    if (parsed instanceof Expected) {
      const source = flag === undefined ? setting.env : `--${flagOf(setting.env)}`;
      const found = setting.isSecret === true ? 'cannot be read' : `is ${JSON.stringify(value)}`;
      throw new UsageError(`${source} ${found}: it must be ${parsed.what}`);
    }
    known[name] = parsed;
  };
  for (const name of NAMES) read(name);
  const settings = known as Settings;
  refuseContradictions(settings);
  return settings;
}

/** The environment that gives another process the same settings. */
export function settingsEnvironment(settings: Settings): Record<string, string> {
  // An empty variable counts as not set.
  return Object.fromEntries(NAMES.map((name) => [SETTINGS[name].env, String(settings[name] ?? '')]));
}

/** What help texts and docs/settings.md say about one setting. */
export interface SettingDescription {
  readonly env: string;
  /** With what stands in place of a value: `--order-port N`. */
  readonly flag: string;
  readonly help: string;
  readonly defaultText: string;
  readonly of: readonly ServiceName[];
}

/** All settings, in the order of the table, or those that one service looks at. */
export function describeSettings(service?: ServiceName): SettingDescription[] {
  const all = NAMES.map((name) => {
    const { env, placeholder, help, defaultText, of } = SETTINGS[name];
    return { env, flag: `--${flagOf(env)} ${placeholder}`, help, defaultText, of };
  });
  return service === undefined ? all : all.filter(({ of }) => of.includes(service));
}

/** The lines of a help text that describe the settings of one service, or all. */
export function settingsHelp(service?: ServiceName): string {
  const rows = describeSettings(service);
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  return rows
    .map(({ flag, help, env, defaultText }) => `  ${flag.padEnd(width)}  ${help} (${env}; ${defaultText})`)
    .join('\n');
}

function refuseContradictions(settings: Settings): void {
  const { threads, maxThreads } = settings;
  if (maxThreads < threads) {
    throw new UsageError(`MAX_THREADS is ${maxThreads}, less than THREADS (${threads}): raise it or leave it out`);
  }
  requireTogether(settings, ['tlsCert', 'tlsKey']);
  requireTogether(settings, ['grpcTlsCert', 'grpcTlsKey', 'grpcTlsCa']);
  if (settings.databaseUrl !== undefined && settings.durability !== 'commit') {
    throw new UsageError('DURABILITY is "periodic" beside DATABASE_URL: it is for files only; leave one of them out');
  }
}

function requireTogether(settings: Settings, names: readonly (keyof Settings)[]): void {
  const missing = names.filter((name) => settings[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return;
  const list = (some: readonly (keyof Settings)[]): string => some.map((name) => SETTINGS[name].env).join(' and ');
  const given = names.filter((name) => !missing.includes(name));
  throw new UsageError(`${list(given)} without ${list(missing)}: set ${list(names)}, or none of them`);
}

function byDefault<T extends string | number>(value: T): Pick<Setting<T>, 'defaultText' | 'fallback'> {
  return { defaultText: String(value), fallback: () => value };
}
