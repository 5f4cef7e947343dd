// postgres.ts: the store over PostgreSQL, beside the usual design over the same PostgreSQL and beside its own files.
//
//   toystore-postgres   all orders that came meanwhile in one statement
//   function            the same HTTP server, one call of a stored function for each order, 32 connections
//   pgbench             that function alone, without HTTP, from 32 clients and from one
//   toystore            over files, for finds
//
// Each round loads them in turn. The server is Debian's, started here: fsync on, in a directory on the real disk.

import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresProgram, runUnprivileged } from '../../test/postgres/support/postgres-binaries.js';
import { PostgresServer } from '../../test/postgres/support/postgres-server.js';
import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Figure, Row } from '../run/results.js';
import { startProgram } from '../store/server-process.js';
import { STOCK, startToystore, storeTarget, TOYS } from '../store/toystore.js';
import { type Contest, runContest } from './contest.js';
import { timingOf } from './measure-points.js';
import { ratiosOf } from './ratios.js';
import type { Scenario } from './scenario.js';

const SCENARIO = 'postgres';
const STORE = 'toystore-postgres';
const FILES = 'toystore';
const FUNCTION = 'function';
const PGBENCH = 'pgbench';
const ROUNDS = 5;
const ROUND_MS = 1500;
const MANY = 64;
const PGBENCH_CLIENTS = [1, 32] as const;
const MS_PER_SECOND = 1000;

/** The store does five times the usual design, and finds are as fast as over files. */
const ORDER_BARS = [{ operation: 'order', clients: MANY, quantity: 'throughput', bar: { atLeast: 5 } }] as const;
const FIND_BARS = [{ operation: 'query', clients: MANY, quantity: 'throughput', bar: { atLeast: 0.95 } }] as const;
/** Beside the function alone: four times its 32 clients, and twice the time of its one. */
const FUNCTION_BARS = { throughput: { atLeast: 4 }, p50: { atMost: 2 } } as const;

const TABLES = `
  CREATE TABLE bench_toys (name text PRIMARY KEY, price_cents bigint NOT NULL, quantity bigint NOT NULL CHECK (quantity >= 0))
    WITH (fillfactor = 50);
  INSERT INTO bench_toys VALUES ${TOYS.map((toy) => `('${toy}', 1599, ${STOCK})`).join(', ')};
  CREATE TABLE bench_orders (number bigserial PRIMARY KEY, name text NOT NULL, quantity bigint NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT now());
  CREATE FUNCTION bench_buy(toy text, wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE placed bigint;
    BEGIN
      UPDATE bench_toys SET quantity = quantity - wanted WHERE name = toy AND quantity >= wanted;
      IF NOT FOUND THEN RETURN -1; END IF;
      INSERT INTO bench_orders (name, quantity) VALUES (toy, wanted) RETURNING number INTO placed;
      RETURN placed;
    END $$;`;
const PGBENCH_SCRIPT = `\\set toy random(1, ${TOYS.length})
SELECT bench_buy((ARRAY[${TOYS.map((toy) => `'${toy}'`).join(', ')}])[:toy], 1);
`;

/** Number of clients -> calls of the function in a second, round by round. */
type FunctionRates = Map<number, number[]>;

export const postgres: Scenario = async (context) => {
  const { options } = context;
  context.step('starting PostgreSQL');
  const server = await PostgresServer.start();
  const script = join(tmpdir(), `toystore-pgbench-${process.pid}.sql`);
  await writeFile(script, PGBENCH_SCRIPT, { mode: 0o644 });
  try {
    const [storeUrl, peerUrl] = [await server.createDatabase(), await server.createDatabase()];
    await server.query(TABLES, peerUrl);
    const rates: FunctionRates = new Map();
    const measure = (): Promise<void> => measureFunction(peerUrl, script, options, rates);
    const rows = await runContest(context, contestOf(options, { storeUrl, peerUrl, measure }));
    const compared = { scenario: SCENARIO, subject: STORE, isPair: true };
    context.addFigures(ratiosOf(rows, { ...compared, baseline: FUNCTION, bars: ORDER_BARS }));
    context.addFigures(ratiosOf(rows, { ...compared, baseline: FILES, bars: FIND_BARS }));
    context.addFigures(besideFunction(rows, rates));
  } finally {
    await rm(script, { force: true });
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
    scenario: SCENARIO,
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
        watch: (_, { clients }) => (clients === MANY ? async () => measure : undefined),
      },
      { name: FILES, start: () => storeTarget(options), takes: ({ work }) => work === 'query' },
    ],
    loads: [
      { work: 'order', clients: MANY },
      { work: 'order', clients: 1 },
      { work: 'query', clients: MANY },
    ],
    timing: timingOf(options, ROUNDS, ROUND_MS),
  };
}

async function measureFunction(
  url: string,
  script: string,
  { quick }: BenchOptions,
  rates: FunctionRates,
): Promise<void> {
  for (const clients of PGBENCH_CLIENTS) {
    const flags = ['--no-vacuum', '--protocol=prepared', `--client=${clients}`, `--jobs=${Math.min(clients, 2)}`];
    const round = [`--time=${quick ? 2 : 3}`, `--file=${script}`, url];
    const told = await runUnprivileged([postgresProgram('pgbench'), ...flags, ...round]);
    const perSecond = Number(/^tps = ([\d.]+)/m.exec(told)?.[1]);
    rates.set(clients, [...(rates.get(clients) ?? []), perSecond]);
  }
}

/** The store through HTTP beside the function alone. */
function besideFunction(rows: readonly Row[], rates: FunctionRates): Figure[] {
  const orders = (clients: number): Row | undefined =>
    rows.find((row) => row.subject === STORE && row.operation === 'order' && row.clients === clients);
  const [many, one] = [orders(MANY), orders(1)];
  const of = (clients: number): number[] => rates.get(clients) ?? [];
  if (many === undefined || one === undefined || of(32).length === 0) return [];
  const callMs = of(1).map((perSecond) => MS_PER_SECOND / perSecond);
  const store = figureOf(
    'throughput',
    STORE,
    'order, 64 connections, beside 32 clients of the function alone',
    many.rounds.throughput,
  );
  const order = figureOf('p50', STORE, 'order, 1 connection, beside a call of the function alone', one.rounds.p50);
  const calls = figureOf('throughput', PGBENCH, 'call of the stored function, 32 clients', of(32));
  const call = figureOf('p50', PGBENCH, 'call of the stored function, 1 client (mean)', callMs);
  const besides = (figure: Figure, { value }: Figure, bar: Figure['bar']): Figure => {
    return { ...figure, baseline: PGBENCH, ratio: figure.value / value, bar };
  };
  return [besides(store, calls, FUNCTION_BARS.throughput), besides(order, call, FUNCTION_BARS.p50), calls, call];
}

function figureOf(
  quantity: keyof typeof FUNCTION_BARS,
  subject: string,
  what: string,
  rounds: readonly number[],
): Figure {
  const value = median(rounds);
  return quantity === 'p50'
    ? { scenario: SCENARIO, case: `${what}, latency`, subject, value, unit: 'ms', better: 'lower', rounds }
    : { scenario: SCENARIO, case: `${what}, throughput`, subject, value, unit: 'orders/s', better: 'higher', rounds };
}
