// Every way in which a database is not to be had, each with its code and its one line; and how the tables come about.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { messageOf } from '../../src/log.js';
import { PostgresError, type PostgresErrorCode } from '../../src/postgres/index.js';
import { freePort } from '../support/free-port.js';
import { FaultProxy } from './support/fault-proxy.js';
import { notesDatabase, notesMigrations } from './support/notes-database.js';
import { PASSWORD, PostgresServer } from './support/postgres-server.js';

let server: PostgresServer;
let authority: Authority;

/** A certificate authority, and what it has signed for 127.0.0.1. */
interface Authority {
  readonly caPath: string;
  readonly certificate: string;
  readonly key: string;
}

test.before(async () => {
  authority = await createAuthority('127.0.0.1');
  server = await PostgresServer.start({ tls: authority });
  await server.query(`CREATE ROLE shop LOGIN PASSWORD 'secret'; CREATE ROLE clerk LOGIN PASSWORD 'secret'`);
});
test.after.always(() => server[Symbol.asyncDispose]());

async function refusal(t: ExecutionContext, url: string, migrations?: string): Promise<PostgresError> {
  const database = await notesDatabase(url, migrations);
  const error = await t.throwsAsync(database.connect(), { instanceOf: PostgresError });
  t.false(messageOf(error).includes('secret'), 'the password is in the message');
  t.false(messageOf(error).includes(PASSWORD), 'the password is in the message');
  t.false(error.message.includes('\n'));
  return error;
}

async function isRefused(t: ExecutionContext, url: string, code: PostgresErrorCode, line: RegExp): Promise<void> {
  const error = await refusal(t, url);
  t.is(error.code, code);
  t.regex(error.message, line);
}

test.serial('nobody listens', async (t) => {
  const port = await freePort();
  await isRefused(
    t,
    `postgresql://shop:secret@127.0.0.1:${port}/x`,
    'UNREACHABLE',
    /cannot be reached \(ECONNREFUSED\)$/,
  );
});

test.serial('a host that does not exist', async (t) => {
  await isRefused(
    t,
    'postgresql://shop:secret@no-such-host.invalid/x',
    'UNREACHABLE',
    /no-such-host\.invalid:5432 cannot be/,
  );
});

test.serial('somebody listens who never answers', async (t) => {
  await using proxy = await FaultProxy.start(server.port);
  proxy.stall();
  await isRefused(t, server.url('postgres', { port: proxy.port }), 'UNREACHABLE', /cannot be reached/);
});

test.serial('a wrong password', async (t) => {
  const url = server.url('postgres', { user: 'shop', password: 'secretly' });
  await isRefused(
    t,
    url,
    'WRONG_PASSWORD',
    /refused user or password: password authentication failed for user "shop"$/,
  );
});

test.serial('no password where one is asked for', async (t) => {
  const url = server.url('postgres', { user: 'shop', password: '' });
  await isRefused(t, url, 'WRONG_PASSWORD', /asks for a password: put one into DATABASE_URL$/);
});

test.serial('a database that does not exist', async (t) => {
  await isRefused(t, server.url('nowhere'), 'NO_RIGHT', /database "nowhere" does not exist: see docs\/postgres\.md/);
});

test.serial('a user that may not make the schema', async (t) => {
  const name = new URL(await server.createDatabase()).pathname.slice(1);
  const url = server.url(name, { user: 'shop', password: 'secret' });
  await isRefused(t, url, 'NO_RIGHT', /permission denied for database/);
});

test.serial('a user that may not make a schema, and was given one', async (t) => {
  const admin = await server.createDatabase();
  await server.query('CREATE SCHEMA notes AUTHORIZATION clerk', admin);
  const url = server.url(new URL(admin).pathname.slice(1), { user: 'clerk', password: 'secret' });
  const session = await (await notesDatabase(url)).connect();
  t.true(session.isOpen);
  await session.close();
});

