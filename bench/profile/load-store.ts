// load-store.ts: the load that a profile is taken under: sessions of the store's customers, from a process of its own.

import { LatencyHistogram } from '../load/latency-histogram.js';
import { LoadGenerator } from '../load/load-generator.js';
import type { LoadReport, OperationReport } from '../load/load-job.js';
import { TOYS } from '../store/toystore.js';
import type { ProfileOptions } from './profile-options.js';
import type { ProfiledStore } from './profiled-store.js';

const MS_PER_S = 1000;

/** Loads the store for `seconds`, and says on stderr what it answered: a profile of a store that only fails is none. */
export async function loadStore({ frontend }: ProfiledStore, { seconds, clients, p }: ProfileOptions): Promise<void> {
  const generator = new LoadGenerator();
  const { host, port } = frontend;
  process.stderr.write(`loading the store: ${clients} clients, p ${p}, ${seconds} s …\n`);
  try {
    const work = { kind: 'session', toys: TOYS, p } as const;
    const job = { host, port, connections: clients, work, durationMs: seconds * MS_PER_S, warmupMs: 0 };
    const report = await generator.run(job);
    process.stderr.write(`${describe('queries', report.query, report)}, ${describe('orders', report.order, report)}\n`);
  } finally {
    generator.close();
  }
}

function describe(name: string, { histogram, errors }: OperationReport, { seconds }: LoadReport): string {
  const answered = LatencyHistogram.decode(histogram).count;
  return `${Math.round(answered / seconds)} ${name}/s${errors > 0 ? ` (and ${errors} errors)` : ''}`;
}
