// postgres.ts: the store over PostgreSQL, beside the usual design over the same PostgreSQL and beside its own files.
//
//   toystore-postgres   all orders that came meanwhile in one statement
//   function            the same HTTP server, one call of a stored function for each order, 32 connections
//   pgbench             that function alone, without HTTP, from 32 clients and from one
//   pgbench-sequence    the same with a sequence for numbers, which leaves gaps: not what the API promises, for comparison only
//   toystore            over files, for finds and for sessions of five clients
//
// Each round loads them in turn. The server is Debian's, started here: fsync on, in a directory on the real disk.

import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresProgram, runUnprivileged } from '../../test/postgres/support/postgres-binaries.js';
import { PostgresServer } from '../../test/postgres/support/postgres-server.js';
import { type Figure, figureOf, type Measured } from '../figures.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Row } from '../run/results.js';
import { startProgram } from '../store/server-process.js';
import { PRICE_CENTS, STOCK, TOYS } from '../store/toys.js';
import { startToystore, storeTarget } from '../store/toystore.js';
import { type Contest, runContest } from './contest.js';
import type { Scenario } from './scenario.js';
import { byProbability } from './sessions.js';

const STORE = 'toystore-postgres';
const FILES = 'toystore';
const FUNCTION = 'function';
const MANY = 64;
const MS_PER_SECOND = 1000;

/** The store does five times the usual design, and finds are as fast as over files. */
const ORDER_BARS = [{ operation: 'order', clients: MANY, quantity: 'throughput', bar: { atLeast: 5 } }] as const;
const FIND_BARS = [{ operation: 'query', clients: MANY, quantity: 'throughput', bar: { atLeast: 0.95 } }] as const;
/** Beside the function alone: four times its 32 clients, and twice the time of its one. */
const FUNCTION_BARS = { throughput: { atLeast: 4 }, p50: { atMost: 2 } } as const;

const TABLES = `
  CREATE TABLE bench_toys (name text PRIMARY KEY, price_cents bigint NOT NULL, quantity bigint NOT NULL CHECK (quantity >= 0))
    WITH (fillfactor = 50);
  INSERT INTO bench_toys VALUES ${TOYS.map((toy) => `('${toy}', ${PRICE_CENTS}, ${STOCK})`).join(', ')};
  CREATE TABLE bench_numbers (next bigint NOT NULL) WITH (fillfactor = 10);
  INSERT INTO bench_numbers VALUES (0);
  CREATE TABLE bench_orders (number bigint PRIMARY KEY, name text NOT NULL, quantity bigint NOT NULL, key text,
    ordered_at timestamptz NOT NULL DEFAULT now());
  CREATE UNIQUE INDEX bench_orders_by_key ON bench_orders (key) WHERE key IS NOT NULL;
  CREATE FUNCTION bench_buy(toy text, wanted bigint, given text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE placed bigint;
    BEGIN
      IF given IS NOT NULL THEN
        SELECT number INTO placed FROM bench_orders WHERE key = given;
        IF FOUND THEN RETURN placed; END IF;
      END IF;
      UPDATE bench_toys SET quantity = quantity - wanted WHERE name = toy AND quantity >= wanted;
      IF NOT FOUND THEN RETURN -1; END IF;
      -- Numbers have no gap, so the last one is locked until the commit: last, that it is locked shortly.
      UPDATE bench_numbers SET next = next + 1 RETURNING next - 1 INTO placed;
      INSERT INTO bench_orders (number, name, quantity, key) VALUES (placed, toy, wanted, given);
      RETURN placed;
    END $$;
  CREATE TABLE bench_sequence_orders (number bigserial PRIMARY KEY, name text NOT NULL, quantity bigint NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT now());
  CREATE FUNCTION bench_buy_with_gaps(toy text, wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE placed bigint;
    BEGIN
      UPDATE bench_toys SET quantity = quantity - wanted WHERE name = toy AND quantity >= wanted;
      IF NOT FOUND THEN RETURN -1; END IF;
      INSERT INTO bench_sequence_orders (name, quantity) VALUES (toy, wanted) RETURNING number INTO placed;
      RETURN placed;
    END $$;`;
/** What pgbench sends: a call of one of the functions for a toy. */
const pgbenchScript = (name: string): string => `\\set toy random(1, ${TOYS.length})
SELECT ${name}((ARRAY[${TOYS.map((toy) => `'${toy}'`).join(', ')}])[:toy], 1);
`;
/** Its runs: the function that keeps what the API promises, and the one with gaps. */
const CALLS = [
  { subject: 'pgbench', name: 'bench_buy', clients: [1, 32] },
  { subject: 'pgbench-sequence', name: 'bench_buy_with_gaps', clients: [32] },
] as const;

