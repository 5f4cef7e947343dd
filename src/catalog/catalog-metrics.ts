// catalog-metrics.ts: what the catalog counts, under the names that Prometheus shows. docs/operations.md lists them.

import type { Reading } from '../metrics/index.js';
import type { PoolStats } from '../pool/index.js';
import { journalReadings, poolReadings } from '../store-metrics/store-readings.js';
import type { CatalogStats } from './catalog-engine.js';
import { MEASURED_TOYS_MAX } from './catalog-limits.js';

const SECONDS_PER_MS = 1e-3;

/** What a running catalog tells of itself. */
interface MeasuredCatalog {
  stats(): CatalogStats & { readonly pool: PoolStats };
  stock(toysMax: number): { readonly name: string; readonly quantity: number }[];
}

/** All of the catalog's metrics. Its threads count in shared memory, so that the main thread can read everything. */
export function catalogReadings(catalog: MeasuredCatalog): Reading[] {
  const sellers = (): CatalogStats['sellers'] => catalog.stats().sellers;
  return [
    ...poolReadings(() => catalog.stats().pool),
    ...journalReadings(() => catalog.stats().journal),
    {
      ...{ name: 'toystore_toys', help: 'Toys in the catalog.', type: 'gauge' },
      read: () => catalog.stats().toys,
    },
    {
      ...{ name: 'toystore_stock', help: 'How many of a toy are left, as queries show it.', type: 'gauge' },
      read: () =>
        catalog.stock(MEASURED_TOYS_MAX).map(({ name, quantity }) => ({ labels: { toy: name }, value: quantity })),
    },
    {
      ...{ name: 'toystore_selling', help: 'Whether the service takes orders: 1 or 0.', type: 'gauge' },
      read: () => (catalog.stats().state === 'selling' ? 1 : 0),
    },
    {
      ...{ name: 'toystore_catalog_batches_total', help: 'Messages answered, by what they carried.', type: 'counter' },
      read: () => [
        { labels: { kind: 'find' }, value: sellers().findBatches },
        { labels: { kind: 'purchase' }, value: sellers().purchaseBatches },
      ],
    },
    {
      ...{ name: 'toystore_catalog_items_total', help: 'Finds and purchases in those messages.', type: 'counter' },
      read: () => [
        { labels: { kind: 'find' }, value: sellers().finds },
        { labels: { kind: 'purchase' }, value: sellers().purchases },
      ],
    },
    {
      ...{ name: 'toystore_catalog_sold_total', help: 'Purchases that were sold.', type: 'counter' },
      read: () => sellers().sold,
    },
    {
      ...{ name: 'toystore_lock_waits_total', help: 'Acquisitions of the lock that had to wait.', type: 'counter' },
      read: () => [
        { labels: { mode: 'read' }, value: sellers().lockReadWaits },
        { labels: { mode: 'write' }, value: sellers().lockWriteWaits },
      ],
    },
    {
      ...{ name: 'toystore_lock_longest_wait_seconds', help: 'The longest wait for the lock so far.', type: 'gauge' },
      read: () => sellers().lockLongestWaitMs * SECONDS_PER_MS,
    },
    {
      ...{
        name: 'toystore_checkpoints_total',
        help: 'Rewrites of the CSV file, each with a new journal.',
        type: 'counter',
      },
      read: () => catalog.stats().checkpoints,
    },
    {
      ...{ name: 'toystore_journal_bytes', help: 'Length of the journal.', type: 'gauge' },
      read: () => catalog.stats().journal.bytes,
    },
  ];
}
