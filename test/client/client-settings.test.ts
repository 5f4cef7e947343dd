import test from 'ava';
import { clientHelp, parseClientSettings } from '../../src/client/client-settings.js';
import { UsageError } from '../../src/flags.js';

test('without flags it is five clients, p 0.4, a thousand queries each, and the store on this machine', (t) => {
  const { seed, ...settings } = parseClientSettings([], {});
  t.deepEqual(settings, {
    clients: 5,
    p: 0.4,
    requests: 1000,
    scheme: 'http',
    host: '127.0.0.1',
    port: 5000,
    toys: ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'],
    json: false,
  });
  t.true(Number.isInteger(seed));
});

test('a flag wins over the setting of the same name', (t) => {
  const env = { CLIENTS: '7', REQUESTS: '5', TOYS: 'A,B' };
  t.like(parseClientSettings([], env), { clients: 7, requests: 5, toys: ['A', 'B'] });
  t.is(parseClientSettings(['--clients', '2'], env).clients, 2);
  t.is(parseClientSettings([], { CLIENTS: '' }).clients, 5);
});

test('words of everyday use in the environment mean nothing to it', (t) => {
  const env = { P: 'yes', URL: 'https://example.org/page', JSON: '{}', SEED: 'none', npm_config_json: 'true' };
  t.like(parseClientSettings([], env), { p: 0.4, host: '127.0.0.1', port: 5000, json: false });
  t.like(parseClientSettings(['--seed', '9', '--json'], env), { seed: 9, json: true });
});

const URLS: readonly [text: string, host: string, port: number, scheme?: string][] = [
  ['http://127.0.0.1:5000', '127.0.0.1', 5000],
  ['http://127.0.0.1:5000/', '127.0.0.1', 5000],
  ['http://store', 'store', 80],
  ['http://store:80', 'store', 80],
  ['http://[::1]:8080', '::1', 8080],
  ['https://127.0.0.1:5000', '127.0.0.1', 5000, 'https'],
  ['https://store/', 'store', 443, 'https'],
];

for (const [text, host, port, scheme = 'http'] of URLS) {
  test(`--url ${text}`, (t) => t.like(parseClientSettings(['--url', text], {}), { scheme, host, port }));
}

const REFUSED: readonly [argv: string[], message: RegExp][] = [
  [['--clients', '0'], /^--clients is "0": it must be a whole number from 1 to/],
  [['--clients', '1.5'], /^--clients/],
  [['--clients', '-1'], /^--clients is "-1": it must be a whole number from 1 to/],
  [['--clients', ''], /^--clients is ""/],
  [['--p', '1.1'], /^--p is "1.1": it must be a number from 0 to 1$/],
  [['--p=-0.1'], /^--p/],
  [['--p', 'NaN'], /^--p/],
  [['--p', '1e-1'], /^--p/],
  [['--requests', '0'], /^--requests/],
  [['--requests', 'many'], /^--requests/],
  [
    ['--url', 'localhost:5000'],
    /^--url is "localhost:5000": it must be http:\/\/host:port or https:\/\/host:port without a path$/,
  ],
  [['--url', 'ftp://127.0.0.1'], /^--url/],
  [['--url', 'https://me@127.0.0.1'], /^--url/],
  [['--url', 'http://127.0.0.1/products'], /^--url/],
  [['--url', 'http://me@127.0.0.1'], /^--url/],
  [['--url', 'http://127.0.0.1:99999'], /^--url/],
  [['--toys', 'Tux,,Fox'], /^--toys/],
  [['--seed=-1'], /--seed/],
  [['--colour', 'red'], /--colour/],
  [['stray'], /stray/],
];

for (const [argv, message] of REFUSED) {
  test(`refused in one line: ${argv.join(' ')}`, (t) => {
    const error = t.throws(() => parseClientSettings(argv, {}), { instanceOf: UsageError });
    t.regex(error.message, message);
    t.notRegex(error.message, /\n/);
  });
}

test('a setting that cannot be used is called by its own name', (t) => {
  t.throws(() => parseClientSettings([], { CLIENTS: '0' }), { message: /^CLIENTS is "0"/ });
});

test('the help names every flag', (t) => {
  for (const flag of ['clients', 'p', 'requests', 'url', 'toys', 'seed', 'json'])
    t.regex(clientHelp(), new RegExp(`--${flag}\\b`));
});