const CALLS_SECONDS = 3;

/** Calls in a second, round by round, of pgbench's runs: `<subject> <clients>`. */
type CallRates = Map<string, number[]>;

export const postgres: Scenario = async (context) => {
  const { options } = context;
  context.step('starting PostgreSQL');
  const server = await PostgresServer.start();
  try {
    const [storeUrl, peerUrl] = [await server.createDatabase(), await server.createDatabase()];
    await server.query(TABLES, peerUrl);
    const rates: CallRates = new Map();
    const measure = (): Promise<void> => measureCalls(peerUrl, rates);
    const rows = await runContest(context, contestOf(options, { storeUrl, peerUrl, measure }));
    context.addFigures(besideFunctions(rows, rates));
  } finally {
    await server[Symbol.asyncDispose]();
  }
};

interface Databases {
  readonly storeUrl: string;
  readonly peerUrl: string;
  /** Runs pgbench for one round. */
  measure(): Promise<void>;
}

function contestOf(options: BenchOptions, { storeUrl, peerUrl, measure }: Databases): Contest {
  return {
    contestants: [
      {
        name: STORE,
        start: () => startToystore({ label: STORE, settings: { ...options.settings, DATABASE_URL: storeUrl } }),
      },
      {
        name: FUNCTION,
        start: () => startProgram(FUNCTION, 'peers/function-store.js', ['--database-url', peerUrl]),
        takes: ({ work }) => work === 'order',
        // In the same rounds, so that whatever slows the machine slows it too.
        watch: async (_, { clients }) => (clients === MANY ? measure : async () => {}),
      },
      { name: FILES, start: () => storeTarget(options), takes: ({ work }) => work !== 'order' },
    ],
    loads: [
      { work: 'order', clients: MANY },
      { work: 'order', clients: 1 },
      { work: 'query', clients: MANY },
      ...byProbability(options.probabilities),
    ],
    beside: { [FUNCTION]: ORDER_BARS, [FILES]: FIND_BARS },
  };
}

async function measureCalls(url: string, rates: CallRates): Promise<void> {
  const script = join(tmpdir(), `toystore-pgbench-${process.pid}.sql`);
  try {
    for (const { subject, name, clients: numbers } of CALLS) {
      await writeFile(script, pgbenchScript(name), { mode: 0o644 });
      for (const clients of numbers) {
        const flags = ['--no-vacuum', '--protocol=prepared', `--client=${clients}`, `--jobs=${Math.min(clients, 2)}`];
        const time = `--time=${CALLS_SECONDS}`;
        const told = await runUnprivileged([postgresProgram('pgbench'), ...flags, time, `--file=${script}`, url]);
        const key = `${subject} ${clients}`;
        rates.set(key, [...(rates.get(key) ?? []), Number(/^tps = ([\d.]+)/m.exec(told)?.[1])]);
      }
    }
  } finally {
    await rm(script, { force: true });
  }
}

/** The store through HTTP beside the functions alone. */
function besideFunctions(rows: readonly Measured<Row>[], rates: CallRates): Measured<Figure>[] {
  const ordersOf = (clients: number): Row['rounds'] | undefined =>
    rows.find((row) => row.subject === STORE && row.operation === 'order' && row.clients === clients)?.rounds;
  const [many, one] = [ordersOf(MANY), ordersOf(1)];
  const alone = rates.get('pgbench 1');
  if (many === undefined || one === undefined || alone === undefined) return [];
  const throughput = { unit: 'orders/s', better: 'higher' } as const;
  const latency = { unit: 'ms', better: 'lower' } as const;
  const calls = CALLS.map(({ subject }) => ({ subject, rounds: rates.get(`${subject} 32`)! }));
  const call = { subject: 'pgbench', rounds: alone.map((perSecond) => MS_PER_SECOND / perSecond) };
  const ofMany = `order, ${MANY} clients, throughput, beside the function alone from 32 clients`;
  const ofOne = 'order, 1 client, median latency, beside a call of the function alone';
  return [
    ...calls.map((ofKind) => {
      const bar = ofKind.subject === call.subject ? FUNCTION_BARS.throughput : undefined;
      return figureOf({ case: ofMany, subject: STORE, ...throughput, rounds: many.throughput, bar }, ofKind);
    }),
    figureOf({ case: ofOne, subject: STORE, ...latency, rounds: one.p50, bar: FUNCTION_BARS.p50 }, call),
    ...calls.map((ofKind) =>
      figureOf({ case: 'call of the stored function, 32 clients, throughput', ...throughput, ...ofKind }),
    ),
    figureOf({ case: 'call of the stored function, 1 client, mean latency', ...latency, ...call }),
  ];
}
