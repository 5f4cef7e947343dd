// The images and docker-compose.yml on a real engine: built, brought up, used, broken, stopped. One story, told in order.
//
// The project runs in a directory of its own, with docker-compose.yml and nothing else, as on a fresh clone: Docker then
// creates ./var/catalog and ./var/order itself, as root.

import { randomUUID } from 'node:crypto';
import { chown, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { buy, call, stockOf } from '../support/store-client.js';
import { Compose, docker, inspect, run } from './engine.js';
import { freePorts } from './free-ports.js';

const SERVICES = ['catalog', 'order', 'frontend'] as const;
const DOCKERFILES = {
  'toystore-catalog': 'Dockerfile.catalog',
  'toystore-order': 'Dockerfile.order',
  'toystore-frontend': 'Dockerfile.frontend',
  toystore: 'Dockerfile',
} as const;
const INITIAL_STOCK = 100;
const TOYS = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'];

/** Three services, one after the other, each healthy at its first or second check. */
const READY_TIMEOUT_MS = 90_000;
/** The contract: the first order goes through within 5 s of a service being ready again. */
const FIRST_ORDER_TIMEOUT_MS = 5_000;
/** The same with the time that starting takes. */
const BACK_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
/** Production dependencies and the program; anything near it means that something else came along. */
const ADDED_BYTES_MAX = 60_000_000;

let directory: string;
let compose: Compose;
let port: number;

test.before(async () => {
  port = await freePorts(2);
  compose = await Compose.create('toystore-test', 'docker-compose.yml', { FRONTEND_PORTS: String(port) });
  directory = compose.directory;
});

test.after.always(async () => {
  if (compose === undefined) return;
  await compose.down();
  // What the containers wrote belongs to their user, who is not always the one who runs this.
  const remove = ['run', '--rm', '--user', '0', '--entrypoint', 'rm', '--volume', `${directory}:/test`];
  await docker(...remove, 'toystore', '-rf', '/test/var', '/test/whole', '/test/foreign', '/test/docker-compose.yml');
  await run('rmdir', [directory]);
});

/** Asks until `isSo` holds; fails with the last answer when time runs out. */
async function eventually<T>(ask: () => Promise<T>, isSo: (value: T) => boolean, timeoutMs: number): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask().catch((error: unknown) => error as T);
    if (!(value instanceof Error) && isSo(value)) return value;
    if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms; at last: ${JSON.stringify(value)}`);
    await pause(100);
  }
}

function untilReady(at: number, timeoutMs: number): Promise<unknown> {
  return eventually(
    () => call(at, 'GET', '/readyz'),
    (answer) => answer.status === 200,
    timeoutMs,
  );
}

/**
 * Buys one Tux and gives its order number. Each thread finds a backend again by itself: that one is ready does not say that
 * the next one is. The key makes the same order of all attempts.
 */
async function buyTux(at: number): Promise<number> {
  const key = randomUUID();
  const answer = await eventually(
    () => buy(at, 'Tux', 1, key),
    ({ status }) => status !== 503,
    FIRST_ORDER_TIMEOUT_MS,
  );
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
  return JSON.parse(answer.body).data.order_number;
}

/** Sum of the quantities in orders.csv, by toy, and the numbers in it. */
async function orderBook(): Promise<{ numbers: number[]; sold: Record<string, number> }> {
  const [, ...lines] = (await readFile(join(directory, 'var/order/orders.csv'), 'utf8')).trimEnd().split('\n');
  const sold: Record<string, number> = {};
  const numbers = lines.map((line) => {
    const [number = '', name = '', quantity = ''] = line.split(',');
    sold[name] = (sold[name] ?? 0) + Number(quantity);
    return Number(number);
  });
  return { numbers, sold };
}

for (const [image, file] of Object.entries(DOCKERFILES)) {
  test(`${file} builds: production dependencies only, a user without rights, labels`, async (t) => {
    await docker('build', '--quiet', '--tag', image, '--file', file, '.');
    t.is(await inspect(image, '{{.Config.User}}'), 'node');
    t.not(await inspect(image, '{{index .Config.Labels "org.opencontainers.image.title"}}'), '');
    t.not(await inspect(image, '{{index .Config.Labels "org.opencontainers.image.version"}}'), '');
    const base = Number(await inspect('node:24-bookworm-slim', '{{.Size}}'));
    t.true(Number(await inspect(image, '{{.Size}}')) - base < ADDED_BYTES_MAX);
    const look = 'id -u; ls node_modules/typescript node_modules/ava; touch /app/x';
    const { stdout } = await run('docker', ['run', '--rm', image, 'sh', '-c', look]);
    t.is(stdout.trim(), '1000', 'runs as node, without development packages, and cannot change its own program');
  });
}

test('up: the three come up on a fresh clone, one after the other, and none runs as root', async (t) => {
  await compose.do(['up', '--detach', '--no-build']);
  await untilReady(port, READY_TIMEOUT_MS);
  const started: string[] = [];
  for (const service of SERVICES) {
    const id = await compose.container(service);
    t.regex(await docker('exec', id, 'sh', '-c', 'stat -c %u /proc/1; cat /proc/1/cmdline'), /^1000\nnode\0/);
    started.push(await inspect(id, '{{.State.StartedAt}}'));
  }
  t.deepEqual(started, started.toSorted());
  for (const service of ['catalog', 'order']) t.is((await stat(join(directory, 'var', service))).uid, 1000);
  const frontend = await compose.container('frontend');
  const health = () => inspect(frontend, '{{.State.Health.Status}}');
  t.is(await eventually(health, (status) => status === 'healthy', READY_TIMEOUT_MS), 'healthy');
});

test('a find and an order', async (t) => {
  const found = await call(port, 'GET', '/products/Tux');
  t.is(found.body, '{"data":{"name":"Tux","price":15.99,"quantity":100}}');
  t.is(await buyTux(port), 0);
  t.is(await stockOf(port, 'Tux'), 99);
});

test('the load client', async (t) => {
  const flags = ['--clients', '5', '--requests', '100', '--p', '0.4', '--json', '--url', `http://127.0.0.1:${port}`];
  const { code, stdout, stderr } = await run(process.execPath, ['dist/src/cli.js', 'client', ...flags]);
  t.is(code, 0, stderr);
  const result = JSON.parse(stdout);
  t.is(result.query.count, 500);
  t.is(result.query.errors, 0);
  t.is(result.order.errors, 0);
});

