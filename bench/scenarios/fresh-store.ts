// fresh-store.ts: the first seconds of a store: how long `npm start` takes until it is ready, and how fast the store then
// answers its first customers, whose code nobody has run before. Each round starts each store anew.

import type { Measured } from '../figures.js';
import type { LoadReport } from '../load/load-job.js';
import { measureRounds } from '../rounds.js';
import { type Row, rowsFromReports } from '../run/results.js';
import { startToystore, type ToystoreOptions } from '../store/toystore.js';
import type { ScenarioContext } from './scenario.js';

const CLIENTS = 5;
const ORDER_PROBABILITY = 0.4;
/** Of each client. */
const REQUESTS = 1000;
/** They take a few seconds; a store that has not answered them by then is measured by what it has. */
const DURATION_MS_MAX = 30_000;
const ROUNDS = 5;
const MS_PER_S = 1000;
/** Of the first, on two cores. */
const READY_BAR = { atMost: 1.8 };

/** A store to start, and its name in rows. */
export type FreshStore = Pick<ToystoreOptions, 'settings' | 'root'> & { readonly label: string };

/** Measures them in interleaved rounds; figures of the starts and rows of the first requests are added. */
export async function measureFreshStores(
  context: ScenarioContext,
  stores: readonly [FreshStore, ...FreshStore[]],
): Promise<Measured<Row>[]> {
  const measured = stores.map((store) => ({ store, reports: [] as LoadReport[] }));
  const start = {
    case: 'npm start, from its start until the store is ready',
    unit: 's',
    better: 'lower',
    bars: { [stores[0].label]: READY_BAR },
  } as const;
  const subjects = measured.map(({ store, reports }) => ({
    name: store.label,
    measure: () => measureOnce(context, store, reports),
  }));
  await measureRounds({ quantities: [start], subjects, rounds: ROUNDS, warmups: 0 }, context);
  const rows = measured.flatMap(({ store, reports }) => {
    const key = { subject: store.label, clients: CLIENTS, p: ORDER_PROBABILITY, variant: 'fresh store' };
    return rowsFromReports(key, reports);
  });
  context.addRows(rows);
  return rows;
}

/** Adds what came of the first requests to the reports. @returns seconds until the store was ready */
async function measureOnce(
  { generator, signal }: ScenarioContext,
  store: FreshStore,
  reports: LoadReport[],
): Promise<number> {
  const startMs = performance.now();
  const target = await startToystore({ ...store, byNpm: true });
  const ready = (performance.now() - startMs) / MS_PER_S;
  try {
    const { host, port } = target;
    const job = { host, port, connections: CLIENTS, work: { p: ORDER_PROBABILITY }, requestsEach: REQUESTS };
    reports.push(await generator.run({ ...job, durationMs: DURATION_MS_MAX, warmupMs: 0 }, signal));
    return ready;
  } finally {
    await target.stop();
  }
}
