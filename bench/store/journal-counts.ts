// journal-counts.ts: how often a running store has synced its journals, read from its own `/metrics`.

import type { Target } from './server-process.js';

/** Since the services were started. */
export interface JournalCounts {
  readonly orders: number;
  readonly catalogSyncs: number;
  readonly orderSyncs: number;
}

/** @throws Error when the page cannot be read, or a service is missing from it */
export async function readJournalCounts({ host, port }: Target): Promise<JournalCounts> {
  const page = await (await fetch(`http://${host}:${port}/metrics`)).text();
  return {
    orders: sample(page, 'toystore_orders_total', 'order'),
    catalogSyncs: sample(page, 'toystore_journal_sync_seconds_count', 'catalog'),
    orderSyncs: sample(page, 'toystore_journal_sync_seconds_count', 'order'),
  };
}

function sample(page: string, name: string, service: string): number {
  const value = new RegExp(`^${name}\\{[^}]*service="${service}"[^}]*\\} (\\S+)$`, 'm').exec(page)?.[1];
  if (value === undefined) throw new Error(`/metrics has no ${name} of the service ${service}`);
  return Number(value);
}