for (const service of SERVICES) {
  test(`${service} is restarted: the others find it again`, async (t) => {
    const stock = await stockOf(port, 'Tux');
    await compose.do(['restart', '--timeout', '15', service]);
    await untilReady(port, BACK_TIMEOUT_MS);
    await buyTux(port);
    t.is(await stockOf(port, 'Tux'), stock - 1);
  });
}

for (const service of SERVICES) {
  test(`${service} is killed: what it leaves behind does not block its next start`, async (t) => {
    const id = await compose.container(service);
    await docker('kill', id);
    await docker('start', id);
    await untilReady(port, BACK_TIMEOUT_MS);
    await buyTux(port);
    t.is(await inspect(id, '{{.State.Running}}'), 'true');
  });
}

test('the catalog comes back with another address: the others find it without a restart', async (t) => {
  const catalog = await compose.container('catalog');
  const network = `${compose.project}_store`;
  const address = () => inspect(catalog, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);
  const before = await address();
  await docker('stop', catalog);
  // Somebody else takes the address, unless this engine gives each new container a new one anyway.
  const others = ['run', '--rm', '--detach', '--network', network, '--entrypoint', 'sleep', 'toystore', '300'];
  const other = (await docker(...others)).trim();
  try {
    await docker('start', catalog);
    t.not(await address(), before);
    await untilReady(port, BACK_TIMEOUT_MS);
    await buyTux(port);
  } finally {
    await docker('rm', '--force', other);
  }
});

