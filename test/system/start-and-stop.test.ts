// Starting, stopping and restarting: what a user meets before the first request.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import ava from 'ava';
import { freePort } from '../support/free-port.js';
import { buy, buyOnceSelling, call, stockOf, untilStatus } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

// One after the other: each starts up to five processes, and all of them at once take a slow machine longer to start than
// any one may.
const test = ava.serial;

/** Settings that give catalog and order service a port each, and tell it to all three: whichever starts first. */
async function backendPlaces() {
  const [catalogPort, orderPort] = [String(await freePort()), String(await freePort())];
  return {
    CATALOG_PORT: catalogPort,
    ORDER_PORT: orderPort,
    CATALOG_ADDRESS: `127.0.0.1:${catalogPort}`,
    ORDER_ADDRESS: `127.0.0.1:${orderPort}`,
  };
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

test('a store says where it is, is whole again after kills, stops, and goes on with its books', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'toystore-again-'));
  t.teardown(() => rm(dataDir, { recursive: true }));
  {
    await using store = await StoreProcess.start('start', { dataDir });
    t.regex(store.stdout.at(-1) ?? '', /^toystore ready on http:\/\/127\.0\.0\.1:\d+$/);
    t.is((await buy(store.port, 'Fox', 6)).body, '{"data":{"order_number":0}}');
    for (const service of ['order', 'frontend', 'catalog']) {
      // Nobody reads the ready lines any more when the catalog is killed.
      if (service === 'catalog') store.child.stdout?.destroy();
      const pid = store.servicePid(service);
      process.kill(pid, 'SIGKILL');
      await store.until(() => store.servicePid(service) !== pid, `the restart of ${service}`);
    }
    const isBack = () => store.logs.some(({ message, of }) => message === 'service is back' && of === 'catalog');
    await store.until(isBack, 'the line that says so');
    t.is((await call(store.port, 'GET', '/healthz')).status, 200);
    // Each thread of the front end comes back to the new catalog by itself, the order service too: this waits for all.
    await untilStatus(store.port, '/readyz', 200);
    const later = await buyOnceSelling(store.port, 'Fox', 1, 'after-the-crashes');
    t.is(later.body, '{"data":{"order_number":1}}');
    t.is(await stockOf(store.port, 'Fox'), 93);
    t.deepEqual(await store.stop('SIGTERM'), { code: 0, signal: null });
    t.deepEqual(
      store.stderr.filter((line) => !line.startsWith('{')),
      [],
      'stderr carries JSON lines only',
    );
  }
  t.is((await readFile(join(dataDir, 'catalog', 'catalog.csv'), 'utf8')).includes('Fox,12.99,93'), true);
  t.regex(
    await readFile(join(dataDir, 'order', 'orders.csv'), 'utf8'),
    /^order_number,name,quantity\b.*\r?\n0,Fox,6\b/,
  );

  await using store = await StoreProcess.start('start', { dataDir });
  const { port } = store;
  t.is(await stockOf(port, 'Fox'), 93);
  t.is((await call(port, 'GET', '/orders/0')).body, '{"data":{"number":0,"name":"Fox","quantity":6}}');
  t.is((await buy(port, 'Fox', 1)).body, '{"data":{"order_number":2}}');

  // A second Ctrl-C ends all at once.
  const slow = connect(port, '127.0.0.1');
  slow.on('error', () => {});
  slow.write('POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{');
  await once(slow, 'connect');
  const frontend = store.servicePid('frontend');
  store.child.kill('SIGINT');
  // Sooner it would be taken for the same one.
  await delay(1_100);
  t.deepEqual(await store.stop('SIGINT'), { code: 130, signal: null });
  // It has died, and only waits to be reaped, if it is there at all.
  while (await isRunning(frontend)) await delay(5);
  await t.throwsAsync(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  slow.destroy();
});

const endings: [how: string, end: (npm: number) => void][] = [
  ['SIGTERM to npm', (npm) => process.kill(npm, 'SIGTERM')],
  ['a Ctrl-C in the terminal, which all of its process group get', (npm) => process.kill(-npm, 'SIGINT')],
];

for (const [how, end] of endings) {
  test(`npm start ends with 0 at ${how}`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'toystore-npm-'));
    const ports = { FRONTEND_PORT: '0', CATALOG_PORT: '0', ORDER_PORT: '0' };
    const env = { ...process.env, ...ports, DATA_DIR: dataDir, THREADS: '1' };
    const npm = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    for await (const line of createInterface(npm.stdout)) if (line.startsWith('toystore ready')) break;
    end(npm.pid!);
    const [code] = await once(npm, 'exit');
    t.is(code, 0);
    await rm(dataDir, { recursive: true });
  });
}

