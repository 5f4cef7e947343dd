// catalog-metrics.ts: what the catalog tells Prometheus, all of it from the main thread: its threads count in shared memory.

import { MetricsHub, type Reading, registerReadings, ThreadMetrics } from '../metrics/index.js';
import { collectProcessMetrics, journalReadings, poolReadings } from '../store-metrics/store-readings.js';
import type { SellerCounters } from './catalog-memory.js';
import type { RunningCatalog } from './start-catalog.js';

const SECONDS_PER_MS = 1e-3;
/** A catalog of a million toys would make a page of 100 MB: of so many the stock is not shown by toy. */
const TOYS_SHOWN_MAX = 1_000;

/** The hub of a running catalog, which gathers its own threads' metrics too. */
export function createCatalogMetrics(catalog: Pick<RunningCatalog, 'stats' | 'stock'>): MetricsHub {
  const metrics = new ThreadMetrics();
  collectProcessMetrics(metrics);
  registerReadings(metrics.registry, [
    ...poolReadings(() => catalog.stats().pool),
    ...journalReadings(() => catalog.stats().journal),
    ...sellerReadings(() => catalog.stats().sellers),
    {
      ...{ name: 'toystore_journal_bytes', help: 'Size of the journal.', type: 'gauge' },
      read: () => catalog.stats().journal.bytes,
    },
    {
      ...{ name: 'toystore_checkpoints_total', help: 'Checkpoints written.', type: 'counter' },
      read: () => catalog.stats().checkpoints,
    },
    {
      ...{ name: 'toystore_selling', help: 'Whether the service sells: 1 or 0.', type: 'gauge' },
      read: () => (catalog.stats().state === 'selling' ? 1 : 0),
    },
    {
      ...{ name: 'toystore_toys', help: 'Toys in the catalog.', type: 'gauge' },
      read: () => catalog.stats().toys,
    },
    {
      ...{
        name: 'toystore_stock_quantity',
        help: `Stock on disk, by toy; not shown for more than ${TOYS_SHOWN_MAX} toys.`,
        type: 'gauge',
      },
      read: () =>
        catalog.stats().toys > TOYS_SHOWN_MAX
          ? []
          : catalog.stock().map(({ name, quantity }) => ({ labels: { toy: name }, value: quantity })),
    },
  ]);
  return new MetricsHub(metrics, { labels: { service: 'catalog' } });
}

/** What the threads have done, and how often they had to wait for the lock. */
function sellerReadings(counters: () => SellerCounters): Reading[] {
  const counter = (name: string, help: string, read: (counters: SellerCounters) => number): Reading => ({
    ...{ name: `toystore_catalog_${name}`, help, type: 'counter' },
    read: () => read(counters()),
  });
  return [
    counter('finds_total', 'Look-ups.', ({ finds }) => finds),
    counter('find_batches_total', 'Messages with look-ups.', ({ findBatches }) => findBatches),
    counter('purchases_total', 'Purchases, refused ones included.', ({ purchases }) => purchases),
    counter('purchase_batches_total', 'Messages with purchases.', ({ purchaseBatches }) => purchaseBatches),
    counter('sales_total', 'Purchases that were sold.', ({ sold }) => sold),
    {
      ...{ name: 'toystore_lock_waits_total', help: 'Acquisitions of the lock that had to wait.', type: 'counter' },
      read: () => [
        { labels: { mode: 'read' }, value: counters().lockReadWaits },
        { labels: { mode: 'write' }, value: counters().lockWriteWaits },
      ],
    },
    {
      ...{ name: 'toystore_lock_longest_wait_seconds', help: 'The longest wait so far.', type: 'gauge' },
      read: () => counters().lockLongestWaitMs * SECONDS_PER_MS,
    },
  ];
}
