import test from 'ava';
import { UsageError } from '../../src/flags.js';
import { benchHelp, profileHelp, SCENARIOS, type ScenarioName, scenarioHelp } from '../help.js';
import { PROFILE_TOOLS, parseProfileOptions } from '../profile/profile-options.js';
import { parseBenchOptions } from '../run/bench-options.js';

const LONG: readonly ScenarioName[] = ['recovery', 'docker', 'idle', 'cache', 'watchers', 'baseline', 'postgres'];

test('without a word it is a quick look at every scenario but the long ones', (t) => {
  const { scenarios, quick } = parseBenchOptions([]);
  t.deepEqual(
    scenarios,
    (Object.keys(SCENARIOS) as ScenarioName[]).filter((name) => !LONG.includes(name)),
  );
  t.true(quick);
  t.false(parseBenchOptions(['clients']).quick);
});

test('scenarios and options may be mixed; a scenario named twice runs once', (t) => {
  const options = parseBenchOptions([
    'clients',
    '--quick',
    'rate',
    'clients',
    '--clients',
    '1,2',
    '--url',
    'http://[::1]:8080',
  ]);
  t.deepEqual(options.scenarios, ['clients', 'rate']);
  t.like(options, { quick: true, clients: [1, 2], url: { host: '::1', port: 8080 } });
});

/** Words of a command line, and how its refusal begins. */
type Refused = readonly [argv: string[], message: RegExp];

const REFUSED: readonly Refused[] = [
  [['everything'], /^unknown scenario "everything": it must be one of clients, /],
  [['--clients', '1,0'], /^--clients is "1,0": it must be whole numbers from 1 to/],
  [['--clients', '1,,2'], /^--clients/],
  [['--p', '0.5,1.5'], /^--p/],
  [['--rates', 'fast'], /^--rates/],
  [['--threads=-1'], /^--threads/],
  [['--url', '127.0.0.1:5000'], /^--url/],
  [['--baseline', '/no/such/checkout'], /^--baseline is .* it must be a checkout where `npm ci` was run$/],
  [['baseline'], /^the scenario baseline needs --baseline DIR/],
  [['--speed'], /--speed/],
  [['--set', 'durability'], /^--set is "durability": it must be NAME=VALUE/],
  [['--set', 'DURABILITY=sometimes'], /^--set: --durability is "sometimes": it must be one of commit, periodic$/],
  [['--set', 'COLOUR=red'], /^--set: .*--colour/],
];

const PROFILE_REFUSED: readonly Refused[] = [
  [[], /^profile takes one tool: threads, doctor, flame, heapprofiler/],
  [['bubbleprof'], /^bubbleprof hangs on current versions of Node: `threads`/],
  [['coffee'], /^the tool is "coffee": it must be one of threads, doctor, flame, heapprofiler$/],
  [['doctor', 'flame'], /^profile takes one tool/],
  [['flame', '--service', 'client'], /^--service is "client": it must be one of catalog, order, frontend/],
  [['flame', '--seconds', '1.5'], /^--seconds/],
  [['flame', '--p', '2'], /^--p/],
];
for (const [command, parse, refused] of [
  ['bench', parseBenchOptions, REFUSED],
  ['profile', parseProfileOptions, PROFILE_REFUSED],
] as const) {
  for (const [argv, message] of refused) {
    test(`refused: ${command} ${argv.join(' ')}`, (t) => {
      t.throws(() => parse(argv), { instanceOf: UsageError, message });
    });
  }
}

test('a tool alone is enough', (t) => {
  t.deepEqual(parseProfileOptions(['flame']), {
    tool: 'flame',
    service: 'frontend',
    seconds: 10,
    clients: 32,
    p: 0.4,
    out: undefined,
  });
});

test('settings of the stores are given to bench, by their names in the environment', (t) => {
  const { settings } = parseBenchOptions(['--threads', '5', '--set', 'DURABILITY=periodic', '--set', 'QUEUE_MAX=7']);
  t.deepEqual(settings, { THREADS: '5', DURABILITY: 'periodic', QUEUE_MAX: '7' });
  t.deepEqual(parseBenchOptions(['--set', 'OTEL_TRACES_SAMPLER_ARG=1']).settings, { OTEL_TRACES_SAMPLER_ARG: '1' });
});

test('no line of a help is wider than a terminal of a hundred columns', (t) => {
  const scenarios = Object.keys(SCENARIOS).map((name) => scenarioHelp(name as ScenarioName));
  for (const line of [benchHelp(), profileHelp(), ...scenarios].join('\n').split('\n'))
    t.true(line.length <= 100, line);
});

test('the help names every scenario and every tool', (t) => {
  for (const name of Object.keys(SCENARIOS)) {
    t.regex(benchHelp(), new RegExp(`^ {2}${name} `, 'm'));
    t.regex(scenarioHelp(name as ScenarioName), new RegExp(`^Usage: npm run bench -- ${name} `));
  }
  for (const tool of PROFILE_TOOLS) t.regex(profileHelp(), new RegExp(`^ {2}${tool} `, 'm'));
});
