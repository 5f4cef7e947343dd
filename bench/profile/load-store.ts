// load-store.ts: the load that a profile is taken under: sessions of the store's customers, from a process of its own.

import { LoadGenerator } from '../load/load-generator.js';
import type { LoadReport, OperationReport } from '../load/load-job.js';
import type { ProfileOptions } from './profile-options.js';
import type { ProfiledStore } from './profiled-store.js';

const MS_PER_S = 1000;

/** Loads the store for `seconds`, and says on stderr what it answered: a profile of a store that only fails is none. */
export async function loadStore({ services }: ProfiledStore, { seconds, clients, p }: ProfileOptions): Promise<void> {
  const generator = new LoadGenerator();
  const { host, port } = services.get('frontend')!;
  process.stderr.write(`loading the store: ${clients} clients, p ${p}, ${seconds} s …\n`);
  try {
    const job = { host, port, connections: clients, work: { p }, durationMs: seconds * MS_PER_S, warmupMs: 0 };
    const report = await generator.run(job);
    process.stderr.write(`${describe('queries', report.query, report)}, ${describe('orders', report.order, report)}\n`);
  } finally {
    generator.close();
  }
}

function describe(name: string, { count, errors }: OperationReport, { seconds }: LoadReport): string {
  return `${Math.round(count / seconds)} ${name}/s${errors > 0 ? ` (and ${errors} errors)` : ''}`;
}
