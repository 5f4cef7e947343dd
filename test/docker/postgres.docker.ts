// docker-compose.postgres.yml on a real engine: two of each service over PostgreSQL, three front ends behind one port. The
// images of PostgreSQL and of the balancer are made of Debian's packages, for an engine that reaches no registry of images;
// they take the same settings as the official ones, as far as the file uses them.

import { randomUUID } from 'node:crypto';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { buy, call } from '../support/store-client.js';
import { Compose, docker, inspect, REPOSITORY, run } from './engine.js';
import { freePorts } from './free-ports.js';

const STORE_IMAGES = ['catalog', 'order', 'frontend'] as const;
const READY_TIMEOUT_MS = 120_000;
/** A killed service has a successor within 3 s; an overloaded machine takes longer. */
const TAKE_OVER_TIMEOUT_MS = 30_000;
const INITIAL_STOCK = 100;

const POSTGRES = `FROM node:24-bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
RUN install -d -o postgres -g postgres $PGDATA /var/run/postgresql
COPY start.sh /start.sh
USER postgres
STOPSIGNAL SIGINT
CMD ["sh", "/start.sh"]
`;
const START_POSTGRES = `set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  initdb --auth=scram-sha-256 --encoding=UTF8 --username="$POSTGRES_USER" --pwfile=/tmp/password >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" postgres >/dev/null
fi
exec postgres -c listen_addresses='*'
`;
const BALANCER = `FROM node:24-bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/*
USER haproxy
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
`;

let compose: Compose;
let port: number;

test.before(async () => {
  port = await freePorts(1);
  compose = await Compose.create('toystore-test-postgres', 'docker-compose.postgres.yml', {
    FRONTEND_PORT: String(port),
    POSTGRES_IMAGE: 'toystore-test-postgres',
    BALANCER_IMAGE: 'toystore-test-balancer',
    TOYSTORE_DATABASE_PASSWORD: 'a-long.password_1~',
  });
  await build('toystore-test-postgres', { Dockerfile: POSTGRES, 'start.sh': START_POSTGRES });
  await build('toystore-test-balancer', { Dockerfile: BALANCER });
  for (const name of STORE_IMAGES) {
    await docker('build', '--quiet', '--tag', `toystore-${name}`, '--file', `Dockerfile.${name}`, REPOSITORY);
  }
  await cp(join(REPOSITORY, 'docker'), join(compose.directory, 'docker'), { recursive: true });
});

test.after.always(async () => {
  if (compose === undefined) return;
  await compose.down();
  await rm(compose.directory, { recursive: true, force: true });
});

/** Builds an image of these files alone. */
async function build(image: string, files: Readonly<Record<string, string>>): Promise<void> {
  const context = join(compose.directory, image);
  await mkdir(context);
  for (const [name, text] of Object.entries(files)) await writeFile(join(context, name), text);
  await docker('build', '--quiet', '--tag', image, context);
}

/** Buys one Tux, insisting under one key, and gives its order number. */
async function buyTux(timeoutMs: number): Promise<number> {
  const key = randomUUID();
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const answer = await buy(port, 'Tux', 1, key).catch((error: Error) => ({ status: 0, body: error.message }));
    if (answer.status === 200) return JSON.parse(answer.body).data.order_number;
    if (performance.now() > giveUpAt)
      throw new Error(`no order within ${timeoutMs} ms: ${answer.status} ${answer.body}`);
    await pause(200);
  }
}

/**
 * What a front end answers that has found the services: one that has not says 503, and another one may have sold already. The
 * test's own time-out is the limit.
 */
async function answered(target: string): Promise<string> {
  for (;;) {
    const { status, body } = await call(port, 'GET', target);
    if (status !== 503) return body;
    await pause(200);
  }
}

async function stockOfTux(): Promise<number> {
  return JSON.parse(await answered('/products/Tux')).data.quantity;
}

/** Of two containers, the one that serves: its newest log line of that kind says so. */
async function serving(service: 'catalog' | 'order'): Promise<string> {
  for (const name of [`${service}-a`, `${service}-b`]) {
    const id = await compose.container(name);
    // What a container says on stderr, docker does too.
    const { stderr } = await run('docker', ['logs', id]);
    const lines = stderr.split('\n').filter((line) => /"(?:serving from now on|not serving|started)"/.test(line));
    if (lines.at(-1)?.includes('serving from now on') === true) return id;
  }
  throw new Error(`no ${service} serves`);
}

test('up: all come up in any order, and a find and an order go through', async (t) => {
  await compose.do(['up', '--detach', '--no-build']);
  t.is(await buyTux(READY_TIMEOUT_MS), 0);
  t.is(await stockOfTux(), INITIAL_STOCK - 1);
  t.is(await answered('/orders/0'), '{"data":{"number":0,"name":"Tux","quantity":1}}');
});

for (const service of ['catalog', 'order'] as const) {
  test(`the ${service} that serves is killed: the other one sells on`, async (t) => {
    const before = await buyTux(TAKE_OVER_TIMEOUT_MS);
    await docker('kill', await serving(service));
    const killedAt = performance.now();
    t.is(await buyTux(TAKE_OVER_TIMEOUT_MS), before + 1);
    t.log(`the first order after ${Math.round(performance.now() - killedAt)} ms`);
    t.is(await stockOfTux(), INITIAL_STOCK - (before + 2));
  });
}

test('a front end is killed: the balancer passes connections to the others', async (t) => {
  const before = await buyTux(TAKE_OVER_TIMEOUT_MS);
  await docker('kill', await compose.container('frontend-1'));
  for (let index = 1; index <= 6; index++) t.is(await buyTux(TAKE_OVER_TIMEOUT_MS), before + index);
});

test('PostgreSQL is killed and started again: nothing is lost', async (t) => {
  const before = await buyTux(TAKE_OVER_TIMEOUT_MS);
  const postgres = await compose.container('postgres');
  await docker('kill', postgres);
  await docker('start', postgres);
  t.is(await buyTux(TAKE_OVER_TIMEOUT_MS), before + 1);
  t.is(await stockOfTux(), INITIAL_STOCK - (before + 2));
});

test('down and up: the volume has the books, and the numbers go on', async (t) => {
  const before = await buyTux(TAKE_OVER_TIMEOUT_MS);
  await compose.do(['down']);
  await compose.do(['up', '--detach', '--no-build']);
  t.is(await buyTux(READY_TIMEOUT_MS), before + 1);
  t.is(await stockOfTux(), INITIAL_STOCK - (before + 2));
});

test('stop: every service ends by itself, with exit code 0', async (t) => {
  const names = ['catalog-a', 'catalog-b', 'order-a', 'order-b', 'frontend-1', 'frontend-2', 'frontend-3', 'postgres'];
  const ids = await Promise.all(names.map((name) => compose.container(name)));
  await compose.do(['stop', '--timeout', '30']);
  for (const [index, id] of ids.entries()) t.is(await inspect(id, '{{.State.ExitCode}}'), '0', names[index]);
});
