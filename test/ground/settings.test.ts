import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import test from 'ava';
import { parseSettings, settingsEnvironment, settingsHelp, UsageError } from '../../src/settings.js';

test('the defaults are those of the contract', (t) => {
  t.like(parseSettings([], {}), {
    host: '127.0.0.1',
    frontendPort: 5000,
    catalogPort: 5001,
    orderPort: 5002,
    catalogAddress: '127.0.0.1:5001',
    orderAddress: '127.0.0.1:5002',
    dataDir: resolve('var'),
    seedCsv: resolve('toys.csv'),
    threads: availableParallelism(),
    maxThreads: availableParallelism(),
    sessionsPerThread: 1024,
    durability: 'commit',
    logLevel: 'info',
  });
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
    catalogAddress: '127.0.0.1:6001',
  });
  t.is(parseSettings(['--host', '::1'], {}).catalogAddress, '[::1]:5001');
});

test('another process gets the same settings from the environment', (t) => {
  const settings = parseSettings(['--threads', '3', '--durability', 'periodic', '--host', '0.0.0.0'], {});
  t.deepEqual(parseSettings([], settingsEnvironment(settings)), settings);
});

const mistakes: [argv: string[], env: NodeJS.ProcessEnv, message: RegExp][] = [
  [['--colour', 'red'], {}, /Unknown option '--colour': see --help/],
  [['red'], {}, /Unexpected argument 'red': see --help/],
  [['--threads'], {}, /argument missing/],
  [['--threads', 'many'], {}, /^--threads is "many": it must be a whole number from 0 to 1024$/],
  [[], { THREADS: '-1' }, /^THREADS is "-1": it must be a whole number/],
  [[], { THREADS: '1.5' }, /^THREADS is "1.5"/],
  [[], { ORDER_PORT: '65536' }, /^ORDER_PORT is "65536": it must be a whole number from 0 to 65535$/],
  [[], { SESSIONS_PER_THREAD: '0' }, /from 1 to/],
  [[], { DURABILITY: 'maybe' }, /^DURABILITY is "maybe": it must be one of commit, periodic$/],
  [[], { LOG_LEVEL: 'loud' }, /one of debug, info, warn, error, silent/],
  [[], { CATALOG_ADDRESS: 'catalog' }, /^CATALOG_ADDRESS is "catalog": it must be host:port/],
  [[], { CATALOG_ADDRESS: 'catalog:99999' }, /host:port/],
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
