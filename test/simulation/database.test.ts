// The store over a model of PostgreSQL, with buyers: whatever happens to services, connections and server at whatever step,
// when all is up and idle the books hold, and no query ever showed what a later one took back.
//
//   SEED=123 npx ava dist/test/simulation/database.test.js     lives that seed's life alone

import test, { type ExecutionContext } from 'ava';
import { runs } from '../support/effort.js';
import { checkSeeds, firstFailure } from '../support/simulated-seeds.js';
import { type DatabaseMistakes, liveOverDatabase } from './database-life.js';
import { fenced, logOrders, ordersOf, sell } from './postgres-model.js';

const SEEDS = runs(80);
/** Seeds that notice are rare for some, and others with each change of the store: 1 in 430. */
const SEEDS_OF_MISTAKES = 2_000;

async function check(t: ExecutionContext, seeds: number, mistakes: DatabaseMistakes): Promise<void> {
  const sums = { orders: 0, taken: 0 };
  await checkSeeds('database', seeds, async (seed) => {
    const life = await liveOverDatabase(seed, mistakes);
    sums.orders += life.orders;
    sums.taken += life.taken;
  });
  t.log(`${seeds} seeds: ${sums.orders} orders, a seat taken ${sums.taken} times`);
  t.pass();
}

test.serial('the books hold after kills, cut-off services, lost answers and a killed server', (t) =>
  check(t, SEEDS, {}),
);

test.serial('sessions of those who were replaced live on: the fence alone keeps them out', (t) =>
  check(t, SEEDS / 2, { statements: { 'end-session': () => [] } }),
);

test.serial('a seed always lives the same life', async (t) => {
  t.deepEqual(await liveOverDatabase(42), await liveOverDatabase(42));
});

interface Mistake extends DatabaseMistakes {
  /** Where the search begins: the seed that noticed when this was written. */
  readonly from?: number;
}

/** Each takes away one thing that makes the books right, and some seed must find them wrong. */
const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a sale whose answer was lost is made again under a new tag': {
    statements: {
      sell: fenced(sell, {
        again: (tables, values) =>
          sell(
            tables,
            values.map((value, column) => (column === 4 ? shifted(value) : value)),
          ),
      }),
    },
  },
  'writes of an earlier epoch are carried out': {
    from: 52,
    statements: {
      'end-session': () => [],
      sell: fenced(sell, { epoch: true }),
      'log-orders': fenced(logOrders, { epoch: true }),
    },
  },
  'writes are carried out though the one before them was not': {
    statements: { sell: fenced(sell, { step: true }) },
  },
  'a successor does not wait until what the catalog before it allowed is over': { from: 40, isHasty: true },
  'a catalog shows what it knows after its lease': { from: 428, outlastsLease: true },
  'rows of orders are written twice': {
    statements: {
      'log-orders': fenced(logOrders, {
        again: (tables, values) => {
          tables.orders.push(...ordersOf(values));
          return undefined;
        },
      }),
    },
  },
};

function shifted(sequences: unknown): number[] {
  return (sequences as number[]).map((sequence) => sequence + 1_000_000);
}

for (const [name, { from = 0, ...mistakes }] of Object.entries(MISTAKES)) {
  test.serial(`mistake: ${name}: a seed fails`, async (t) => {
    const failed = await firstFailure(from, from + SEEDS_OF_MISTAKES, (seed) => liveOverDatabase(seed, mistakes));
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
  });
}