test('a service that is killed before it is ready is started again; a catalog.csv put there by hand wins over the seed', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'toystore-by-hand-'));
  t.teardown(() => rm(dataDir, { recursive: true }));
  await mkdir(join(dataDir, 'catalog'));
  await writeFile(join(dataDir, 'catalog', 'catalog.csv'), 'name,price,quantity\n"Bear, brown",7,3\n');
  await using store = await StoreProcess.spawn('start', { dataDir });
  const started = () => store.logs.filter(({ message, of }) => message === 'service starts' && of === 'order');
  await store.until(() => started().length > 0, 'the start of order');
  process.kill(started()[0]!.pid as number, 'SIGKILL');
  await store.until(() => store.address, 'the ready line');
  t.is(started().length, 2);
  t.is(
    (await call(store.port, 'GET', '/products/Bear%2C%20brown')).body,
    '{"data":{"name":"Bear, brown","price":7,"quantity":3}}',
  );
  t.is((await call(store.port, 'GET', '/products/Tux')).status, 404);
  t.is((await buy(store.port, 'Bear, brown', 2)).status, 200);
  t.deepEqual(await store.stop('SIGINT'), { code: 0, signal: null });
  t.true((await readFile(join(dataDir, 'order', 'orders.csv'), 'utf8')).includes('\n0,"Bear, brown",2'));
});

test('the services may start in any order: the front end alone is alive but not ready, says 503, and logs who is away, once', async (t) => {
  const env = { ...(await backendPlaces()), THREADS: '2' };
  await using frontend = await StoreProcess.start('frontend', { env });
  const said = (message: string): Record<string, unknown>[] => frontend.logs.filter((log) => log.message === message);
  t.is((await call(frontend.port, 'GET', '/healthz')).status, 200);
  t.is((await call(frontend.port, 'GET', '/readyz')).status, 503);
  for (const answer of [await call(frontend.port, 'GET', '/products/Tux'), await buy(frontend.port, 'Tux', 1)]) {
    t.is(answer.status, 503);
    t.regex(answer.headers['retry-after'] ?? '', /^\d+$/);
    t.is(JSON.parse(answer.body).error.code, 503);
  }
  await frontend.until(() => said('the catalog is away: trying on').length > 0, 'the warning');
  t.like(said('the order service is away: trying on')[0], { level: 'warn', address: env.ORDER_ADDRESS });
  await using _order = await StoreProcess.start('order', { env });
  t.is((await buy(frontend.port, 'Tux', 1)).status, 503);
  await using _catalog = await StoreProcess.start('catalog', { env });
  t.is((await buyOnceSelling(frontend.port, 'Tux', 1)).body, '{"data":{"order_number":0}}');
  await frontend.until(() => said('connected to the catalog').length > 0, 'the connection');
  t.is(said('the catalog is away: trying on').length, 1);
});

test('ready means every thread of the front end: no find is refused after that', async (t) => {
  // What a front end holds it may show a moment longer: here every find asks.
  const env = await backendPlaces();
  await using frontend = await StoreProcess.start('frontend', {
    env: { ...env, THREADS: '4', PACKED_SESSIONS: '1', CACHE_TOYS: '0' },
  });
  await using order = await StoreProcess.start('order', { env });
  // Connections open at the same time are spread evenly: two for each thread.
  const find = async (): Promise<number> => (await call(frontend.port, 'GET', '/products/Tux')).status;
  const findInAllThreads = (): Promise<number[]> => Promise.all(Array.from({ length: 8 }, find));
  for (let round = 0; round < 3; round++) {
    await using catalog = await StoreProcess.start('catalog', { env, dataDir: order.dataDir });
    await untilStatus(frontend.port, '/readyz', 200);
    t.deepEqual(await findInAllThreads(), Array(8).fill(200));
    await catalog.stop('SIGKILL');
    // They ride it out for a while; then each thread refuses at once, until it is connected again.
    t.deepEqual(await findInAllThreads(), Array(8).fill(503));
  }
});

