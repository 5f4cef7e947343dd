// A store that moves from its files into a database, sells on, and moves back: nothing is lost on the way, and what must not
// be moved is refused with one line.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { buy, stockOf } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';
import { PostgresServer } from './support/postgres-server.js';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const KEYS = ['plain', '=1+1', "'quoted'", '~{},;', undefined];

let server: PostgresServer;
let directory: string;

test.before(async () => {
  server = await PostgresServer.start();
  directory = await mkdtemp(join(tmpdir(), 'toystore-transfer-'));
});
test.after.always(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function transfer(command: 'import' | 'export', dataDir: string, url: string): Promise<Ended> {
  return new Promise((resolve) => {
    const args = [CLI, command, '--data-dir', dataDir, '--database-url', url];
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** A store in a directory, or over a database, that is started, used, and stopped. */
async function whileServing(
  env: Record<string, string>,
  dataDir: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  await using store = await StoreProcess.start('start', { dataDir, env: { THREADS: '1', ...env } });
  while ((await fetch(`${store.address}/readyz`)).status !== 200) await pause(50);
  await use(store.port);
  await store.stop();
}

async function numberOf(port: number, toy: string, key: string | undefined): Promise<number> {
  const { body } = await buy(port, toy, 1, key);
  return JSON.parse(body).data.order_number;
}

test.serial(
  'from files into a database, and back: orders, keys, times and stock stay, and numbers go on',
  async (t) => {
    const [from, to] = [join(directory, 'from'), join(directory, 'to')];
    const url = await server.createDatabase();
    await whileServing({}, from, async (port) => {
      for (const [index, key] of KEYS.entries()) t.is(await numberOf(port, 'Tux', key), index);
    });
    const csv = await readFile(join(from, 'order/orders.csv'), 'utf8');
    t.like(await transfer('import', from, url), {
      code: 0,
      stdout: 'imported 5 orders and the catalog: the books agree\n',
    });
    t.is(await readFile(join(from, 'order/orders.csv'), 'utf8'), csv);

    await whileServing({ DATABASE_URL: url }, from, async (port) => {
      t.is(await stockOf(port, 'Tux'), 95);
      for (const [index, key] of KEYS.entries())
        if (key !== undefined) t.is(await numberOf(port, 'Tux', key), index, key);
      t.is(await numberOf(port, 'Fox', 'in the database'.replaceAll(' ', '-')), 5);
    });
    t.like(await transfer('export', to, url), {
      code: 0,
      stdout: 'exported 6 orders and the catalog: the books agree\n',
    });
    const exported = await readFile(join(to, 'order/orders.csv'), 'utf8');
    t.true(exported.startsWith(csv), 'the rows that were imported are the same');

    await whileServing({}, to, async (port) => {
      t.is(await stockOf(port, 'Tux'), 95);
      t.is(await stockOf(port, 'Fox'), 99);
      t.is(await numberOf(port, 'Tux', 'plain'), 0);
      t.is(await numberOf(port, 'Fox', 'in-the-database'), 5);
      t.is(await numberOf(port, 'Fox', 'in-files-again'), 6);
    });
  },
);

test.serial('what must not be copied is refused with one line, and nothing is changed', async (t) => {
  const [from, cut] = [join(directory, 'from'), join(directory, 'cut')];
  const url = await server.createDatabase();
  const refused = async (ended: Promise<Ended>, line: RegExp): Promise<void> => {
    const { code, stderr } = await ended;
    t.is(code, 1);
    t.regex(stderr, line);
    const lines = stderr.trimEnd().split('\n');
    t.is(lines.filter((one) => !one.startsWith('{')).length, 1);
  };

  await whileServing({}, from, async () => {
    await refused(transfer('import', from, url), /in use by process/);
  });
  await cp(from, cut, { recursive: true });
  const path = join(cut, 'order/orders.csv');
  await truncate(path, (await readFile(path, 'utf8')).trimEnd().lastIndexOf('\n') + 1);
  await refused(transfer('import', cut, url), /the order log is behind the catalog/);

  await refused(transfer('export', join(directory, 'none'), url), /the database has no store to export/);
  t.is((await transfer('import', from, url)).code, 0);
  await refused(transfer('import', from, url), /the database has a store already/);
  await refused(transfer('export', from, url), /is there already: export into a directory that has no store/);
  await whileServing({ DATABASE_URL: url }, join(directory, 'serving'), async () => {
    await refused(transfer('export', join(directory, 'none'), url), /nothing is copied: standing by: .* serves/);
  });
});
