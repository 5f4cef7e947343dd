// fresh-store.ts: the first seconds of a store: how long `npm start` takes until it is ready, and how fast the store then
// answers its first customers, whose code nobody has run before. Each round starts each store anew.

import type { LoadReport } from '../load/load-job.js';
import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import { type Row, rowsFromReports } from '../run/results.js';
import { startToystore, TOYS } from '../store/toystore.js';
import type { ScenarioContext } from './scenario.js';

const CLIENTS = 5;
const ORDER_PROBABILITY = 0.4;
/** Of each client. */
const REQUESTS = 1000;
/** They take a few seconds; a store that has not answered them by then is measured by what it has. */
const DURATION_MS_MAX = 30_000;
const ROUNDS = 5;
const QUICK_ROUNDS = 2;
const MS_PER_S = 1000;
/** Of this checkout's, on two cores. */
const READY_BAR = { atMost: 1.8 };

/** A store to start. */
export interface FreshStore {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The checkout that it is started in; this one if undefined. */
  readonly root: string | undefined;
}

function roundsOf({ quick, rounds }: BenchOptions): number {
  return rounds ?? (quick ? QUICK_ROUNDS : ROUNDS);
}

/** Measures them in interleaved rounds; figures of the starts and rows of the first requests are added. */
export async function measureFreshStores(
  context: ScenarioContext,
  scenario: string,
  stores: readonly FreshStore[],
): Promise<Row[]> {
  const measured = stores.map((store) => ({ store, seconds: [] as number[], reports: [] as LoadReport[] }));
  const rounds = roundsOf(context.options);
  for (let round = 1; round <= rounds; round++) {
    for (const { store, seconds, reports } of measured) {
      if (context.signal.aborted) break;
      context.step(`${store.name}, fresh store, round ${round} of ${rounds}`);
      const { ready, report } = await measureOnce(context, store);
      seconds.push(ready);
      reports.push(report);
    }
  }
  const rows = measured.flatMap(({ store, reports }) => {
    const key = { scenario, subject: store.name, clients: CLIENTS, p: ORDER_PROBABILITY, variant: 'fresh store' };
    return rowsFromReports(key, reports);
  });
  context.addRows(rows);
  const started = measured.filter(({ seconds }) => seconds.length > 0);
  context.addFigures(
    started.map(({ store, seconds }) => ({
      scenario,
      case: 'npm start, from its start until the store is ready',
      subject: store.name,
      value: median(seconds),
      unit: 's',
      better: 'lower',
      rounds: seconds,
      bar: store.root === undefined ? READY_BAR : undefined,
    })),
  );
  return rows;
}

async function measureOnce(
  { generator, signal }: ScenarioContext,
  { name, settings, root }: FreshStore,
): Promise<{ ready: number; report: LoadReport }> {
  const startMs = performance.now();
  const target = await startToystore({ label: name, settings, root, byNpm: true });
  const ready = (performance.now() - startMs) / MS_PER_S;
  try {
    const { host, port } = target;
    const work = { kind: 'session', toys: TOYS, p: ORDER_PROBABILITY } as const;
    const job = { host, port, connections: CLIENTS, work, requestsEach: REQUESTS };
    return { ready, report: await generator.run({ ...job, durationMs: DURATION_MS_MAX, warmupMs: 0 }, signal) };
  } finally {
    await target.stop();
  }
}
