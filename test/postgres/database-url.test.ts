// The texts of DATABASE_URL that are taken, and the one line for each that is not. Needs no database.

import { inspect } from 'node:util';
import test from 'ava';
import { describeTarget, parseDatabaseUrl } from '../../src/postgres/database-url.js';
import { PostgresError } from '../../src/postgres/postgres-error.js';

const TAKEN: readonly (readonly [url: string, hosts: string, user: string, password: string])[] = [
  ['postgresql://shop:pw@db/store', 'db:5432/store', 'shop', 'pw'],
  ['postgres://shop@db:6432/store', 'db:6432/store', 'shop', ''],
  ['postgresql://shop:pw@one:5432,two:5433,three/store', 'one:5432,two:5433,three:5432/store', 'shop', 'pw'],
  ['postgresql://shop:p%40ss%3Aw%2Frd%25@127.0.0.1/store', '127.0.0.1:5432/store', 'shop', 'p@ss:w/rd%'],
  ['postgresql://shop:pw@[::1]:5433/store?sslmode=disable', '::1:5433/store', 'shop', 'pw'],
  ['postgresql://shop:pw@db/st%C3%B6re?sslmode=verify-full', 'db:5432/störe', 'shop', 'pw'],
];

for (const [url, hosts, user, password] of TAKEN) {
  test(`${url} is taken`, (t) => {
    const target = parseDatabaseUrl(url);
    t.is(describeTarget(target), hosts);
    t.is(target.user, user);
    t.is(target.password(), password);
  });
}

const REFUSED: readonly (readonly [url: string, line: RegExp])[] = [
  ['mysql://shop:secret@db/store', /it must be postgresql:/],
  ['postgresql://:secret@db/store', /it names no user/],
  ['postgresql://shop:secret@db', /it names no database/],
  ['postgresql://shop:secret@db/', /it names no database/],
  ['postgresql://shop:secret@db:99999/store', /"db:99999" in it is no host:port/],
  ['postgresql://shop:secret@db,/store', /"" in it is no host:port/],
  ['postgresql://shop:secret%@db/store', /a % in it is not followed by two hexadecimal digits/],
  [
    'postgresql://shop:secret@db/store?sslmode=prefer',
    /its sslmode is "prefer": it must be one of disable, require, verify-full/,
  ],
  ['postgresql://shop:secret@db/store?sslrootcert=/etc/ca.pem', /it names certificates, but no sslmode/],
  [
    'postgresql://shop:secret@db/store?sslmode=verify-full&sslrootcert=/no/such.pem',
    /\/no\/such\.pem cannot be read \(ENOENT\)/,
  ],
  ['postgresql://shop:secret@db/store?sslmode=require&sslcert=/etc/hostname', /sslcert and sslkey belong together/],
  ['postgresql://shop:secret@db/store?pool=5', /its parameter "pool" is none of sslmode/],
];

for (const [url, line] of REFUSED) {
  test(`${url} is refused in one line without the password`, (t) => {
    const error = t.throws(() => parseDatabaseUrl(url), { instanceOf: PostgresError });
    t.is(error.code, 'BAD_URL');
    t.regex(error.message, line);
    t.notRegex(error.message, /secret|\n/);
  });
}

test('a password is not in what a log or an inspection shows of the target', (t) => {
  const target = parseDatabaseUrl('postgresql://shop:secret@db/store');
  t.notRegex(inspect(target, { depth: 9, showHidden: true }), /secret/);
  t.notRegex(JSON.stringify(target), /secret/);
});
