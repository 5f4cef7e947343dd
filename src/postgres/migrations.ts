// migrations.ts: brings the tables to the version that this program knows, once, whoever starts first.
//
//   sql/0001-what-it-does.sql, 0002-…: each is carried out once, in order, together with its row in `migrations`
//
// One process migrates, under an advisory lock that ends with its transaction; the others wait, and find nothing left to
// do. A migration only ever adds: during a roll-out the older version of the store runs on over the newer tables.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresError } from './postgres-error.js';
import { MIGRATION_TIMEOUT_MS } from './postgres-limits.js';
import type { Session, Statement } from './session.js';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

const FILE = /^(\d{4})-(.+)\.sql$/;
/** Any number that nobody else uses for an advisory lock of this database. */
const LOCK_KEY = 7_470_795_973;

/** Asks the tables themselves: functions such as to_regclass() may answer from before the lock was had. */
const FIND_TABLE: Statement = {
  name: 'find-migrations',
  text: `SELECT count(n.oid) > 0 AS "hasSchema", count(c.oid) > 0 AS "hasTable"
    FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'migrations'
    WHERE n.nspname = $1`,
};
const READ_VERSION: Statement = {
  name: 'read-version',
  text: 'SELECT coalesce(max(version), 0) AS version FROM migrations',
};

/** The migrations of a directory, in order. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(directory)).sort()) {
    const [, version, name] = FILE.exec(file) ?? [];
    if (name === undefined) continue;
    migrations.push({ version: Number(version), name, sql: await readFile(join(directory, file), 'utf8') });
  }
  return migrations;
}

/**
 * Carries out what is lacking.
 *
 * @returns the versions that were carried out
 * @throws PostgresError NEWER_SCHEMA, or what stood in the way; then nothing is changed
 */
export async function migrate(session: Session, migrations: readonly Migration[], schema: string): Promise<number[]> {
  const newest = migrations.at(-1)?.version ?? 0;
  if ((await readVersion(session, schema, newest)) === newest) return [];
  await session.script(
    `BEGIN; SET LOCAL statement_timeout = ${MIGRATION_TIMEOUT_MS}; SET LOCAL lock_timeout = ${MIGRATION_TIMEOUT_MS};
     SELECT pg_advisory_xact_lock(${LOCK_KEY})`,
  );
  try {
    // Another process may have been at it until now.
    const version = await readVersion(session, schema, newest);
    const lacking = migrations.filter((migration) => migration.version > version);
    if (version === 0) await session.script(await createSchema(session, schema));
    for (const { version, name, sql } of lacking) {
      await session.script(`${sql};\nINSERT INTO migrations (version, name) VALUES (${version}, '${name}')`);
    }
    await session.script('COMMIT');
    return lacking.map((migration) => migration.version);
  } catch (error) {
    await session.script('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function createSchema(session: Session, schema: string): Promise<string> {
  const [found] = await session.run(FIND_TABLE, [schema]);
  // Asked first: whoever may not create a schema may not say IF NOT EXISTS either.
  const create = found?.hasSchema === true ? '' : `CREATE SCHEMA ${schema};`;
  return `${create} CREATE TABLE IF NOT EXISTS migrations (
    version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
}

/** The version of the tables; 0: there are none. Throws NEWER_SCHEMA. */
async function readVersion(session: Session, schema: string, newest: number): Promise<number> {
  const [found] = await session.run(FIND_TABLE, [schema]);
  if (found?.hasTable !== true) return 0;
  const [row] = await session.run(READ_VERSION);
  const version = Number(row?.version);
  if (version <= newest) return version;
  throw new PostgresError(
    'NEWER_SCHEMA',
    `the database has the tables of a newer version of the store (${version}; this one knows ${newest}): start that version`,
  );
}