test('down and up: nothing is lost, and the numbers go on', async (t) => {
  const last = await buyTux(port);
  const stock = await stockOf(port, 'Tux');
  await compose.do(['down']);
  await compose.do(['up', '--detach', '--no-build']);
  await untilReady(port, READY_TIMEOUT_MS);
  t.is(await stockOf(port, 'Tux'), stock);
  t.is(await buyTux(port), last + 1);
});

test('two front ends behind a range of ports', async (t) => {
  const second = port + 1;
  await compose.do(['up', '--detach', '--no-build', '--scale', 'frontend=2'], { FRONTEND_PORTS: `${port}-${second}` });
  t.is((await compose.containers('frontend')).length, 2);
  await Promise.all([port, second].map((one) => untilReady(one, READY_TIMEOUT_MS)));
  const number = await buyTux(port);
  t.is(await buyTux(second), number + 1);
  await compose.do(['up', '--detach', '--no-build', '--scale', 'frontend=1']);
  await untilReady(port, READY_TIMEOUT_MS);
});

test('the books agree', async (t) => {
  const { numbers, sold } = await orderBook();
  t.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );
  for (const toy of TOYS) t.is(INITIAL_STOCK - (await stockOf(port, toy)), sold[toy] ?? 0, toy);
});

test('stop: each ends in time, by itself, with exit code 0', async (t) => {
  const ids = await Promise.all(SERVICES.map((service) => compose.container(service)));
  const start = performance.now();
  await compose.do(['stop', '--timeout', '30']);
  // They are stopped one after the other, front end first.
  t.true(performance.now() - start < SERVICES.length * STOP_TIMEOUT_MS);
  for (const id of ids) t.is(await inspect(id, '{{.State.ExitCode}} {{.State.OOMKilled}}'), '0 false');
});

test('a data directory of somebody else is left alone, with a line that says what to do', async (t) => {
  const foreign = join(directory, 'foreign');
  await mkdir(foreign);
  if (process.getuid?.() === 0) await chown(foreign, 1001, 1001);
  const { uid, gid } = await stat(foreign);
  const mount = ['--volume', `${foreign}:/data/catalog`];
  const user = uid === 1000 ? ['--user', '1002'] : [];
  const refused = await run('docker', ['run', '--rm', ...user, ...mount, 'toystore-catalog']);
  t.is(refused.code, 1);
  t.regex(refused.stderr, /^\/data\/catalog belongs to user \d+ and user .* cannot write it: .*\n$/);
  const asOwner = await run('docker', [
    'run',
    '--rm',
    '--user',
    `${uid}:${gid}`,
    ...mount,
    'toystore-catalog',
    'id',
    '-u',
  ]);
  t.is(asOwner.stdout.trim(), String(uid));
});

test('what root left in a data directory is taken over', async (t) => {
  const mount = ['--volume', `${join(directory, 'foreign')}:/data/catalog`];
  const asRoot = ['run', '--rm', '--user', '0', '--entrypoint', 'sh', ...mount, 'toystore-catalog', '-c'];
  await docker(...asRoot, 'cp toys.csv /data/catalog/catalog.csv && chown -R 0:0 /data/catalog');
  t.is(
    (await docker('run', '--rm', ...mount, 'toystore-catalog', 'stat', '-c', '%u', '/data/catalog/catalog.csv')).trim(),
    '1000',
  );
});

test('the whole store in one container', async (t) => {
  const one = await freePorts(1);
  const mount = ['--volume', `${join(directory, 'whole')}:/data`];
  const id = (await docker('run', '--detach', '--publish', `${one}:5000`, ...mount, 'toystore')).trim();
  try {
    await untilReady(one, READY_TIMEOUT_MS);
    t.is(await buyTux(one), 0);
    await docker('stop', '--time', '30', id);
    t.is(await inspect(id, '{{.State.ExitCode}}'), '0');
    await docker('start', id);
    await untilReady(one, READY_TIMEOUT_MS);
    t.is(await buyTux(one), 1);
  } finally {
    await docker('rm', '--force', id);
  }
});
