// catalog-metrics.ts: what the catalog counts, under the names that Prometheus shows. docs/operations.md lists them.

import { summarize } from '../histogram-summary.js';
import { counter, gauge, type Reading, summary } from '../metrics/index.js';
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
    gauge('toystore_toys', 'Toys in the catalog.', () => catalog.stats().toys),
    gauge('toystore_stock', 'How many of a toy are left, as queries show it.', () =>
      catalog.stock(MEASURED_TOYS_MAX).map(({ name, quantity }) => ({ labels: { toy: name }, value: quantity })),
    ),
    gauge('toystore_selling', 'Whether the service takes orders: 1 or 0.', () =>
      catalog.stats().state === 'selling' ? 1 : 0,
    ),
    counter('toystore_catalog_sold_total', 'Purchases that were sold.', () => catalog.stats().seller.sold),
    gauge('toystore_holders', 'Front ends that may hold toys now.', () => holders().holders),
    counter('toystore_invalidations_total', 'Messages to a holder that a toy changes.', () => holders().invalidations),
    counter(
      'toystore_delegated_sales_total',
      'Sales that the front end they came through shows by itself.',
      () => catalog.stats().seller.delegated.sales,
    ),
    counter(
      'toystore_recalls_total',
      'Toys taken back from the front end that they were delegated to.',
      () => catalog.stats().seller.delegated.recalls,
    ),
    counter('toystore_leases_run_out_total', 'Holders that fell silent for a lease.', () => holders().leasesRunOut),
    summary('toystore_invalidation_seconds', 'Time until a holder has confirmed.', SECONDS_PER_US, () =>
      summarize(holders().confirmUs),
    ),
    counter(
      'toystore_checkpoints_total',
      'Rewrites of the CSV file, each with a new journal.',
      () => catalog.stats().checkpoints,
    ),
    gauge('toystore_journal_bytes', 'Length of the journal.', () => catalog.stats().journal.bytes),
  ];
}

/** What one thread that answers finds tells. */
export function finderReadings(finder: ToyFinder): Reading[] {
  const read = () => ({ batches: finder.stats().batches, items: finder.stats().finds });
  return [...itemReadings('find', read), ...lockReadings(finder.table)];
}

function itemReadings(kind: 'find' | 'purchase', read: () => { batches: number; items: number }): Reading[] {
  const labels = { kind };
  return [
    counter('toystore_catalog_batches_total', 'Messages answered, by what they carried.', () => [
      { labels, value: read().batches },
    ]),
    counter('toystore_catalog_items_total', 'Finds and purchases in those messages.', () => [
      { labels, value: read().items },
    ]),
  ];
}

function lockReadings(table: StockTable): Reading[] {
  const longestMs = () => Math.max(table.lockStats().longestReadWaitMs, table.lockStats().longestWriteWaitMs);
  return [
    counter('toystore_lock_waits_total', 'Acquisitions of the lock that had to wait.', () => [
      { labels: { mode: 'read' }, value: table.lockStats().readWaits },
      { labels: { mode: 'write' }, value: table.lockStats().writeWaits },
    ]),
    gauge(
      'toystore_lock_longest_wait_seconds',
      'The longest wait for the lock so far.',
      () => longestMs() * SECONDS_PER_MS,
      'max',
    ),
  ];
}