test('a port in use, or a HOST that there is not, is one line that says what to do and nothing else', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const port = String((holder.address() as { port: number }).port);
  for (const [command, setting] of [
    ['frontend', 'FRONTEND_PORT'],
    ['catalog', 'CATALOG_PORT'],
    ['order', 'ORDER_PORT'],
    ['start', 'ORDER_PORT'],
  ] as const) {
    const name = command === 'start' ? 'order' : command;
    await using taken = await StoreProcess.spawn(command, { env: { [setting]: port } });
    t.is((await taken.exited).code, 1, command);
    const line = `${name}: port ${port} on 127.0.0.1 is in use: stop what listens there, or set ${setting}`;
    t.deepEqual(taken.stderr, [line]);

    const host = command === 'start' ? 'catalog' : command;
    await using nowhere = await StoreProcess.spawn(command, { env: { HOST: 'no-such-host.invalid' } });
    t.is((await nowhere.exited).code, 1, command);
    const reason = 'the name no-such-host.invalid cannot be resolved: set HOST to an address of this machine';
    t.deepEqual(nowhere.stderr, [`${host}: ${reason}`]);
  }
  holder.close();
});

test('two services on one port are refused before anything is started', async (t) => {
  await using refused = await StoreProcess.spawn('start', { env: { CATALOG_PORT: '6001', ORDER_PORT: '6001' } });
  t.is((await refused.exited).code, 2);
  t.deepEqual(refused.stderr, ['CATALOG_PORT and ORDER_PORT are both 6001: give one of them another port']);
});

test('port 80, which URLs leave out, is a port like any other', async (t) => {
  // Nobody else listens on that one of the loopback addresses.
  const env = { HOST: '127.80.80.80', FRONTEND_PORT: '80' };
  await using store = await StoreProcess.spawn('start', { env });
  await Promise.race([store.until(() => store.address, 'the ready line').catch(() => {}), store.exited]);
  if (store.address === '') {
    t.regex(store.stderr.join('\n'), /^frontend: (no permission to listen on port 80|port 80 on .* is in use)/);
    t.log('skipped: this user may not listen on port 80');
    return;
  }
  t.is(store.address, 'http://127.80.80.80:80');
  t.false(store.logs.some(({ message }) => /not ready to sell/.test(String(message))));
  await using asked = await StoreProcess.spawn('health', { env }, ['frontend']);
  t.is((await asked.exited).code, 0, asked.stderr.join('\n'));
});

test('too few files that may be open: one line says why and what to do', async (t) => {
  for (const command of ['catalog', 'order', 'frontend', 'start']) {
    const env = { THREADS: '2' };
    await using refused = await StoreProcess.spawn(command, { env, ulimit: '-n 128' });
    t.is((await refused.exited).code, 1, command);
    t.is(refused.stderr.length, 1, refused.stderr.join('\n'));
    t.regex(
      refused.stderr[0] ?? '',
      /may open 128 files here and needs \d+ for 2 threads: raise .* ulimit -n, or lower/,
    );
  }
});

test('a data directory that cannot be made is one line that says what to do, exit code 1', async (t) => {
  // A file stands where a directory should be: that stops root as well.
  const dataDir = await mkdtemp(join(tmpdir(), 'toystore-file-'));
  const file = join(dataDir, 'file');
  await writeFile(file, '');
  for (const command of ['catalog', 'order', 'start'] as const) {
    await using refused = await StoreProcess.spawn(command, { dataDir: file });
    t.is((await refused.exited).code, 1, command);
    const lines = refused.stderr.filter((line) => !line.startsWith('{'));
    t.is(lines.length, 1, refused.stderr.join('\n'));
    t.regex(lines[0] ?? '', /file\/(catalog|order) cannot be created: .*: set DATA_DIR/);
  }
  await rm(dataDir, { recursive: true });
});

test('connections that are refused are told 503, and the log says so without a line for each', async (t) => {
  const env = { THREADS: '1', SESSIONS_PER_THREAD: '1', QUEUE_MAX: '0', CATALOG_ADDRESS: '127.0.0.1:1' };
  await using frontend = await StoreProcess.start('frontend', { env });
  const holder = connect(frontend.port, '127.0.0.1');
  await once(holder, 'connect');
  const before = performance.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(frontend.port, 'GET', '/healthz')));
  const seconds = Math.ceil((performance.now() - before) / 1_000);
  holder.destroy();
  for (const { status } of answers) t.is(status, 503);
  const lines = frontend.logs.filter(({ message }) => message === 'a connection is refused');
  t.true(lines.length >= 1 && lines.length <= seconds + 1, `${lines.length} in ${seconds} s`);
  t.like(lines[0], { level: 'warn', reason: 'queue-full' });
});

