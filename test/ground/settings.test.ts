import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import test from 'ava';
import { UsageError } from '../../src/flags.js';
import { parseSettings, SERVICES, settingsEnvironment, settingsHelp } from '../../src/settings.js';

const DATABASE = 'postgresql://toys:secret@127.0.0.1:5432/toystore';

test('the defaults are those of the contract', (t) => {
  t.like(parseSettings([], {}), {
    host: '127.0.0.1',
    frontendPort: 5000,
    catalogPort: 5001,
    orderPort: 5002,
    catalogAddresses: ['127.0.0.1:5001'],
    orderAddresses: ['127.0.0.1:5002'],
    dataDir: resolve('var'),
    seedCsv: resolve('toys.csv'),
    threads: availableParallelism(),
    maxThreads: availableParallelism(),
    sessionsPerThread: 1024,
    packedSessions: availableParallelism() > 2 ? 16 : 64,
    durability: 'commit',
    cacheToys: 10_000,
    leaseMs: 1000,
    databaseUrl: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    grpcTlsCert: undefined,
    grpcTlsKey: undefined,
    grpcTlsCa: undefined,
    logLevel: 'info',
  });
});

test('few threads are given more customers before the next one gets its first', (t) => {
  const packed = ['0', '2', '3'].map((threads) => parseSettings([], { THREADS: threads }).packedSessions);
  t.deepEqual(packed, [64, 64, 16]);
});

test('a flag wins over the environment, which wins over the default', (t) => {
  const env = { ORDER_PORT: '6002', CATALOG_PORT: '6001' };
  t.like(parseSettings(['--order-port', '7002'], env), { orderPort: 7002, catalogPort: 6001, frontendPort: 5000 });
});

test('an empty variable counts as not set', (t) => {
  t.is(parseSettings([], { ORDER_PORT: '' }).orderPort, 5002);
});

test('what follows from another setting does so', (t) => {
  t.like(parseSettings(['--threads=5', '--catalog-port=6001'], { HOST: '0.0.0.0' }), {
    maxThreads: 5,
    catalogAddresses: ['127.0.0.1:6001'],
  });
  t.deepEqual(parseSettings(['--host', '::1'], {}).catalogAddresses, ['[::1]:5001']);
});

test('another process gets the same settings from the environment', (t) => {
  const argvs = [
    ['--threads', '3', '--durability', 'periodic', '--host', '0.0.0.0'],
    ['--catalog-address', 'a:1, b:2', '--database-url', DATABASE, '--tls-cert', 'a.pem', '--tls-key', 'b.pem'],
  ];
  for (const argv of argvs) {
    const settings = parseSettings(argv, {});
    t.deepEqual(parseSettings([], settingsEnvironment(settings)), settings);
  }
});

test('an address may be several, with commas', (t) => {
  t.deepEqual(parseSettings([], { CATALOG_ADDRESS: 'a:1,[::1]:2, b.example:3' }).catalogAddresses, [
    'a:1',
    '[::1]:2',
    'b.example:3',
  ]);
});

const databases: [url: string, isGood: boolean][] = [
  ['postgresql://127.0.0.1', true],
  ['postgres://toys@127.0.0.1/toystore', true],
  ['postgresql://toys:s%40lt@db1:5432,db2:5433/toystore?sslmode=verify-full', true],
  ['postgresql://[::1]:5432/toystore', true],
  ['postgresql://toys:100%@127.0.0.1/toystore', false],
  ['postgresql://127.0.0.1:99999/toystore', false],
  ['postgresql://db1,/toystore', false],
  ['mysql://127.0.0.1/toystore', false],
  ['127.0.0.1:5432', false],
];

for (const [url, isGood] of databases) {
  test(`${isGood ? 'a database' : 'no database'}: ${url}`, (t) => {
    const parse = () => parseSettings([], { DATABASE_URL: url }).databaseUrl;
    if (isGood) t.is(parse(), url);
    else t.throws(parse, { instanceOf: UsageError, message: /^DATABASE_URL cannot be read: it must be postgresql:/ });
  });
}

const leaks: [argv: string[], env: NodeJS.ProcessEnv][] = [
  [[], { DATABASE_URL: 'mysql://toys:hush@127.0.0.1' }],
  [['--database-url', 'postgresql://toys:hush@/'], {}],
  [['--database-urls=postgresql://toys:hush@db'], {}],
  [['postgresql://toys:hush@db'], {}],
  [[], { DATABASE_URL: 'postgresql://toys:hush@db', DURABILITY: 'periodic' }],
];

