// Metrics of a catalog with more toys than Prometheus should keep time series for.

import test from 'ava';
import type { CatalogStats } from '../../src/catalog/catalog-engine.js';
import { MEASURED_TOYS_MAX } from '../../src/catalog/catalog-limits.js';
import { catalogReadings } from '../../src/catalog/catalog-metrics.js';
import type { StockTable } from '../../src/catalog/stock-table.js';
import type { PoolStats } from '../../src/pool/index.js';

test('the first toys have a row each, however many there are', (t) => {
  const toys = 3 * MEASURED_TOYS_MAX;
  const names = Array.from({ length: toys }, (_, toy) => `Toy ${toy}`);
  const readings = catalogReadings({
    table: {} as StockTable,
    stats: () => ({ toys }) as CatalogStats & { readonly pool: PoolStats },
    stock: (toysMax) => names.slice(0, toysMax).map((name, quantity) => ({ name, quantity })),
  });
  const rowsOf = (name: string) => readings.find((reading) => reading.name === name)!.get().values;
  t.like(rowsOf('toystore_toys'), [{ value: toys }]);
  const rows = rowsOf('toystore_stock');
  t.is(rows.length, MEASURED_TOYS_MAX);
  t.deepEqual(rows.at(-1), { labels: { toy: `Toy ${MEASURED_TOYS_MAX - 1}` }, value: MEASURED_TOYS_MAX - 1 });
});