test.serial('a server that takes no writes', async (t) => {
  const url = await server.createDatabase();
  await server.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`, url);
  await isRefused(t, url, 'READ_ONLY', /is read-only: see default_transaction_read_only$/);
});

test.serial('of several servers, the one that takes writes is used', async (t) => {
  const port = await freePort();
  const url = (await server.createDatabase()).replace('@', `@127.0.0.1:${port},`);
  const session = await (await notesDatabase(url)).connect();
  t.is(session.address.port, server.port);
  await session.close();
});

test.serial('of several reasons, the one that a person must do something about is told', async (t) => {
  const port = await freePort();
  const url = server.url('postgres', { password: 'wrong' }).replace('@', `@127.0.0.1:${port},`);
  await isRefused(t, url, 'WRONG_PASSWORD', /refused user or password/);
});

test.serial('TLS: the certificate must be of the authority that is trusted, and for this host', async (t) => {
  const url = await server.createDatabase();
  const good = await (await notesDatabase(`${url}?sslmode=verify-full&sslrootcert=${authority.caPath}`)).connect();
  t.true(good.isOpen);
  await good.close();
  const another = await createAuthority('127.0.0.1');
  await isRefused(
    t,
    `${url}?sslmode=verify-full&sslrootcert=${another.caPath}`,
    'UNTRUSTED',
    /its certificate is not trusted/,
  );
  await isRefused(t, `${url}?sslmode=verify-full`, 'UNTRUSTED', /its certificate is not trusted/);
  const byName = url.replace('127.0.0.1', 'localhost');
  await isRefused(t, `${byName}?sslmode=verify-full&sslrootcert=${authority.caPath}`, 'UNTRUSTED', /localhost/);
  const unchecked = await (await notesDatabase(`${byName}?sslmode=require`)).connect();
  await unchecked.close();
});

test.serial('TLS: a server that has none', async (t) => {
  await using plain = await PostgresServer.start();
  await isRefused(t, `${plain.url()}?sslmode=require`, 'UNTRUSTED', /takes no TLS, which sslmode asks for$/);
});

test.serial('five that start at once: one migrates, once, and the others wait for it', async (t) => {
  const url = await server.createDatabase();
  const migrations = await notesMigrations();
  const sessions = await Promise.all(
    Array.from({ length: 5 }, async () => (await notesDatabase(url, migrations)).connect()),
  );
  t.deepEqual(await server.query('SELECT version, name FROM notes.migrations ORDER BY version', url), [
    { version: 1, name: 'step' },
    { version: 2, name: 'step' },
  ]);
  for (const session of sessions) await session.close();
});

test.serial(
  'a later version adds its migrations to the tables that are there; the earlier one then refuses them',
  async (t) => {
    const url = await server.createDatabase();
    await (await (await notesDatabase(url, await notesMigrations(2))).connect()).close();
    await server.query('INSERT INTO notes.notes VALUES (7)', url);
    await (await (await notesDatabase(url, await notesMigrations(3))).connect()).close();
    t.deepEqual(await server.query('SELECT number FROM notes.notes, notes.migrations WHERE version = 3', url), [
      { number: '7' },
    ]);
    const error = await refusal(t, url, await notesMigrations(2));
    t.is(error.code, 'NEWER_SCHEMA');
    t.regex(
      error.message,
      /^the database has the tables of a newer version of the store \(3; this one knows 2\): start that/,
    );
  },
);

test.serial('a migration that fails leaves nothing behind', async (t) => {
  const url = await server.createDatabase();
  const migrations = await notesMigrations(2);
  execFileSync('sh', ['-c', `echo 'CREATE TABLE notes (clash integer)' > ${migrations}/0003-clash.sql`]);
  t.is((await refusal(t, url, migrations)).code, 'REJECTED');
  t.deepEqual(await server.query(`SELECT to_regnamespace('notes') AS schema`, url), [{ schema: null }]);
});

async function createAuthority(address: string): Promise<Authority> {
  const directory = await mkdtemp(join(tmpdir(), 'toystore-tls-'));
  const openssl = (...args: string[]): Buffer =>
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] });
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl(...make, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', `subjectAltName=IP:${address}`];
  openssl(
    ...make,
    '-keyout',
    'server.key',
    '-out',
    'server.pem',
    '-subj',
    '/CN=server',
    ...signed,
    '-addext',
    'basicConstraints=critical,CA:false',
  );
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  return { caPath: join(directory, 'ca.pem'), certificate: await read('server.pem'), key: await read('server.key') };
}
