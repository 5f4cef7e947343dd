// notes-database.ts: a database with nothing in it but the seats and a table of numbered notes: what the tests of
// src/postgres write, for the library knows no toys.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/clock.js';
import { Database, fencedStatement, type HeldSeat, takeSeat } from '../../../src/postgres/index.js';

const SEATS = `CREATE TABLE seats (
    service text PRIMARY KEY, epoch bigint NOT NULL DEFAULT 0, step bigint NOT NULL DEFAULT 0,
    previous_step bigint NOT NULL DEFAULT 0, holder text,
    backend_pid integer, backend_start timestamptz, renewed_at timestamptz NOT NULL DEFAULT '-infinity');
  INSERT INTO seats (service) VALUES ('writer')`;
const NOTES = `CREATE TABLE notes (number bigint PRIMARY KEY, writes bigint NOT NULL DEFAULT 1);
  CREATE TABLE total (notes bigint NOT NULL);
  INSERT INTO total VALUES (0)`;

/** Adds a note, and counts it. */
export const ADD_NOTE = fencedStatement(
  'add-note',
  `, added AS (INSERT INTO notes (number) SELECT $4::bigint FROM fence WHERE is_new RETURNING 1),
   counted AS (UPDATE total SET notes = notes + (SELECT count(*) FROM added) RETURNING 1)
   SELECT (SELECT count(*) FROM added) AS added FROM fence`,
);

/** The directory of as many of the migrations as are asked for. */
export async function notesMigrations(count = 2): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'toystore-migrations-'));
  const all = [SEATS, NOTES, 'CREATE TABLE later (nothing integer)'];
  for (const [index, sql] of all.slice(0, count).entries()) {
    await writeFile(join(directory, `${String(index + 1).padStart(4, '0')}-step.sql`), sql);
  }
  return directory;
}

export async function notesDatabase(url: string, migrations?: string): Promise<Database> {
  return Database.create({
    url,
    schema: 'notes',
    applicationName: 'test',
    migrations: migrations ?? (await notesMigrations()),
  });
}

export async function takeNotesSeat(url: string): Promise<HeldSeat> {
  const database = await notesDatabase(url);
  const seat = await takeSeat({
    clock: systemClock,
    database,
    name: 'writer',
    closing: new AbortController().signal,
    onWaiting: () => undefined,
  });
  return seat!;
}

/** Writes one note after the other until told to stop; resolves to how many were confirmed. */
export async function writeNotes(seat: HeldSeat, { from = 0, count = 100, inFlight = 4 } = {}): Promise<number> {
  let next = from;
  let confirmed = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < from + count) {
        await seat.write(ADD_NOTE, [next++]);
        confirmed++;
      }
    }),
  );
  return confirmed;
}
