// database-chaos.ts: `npm run chaos -- --postgres` and `-- --cluster`: one run of chaos over a database, from empty tables to
// the last line of the books.
//
//   two of each service, two front ends ── buyers ── blows ──(enough)── all up ── every wish answered ── books agree
//       ── every toy's history is linearizable, through both front ends ── stop, exit code 0 ── books agree again
//
// With a server of its own (--postgres) the blows hit services and server; with a cluster under Patroni (--cluster) they
// hit the leader, again and again. What buyers do, and how the books are compared, is the same as over files.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../../src/log.js';
import { checkStockHistory } from '../linearizability/stock-checker.js';
import { StandbyStore } from '../postgres/support/standby-store.js';
import { checkLookups, readShelf } from './book-reader.js';
import { checkBooks, type StoreBooks } from './books.js';
import { Buyer } from './buyer.js';
import { ChaosNotes } from './chaos-notes.js';
import type { DatabaseSaboteur } from './database-saboteur.js';
import { type ChaosToy, seedCsv } from './shelf.js';

export interface DatabaseChaosPlan {
  readonly seed: number;
  readonly clients: number;
  readonly shelf: readonly ChaosToy[];
  /** Of an empty database. */
  readonly url: string;
  createSaboteur(run: DatabaseChaosRun): DatabaseSaboteur;
}

/** What a saboteur sees of a run. */
export interface DatabaseChaosRun {
  readonly store: StandbyStore;
  readonly notes: ChaosNotes;
  readonly closing: AbortSignal;
}

export interface DatabaseChaosResult {
  readonly violations: readonly string[];
  readonly sold: number;
  readonly refused: number;
  readonly open: number;
  readonly queries: number;
  readonly blows: Readonly<Record<string, number>>;
  /** The longest time without an answer to an order after each blow at the database, in milliseconds. */
  readonly silencesMs: readonly number[];
  readonly longestOutageMs: number;
  readonly durationSeconds: number;
  /** Kept if there are violations. */
  readonly evidence: string | undefined;
}

const FRONTENDS = 2;
const ANSWERS_TIMEOUT_MS = 90_000;
const BOOKS_TIMEOUT_MS = 20_000;
const BOOKS_POLL_MS = 200;

export async function runDatabaseChaos(plan: DatabaseChaosPlan, closing: AbortSignal): Promise<DatabaseChaosResult> {
  const startedAt = performance.now();
  const { shelf, seed, clients, url } = plan;
  const directory = await mkdtemp(join(tmpdir(), 'toystore-chaos-'));
  const seedPath = join(directory, 'seed.csv');
  await writeFile(seedPath, seedCsv(shelf));
  const notes = new ChaosNotes(shelf);
  const violate = (error: unknown): void => notes.violate(messageOf(error));
  await using store = await StandbyStore.start({ url, frontends: FRONTENDS, env: { SEED_CSV: seedPath } });
  const saboteur = plan.createSaboteur({ store, notes, closing });
  try {
    for (const frontend of store.urls) await store.untilReady(frontend);
    store.keepUp(violate);
    const enough = new AbortController();
    const giveUp = new AbortController();
    const ports = store.of('frontend').map(({ port }) => port);
    const buyers = Array.from({ length: clients }, (_, index) =>
      new Buyer({
        index,
        port: ports[index % FRONTENDS]!,
        seed,
        shelf,
        notes,
        closing: enough.signal,
        giveUp: giveUp.signal,
      }).shop(),
    );
    await saboteur.run();
    enough.abort();
    for (const frontend of store.urls) await store.untilReady(frontend);
    const timer = setTimeout(() => giveUp.abort(), ANSWERS_TIMEOUT_MS);
    await Promise.all(buyers).finally(() => clearTimeout(timer));
    const books = await checkUntilRight(plan, notes, ports[0]!);
    for (const violation of await checkLookups(ports[1]!, books.rows, seed)) notes.violate(violation);
    for (const [toy, history] of notes.histories) {
      const verdict = checkStockHistory(history.initial, history.operations());
      if (!verdict.isLinearizable) notes.violate(`${toy}: no stock could have answered so: ${verdict.problem}`);
    }
    const codes = await store.stop();
    if (codes.some((code) => code !== 0)) notes.violate(`services ended with ${codes.join()} instead of 0`);
    for (const violation of checkBooks(shelf, await readTables(url), notes))
      notes.violate(`after the stop: ${violation}`);
  } catch (error) {
    notes.violate(`the run broke off: ${messageOf(error)}`);
  }
  const { violations, sold, refused, open, queries, longestOutageMs } = notes;
  const isRight = violations.length === 0;
  if (isRight) await rm(directory, { recursive: true });
  else await writeFile(join(directory, 'store.log'), store.logs);
  return {
    violations,
    sold,
    refused,
    open,
    queries,
    blows: saboteur.blows,
    silencesMs: saboteur.silencesMs,
    longestOutageMs,
    durationSeconds: (performance.now() - startedAt) / 1000,
    evidence: isRight ? undefined : directory,
  };
}

/** From outside nobody sees whether something is still under way: what is wrong must stay wrong. */
async function checkUntilRight(
  { shelf, url }: DatabaseChaosPlan,
  notes: ChaosNotes,
  port: number,
): Promise<StoreBooks> {
  const giveUpAt = performance.now() + BOOKS_TIMEOUT_MS;
  for (;;) {
    const books = { ...(await readTables(url)), shown: await readShelf(port, shelf) };
    const violations = checkBooks(shelf, books, notes);
    if (violations.length === 0 || performance.now() > giveUpAt) {
      for (const violation of violations) notes.violate(violation);
      return books;
    }
    await pause(BOOKS_POLL_MS);
  }
}

/** The store's side of the books, from its tables. */
async function readTables(url: string): Promise<StoreBooks> {
  const client = await connectToPrimary(url);
  try {
    const { rows: orders } = await client.query(
      'SELECT order_number, name, quantity, key FROM toystore.orders ORDER BY order_number',
    );
    const { rows: toys } = await client.query('SELECT name, quantity FROM toystore.toys');
    return {
      rows: orders.map(({ order_number, name, quantity, key }) => ({
        number: Number(order_number),
        name,
        quantity: Number(quantity),
        key,
      })),
      filed: new Map(toys.map(({ name, quantity }) => [name, Number(quantity)])),
      shown: undefined,
    };
  } finally {
    await client.end();
  }
}

/** Of a URL with several hosts, whoever takes writes. */
async function connectToPrimary(url: string): Promise<pg.Client> {
  const [, before = '', hosts = '', after = ''] = /^(.*@)([^/]*)(\/.*)$/.exec(url) ?? [];
  for (const host of hosts.split(',')) {
    const client = new pg.Client({ connectionString: `${before}${host}${after}` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
      if (!rows[0].standby) return client;
      await client.end();
    } catch {
      // That one is down.
    }
  }
  throw new Error('no server takes writes');
}