test('wrong usage is one line, exit code 2', async (t) => {
  const cases: [command: string, flags: string[], env: Record<string, string>, message: RegExp][] = [
    ['start', ['--colour'], {}, /--colour/],
    ['catalog', ['--threads', 'x'], {}, /--threads is "x"/],
    ['order', [], { DURABILITY: 'never' }, /DURABILITY is "never"/],
    ['frontend', ['now'], {}, /^Unexpected argument 'now': see --help for the flags$/],
    ['start', [], { HOST: '[::1]' }, /^HOST is "\[::1\]": it must be an address or a host name, without brackets$/],
    ['client', ['--p', '2'], {}, /--p/],
    ['sell', [], {}, /unknown command "sell"/],
  ];
  for (const [command, flags, env, message] of cases) {
    await using refused = await StoreProcess.spawn(command, { env }, flags);
    t.is((await refused.exited).code, 2, command);
    t.is(refused.stderr.length, 1, refused.stderr.join('\n'));
    t.regex(refused.stderr[0] ?? '', message);
  }
});

test('every command has help', async (t) => {
  for (const command of ['start', 'catalog', 'order', 'frontend', 'client']) {
    await using help = await StoreProcess.spawn(command, {}, ['--help']);
    t.is((await help.exited).code, 0, command);
    t.regex(help.stdout.join('\n'), /Usage: npm.*--/s);
  }
});

// What else may be wrong with it: test/catalog/catalog-file.test.ts. The whole store says what the catalog says.
const brokenFiles: [command: string, what: string, text: string | Buffer, line: number, reason: RegExp][] = [
  ['start', 'a missing column', 'name,price\nTux,15.99\n', 1, /quantity/],
  ['catalog', 'bytes that are not UTF-8', Buffer.from('name,price,quantity\nT\xfcx,1,1\n', 'latin1'), 2, /UTF-8/],
];

for (const [command, what, text, line, reason] of brokenFiles) {
  test(`a catalog.csv with ${what} stops the start with one line and is left untouched`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'toystore-broken-'));
    const file = join(dataDir, 'catalog', 'catalog.csv');
    await mkdir(join(dataDir, 'catalog'));
    await writeFile(file, text);
    await using store = await StoreProcess.spawn(command, { dataDir });
    t.is((await store.exited).code, 1);
    const lines = store.stderr.filter((entry) => !entry.startsWith('{'));
    t.is(lines.length, 1, store.stderr.join('\n'));
    t.true(
      lines[0]?.includes(`${file}:${line}`) || (lines[0]?.includes(file) && lines[0]?.includes(`line ${line}`)),
      lines[0],
    );
    t.regex(lines[0] ?? '', reason);
    t.deepEqual(await readFile(file), Buffer.from(text));
    await rm(dataDir, { recursive: true });
  });
}

test('a seed that is a directory is one line that names it', async (t) => {
  await using store = await StoreProcess.spawn('catalog', { env: { SEED_CSV: tmpdir() } });
  t.is((await store.exited).code, 1);
  t.deepEqual(
    store.stderr.filter((entry) => !entry.startsWith('{')),
    [`catalog: ${tmpdir()} cannot be read: it is not a regular file`],
  );
});

test('a seed that is a named pipe is one line that names it, and nobody waits for who writes to it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'toystore-pipe-'));
  const pipe = join(directory, 'toys.csv');
  execFileSync('mkfifo', [pipe]);
  await using catalog = await StoreProcess.spawn('catalog', { env: { SEED_CSV: pipe } });
  t.is((await catalog.exited).code, 1);
  t.deepEqual(catalog.stderr, [`catalog: ${pipe} cannot be read: it is not a regular file`]);
  await rm(directory, { recursive: true });
});

test('a damaged journal is one line that says what to do', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'toystore-journal-'));
  await mkdir(join(dataDir, 'catalog'));
  await writeFile(join(dataDir, 'catalog', 'journal'), 'no journal at all, but long enough');
  await using store = await StoreProcess.spawn('catalog', { dataDir });
  t.is((await store.exited).code, 1);
  t.regex(store.stderr.at(-1) ?? '', /^catalog: .*journal: corrupt .*; put the right file back, or move /);
  await rm(dataDir, { recursive: true });
});
