// The client as users run it: a process, its output and its exit code.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { StandInStore } from './stand-in-store.js';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function startClient(...flags: string[]): { kill(signal: NodeJS.Signals): void; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [CLI, 'client', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(([exitCode, stdout, stderr]) => {
    return { exitCode, stdout, stderr };
  });
  return { kill: (signal) => child.kill(signal), ended };
}

const runClient = (...flags: string[]): Promise<Ended> => startClient(...flags).ended;

test('--json prints one object of the agreed shape, and nothing else', async (t) => {
  const store = await StandInStore.start();
  const { exitCode, stdout, stderr } = await runClient(
    '--url',
    store.url,
    '--clients',
    '2',
    '--requests',
    '20',
    '--json',
  );
  await store.stop();
  t.is(exitCode, 0);
  t.is(stderr, '');
  const summary = JSON.parse(stdout);
  t.deepEqual(Object.keys(summary), ['query', 'order', 'seconds', 'throughput']);
  for (const kind of ['query', 'order']) {
    t.deepEqual(Object.keys(summary[kind]), ['count', 'errors', 'min', 'mean', 'p50', 'p95', 'p99', 'max']);
    const { min, p50, p95, p99, max } = summary[kind];
    t.true(0 < min && min <= p50 && p50 <= p95 && p95 <= p99 && p99 <= max, stdout);
  }
  t.is(summary.query.count, 40);
  t.is(summary.query.errors, 0);
});

test('text has a line for queries and one for orders', async (t) => {
  const store = await StandInStore.start();
  const { exitCode, stdout } = await runClient(
    '--url',
    store.url,
    '--clients',
    '1',
    '--requests',
    '5',
    '--p',
    '0',
    '--seed',
    '3',
  );
  await store.stop();
  t.is(exitCode, 0);
  t.regex(stdout, /^1 client, p 0, \d+\.\d\d s, seed 3$/m);
  t.regex(stdout, /^throughput \d+ answers\/s$/m);
  t.regex(stdout, /^query +5 +0 +\d/m);
  t.regex(stdout, /^order +0 +0 +- +- +- +- +- +-$/m);
});

test('a store that cannot be reached: one line, exit code 1', async (t) => {
  const store = await StandInStore.start();
  const { url } = store;
  await store.stop();
  const { exitCode, stdout, stderr } = await runClient('--url', url, '--json');
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /^no store at .+\n$/);
});

test('wrong usage: one line, exit code 2', async (t) => {
  const { exitCode, stdout, stderr } = await runClient('--clients', 'all');
  t.is(exitCode, 2);
  t.is(stdout, '');
  t.regex(stderr, /^--clients is "all".*\n$/);
});

test('--help explains the flags, exit code 0', async (t) => {
  const { exitCode, stdout } = await runClient('--help');
  t.is(exitCode, 0);
  t.regex(stdout, /^Usage: npm run client/);
});

test('no proper answer at all: exit code 1', async (t) => {
  const store = await StandInStore.start({ onQuery: (exchange) => exchange.sendError(503, 'later') });
  const { exitCode, stdout } = await runClient('--url', store.url, '--clients', '1', '--requests', '3');
  await store.stop();
  t.is(exitCode, 1);
  t.regex(stdout, /last error: asked for \w+, got 503/);
});

test('an order that fails among many: what was measured, then one line that counts, exit code 1', async (t) => {
  let orders = 0;
  const store = await StandInStore.start({
    onOrder: (exchange) => {
      orders += 1;
      if (orders === 2) exchange.sendError(503, 'later');
      else exchange.send(200, JSON.stringify({ data: { order_number: orders } }));
    },
  });
  const flags = ['--url', store.url, '--clients', '1', '--requests', '4', '--p', '1', '--json'];
  const { exitCode, stdout, stderr } = await runClient(...flags);
  await store.stop();
  t.is(exitCode, 1);
  t.like(JSON.parse(stdout), { query: { count: 4, errors: 0 }, order: { count: 3, errors: 1 } });
  t.is(stderr, '0 of 4 queries failed, 1 of 4 orders failed\n');
});

for (const [flags, line] of [
  [['--clients', '-1'], /^--clients is "-1": it must be a whole number from 1 to 100000$/],
  [['--clients', '2'], /^npm took --clients for a flag of its own: .*`npm run client -- --clients …`$/],
] as const) {
  const isBehindDashes = flags[1] === '-1';
  test(`npm run client ${isBehindDashes ? '-- ' : ''}${flags.join(' ')} says what to write instead`, async (t) => {
    const npm = spawn('npm', ['run', '--silent', 'client', ...(isBehindDashes ? ['--'] : []), ...flags]);
    const [stderr, exitCode] = await Promise.all([text(npm.stderr), new Promise((resolve) => npm.on('exit', resolve))]);
    t.is(exitCode, 2);
    // Newer versions of npm add a warning of their own.
    t.regex(stderr.trim().split('\n').at(-1) ?? '', line);
  });
}

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} prints what was measured so far, exit code ${expected}`, async (t) => {
    let queries = 0;
    const store = await StandInStore.start({
      onQuery: (exchange, name) => {
        queries += 1;
        // The tenth is never answered: the client is caught in the middle of its session.
        // Twice, a moment apart, as npm does: the terminal's signal reaches all, and npm passes its own on.
        if (queries === 10) for (const delayMs of [0, 5]) setTimeout(() => client.kill(signal), delayMs);
        else exchange.send(200, JSON.stringify({ data: { name, price: 1, quantity: 1 } }));
      },
    });
    const client = startClient('--url', store.url, '--clients', '1', '--p', '0', '--json');
    const { exitCode, stdout } = await client.ended;
    await store.stop();
    t.is(exitCode, expected);
    t.is(JSON.parse(stdout).query.count, 9);
  });
}
