// catalog-metrics.ts: what the catalog counts, under the names that Prometheus shows. docs/operations.md lists them.

import { summarize } from '../histogram-summary.js';
import type { Reading } from '../metrics/index.js';
import type { PoolStats } from '../pool/index.js';
import { journalReadings, poolReadings } from '../store-metrics/store-readings.js';
import type { CatalogStats } from './catalog-engine.js';
import { MEASURED_TOYS_MAX } from './catalog-limits.js';
import type { StockTable } from './stock-table.js';
import type { ToyFinder } from './toy-finder.js';

const SECONDS_PER_MS = 1e-3;
const SECONDS_PER_US = 1e-6;

/** What a running catalog tells of itself. */
interface MeasuredCatalog {
  readonly table: StockTable;
  stats(): CatalogStats & { readonly pool: PoolStats };
  stock(toysMax: number): { readonly name: string; readonly quantity: number }[];
}

/** What the main thread tells: it sells, writes the journal and knows the front ends that hold toys. */
export function catalogReadings(catalog: MeasuredCatalog): Reading[] {
  const holders = (): CatalogStats['holders'] => catalog.stats().holders;
  return [
    ...poolReadings(() => catalog.stats().pool),
    ...journalReadings(() => catalog.stats().journal),
    ...itemReadings('purchase', () => {
      const { batches, purchases } = catalog.stats().seller;
      return { batches, items: purchases };
    }),
    ...lockReadings(catalog.table),
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
      ...{ name: 'toystore_catalog_sold_total', help: 'Purchases that were sold.', type: 'counter' },
      read: () => catalog.stats().seller.sold,
    },
    {
      ...{ name: 'toystore_holders', help: 'Front ends that may hold toys now.', type: 'gauge' },
      read: () => holders().holders,
    },
    {
      ...{ name: 'toystore_invalidations_total', help: 'Messages to a holder that a toy changes.', type: 'counter' },
      read: () => holders().invalidations,
    },
    {
      ...{ name: 'toystore_leases_run_out_total', help: 'Holders that fell silent for a lease.', type: 'counter' },
      read: () => holders().leasesRunOut,
    },
    {
      ...{ name: 'toystore_invalidation_seconds', help: 'Time until a holder has confirmed.' },
      ...{ type: 'summary', unit: SECONDS_PER_US },
      read: () => summarize(holders().confirmUs),
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

/** What one thread that answers finds tells. */
export function finderReadings(finder: ToyFinder): Reading[] {
  const read = () => ({ batches: finder.stats().batches, items: finder.stats().finds });
  return [...itemReadings('find', read), ...lockReadings(finder.table)];
}

function itemReadings(kind: 'find' | 'purchase', read: () => { batches: number; items: number }): Reading[] {
  return [
    {
      ...{ name: 'toystore_catalog_batches_total', help: 'Messages answered, by what they carried.', type: 'counter' },
      read: () => [{ labels: { kind }, value: read().batches }],
    },
    {
      ...{ name: 'toystore_catalog_items_total', help: 'Finds and purchases in those messages.', type: 'counter' },
      read: () => [{ labels: { kind }, value: read().items }],
    },
  ];
}

function lockReadings(table: StockTable): Reading[] {
  return [
    {
      ...{ name: 'toystore_lock_waits_total', help: 'Acquisitions of the lock that had to wait.', type: 'counter' },
      read: () => [
        { labels: { mode: 'read' }, value: table.lockStats().readWaits },
        { labels: { mode: 'write' }, value: table.lockStats().writeWaits },
      ],
    },
    {
      ...{ name: 'toystore_lock_longest_wait_seconds', help: 'The longest wait for the lock so far.' },
      ...{ type: 'gauge', aggregator: 'max' },
      read: () => Math.max(table.lockStats().longestReadWaitMs, table.lockStats().longestWriteWaitMs) * SECONDS_PER_MS,
    },
  ];
}