for (const [argv, env] of leaks) {
  test(`no password is printed: ${JSON.stringify([argv, env])}`, (t) => {
    const { message } = t.throws(() => parseSettings(argv, env), { instanceOf: UsageError });
    t.notRegex(message, /hush/);
  });
}

const mistakes: [argv: string[], env: NodeJS.ProcessEnv, message: RegExp][] = [
  [['--colour', 'red'], {}, /Unknown option '--colour': see --help/],
  [['red'], {}, /Unexpected argument 'red': see --help/],
  [['--threads'], {}, /argument missing/],
  [['--threads', 'many'], {}, /^--threads is "many": it must be a whole number from 0 to 1024$/],
  [[], { THREADS: '-1' }, /^THREADS is "-1": it must be a whole number/],
  [[], { THREADS: '1.5' }, /^THREADS is "1.5"/],
  [[], { ORDER_PORT: '65536' }, /^ORDER_PORT is "65536": it must be a whole number from 0 to 65535$/],
  [[], { SESSIONS_PER_THREAD: '0' }, /from 1 to/],
  [[], { PACKED_SESSIONS: '0' }, /from 1 to/],
  [[], { DURABILITY: 'maybe' }, /^DURABILITY is "maybe": it must be one of commit, periodic$/],
  [[], { LOG_LEVEL: 'loud' }, /one of debug, info, warn, error, silent/],
  [[], { CATALOG_ADDRESS: 'catalog' }, /^CATALOG_ADDRESS is "catalog": it must be host:port/],
  [[], { CATALOG_ADDRESS: 'catalog:99999' }, /host:port/],
  [[], { CATALOG_ADDRESS: 'a:1,,b:2' }, /host:port/],
  [['--threads', '-1'], {}, /^--threads is "-1": it must be a whole number from 0 to 1024$/],
  [[], { npm_config_threads: '2' }, /^npm took --threads for a flag of its own: .* `npm start -- --threads …`$/],
  [[], { npm_config_order_port: '1', npm_lifecycle_event: 'order' }, /`npm run order -- --order-port …`$/],
  [[], { LEASE_MS: '199' }, /^LEASE_MS is "199": it must be a whole number from 200 to 10000$/],
  [[], { LEASE_MS: '10001' }, /^LEASE_MS/],
  [[], { TLS_CERT: 'a.pem' }, /^TLS_CERT without TLS_KEY: set TLS_CERT and TLS_KEY, or none of them$/],
  [[], { GRPC_TLS_CERT: 'a', GRPC_TLS_KEY: 'b' }, /^GRPC_TLS_CERT and GRPC_TLS_KEY without GRPC_TLS_CA: /],
  [[], { DATABASE_URL: DATABASE, DURABILITY: 'periodic' }, /^DURABILITY is "periodic" beside DATABASE_URL: /],
  [[], { THREADS: '4', MAX_THREADS: '2' }, /^MAX_THREADS is 2, less than THREADS \(4\)/],
];

for (const [argv, env, message] of mistakes) {
  test(`refused: ${argv.join(' ')} ${JSON.stringify(env)}`, (t) => {
    const error = t.throws(() => parseSettings(argv, env), { instanceOf: UsageError, message });
    t.notRegex(error.message, /\n/);
  });
}

test('the help names every flag and its environment variable', (t) => {
  const help = settingsHelp();
  for (const env of Object.keys(settingsEnvironment(parseSettings([], {})))) {
    t.true(help.includes(`(${env}; `), env);
    t.true(help.includes(`--${env.toLowerCase().replaceAll('_', '-')} `), env);
  }
});

test('the help of one service names what that service looks at, and nothing else', (t) => {
  for (const [service, ...others] of [
    ['catalog', 'order-port', 'frontend-port', 'cache-toys', 'catalog-address'],
    ['order', 'catalog-port', 'frontend-port', 'seed-csv', 'lease-ms'],
    ['frontend', 'data-dir', 'order-port', 'durability', 'database-url'],
  ] as const) {
    const help = settingsHelp(service);
    for (const name of ['host', `${service}-port`, 'threads', 'log-level']) t.true(help.includes(`--${name} `), name);
    for (const name of others) t.false(help.includes(`--${name} `), `${service}: ${name}`);
  }
  t.deepEqual([...SERVICES], ['catalog', 'order', 'frontend']);
});
