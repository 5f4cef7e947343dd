// order-metrics.ts: what the order service counts, under the names that Prometheus shows. docs/operations.md lists them.

import type { Reading } from '../metrics/index.js';
import type { PoolStats } from '../pool/index.js';
import type { BatchStreamStats } from '../rpc/index.js';
import { batchStreamReadings, journalReadings, poolReadings } from '../store-metrics/store-readings.js';
import type { EngineStats } from './engine-options.js';
import type { OrderLogStats } from './order-log.js';

/** The engine lives in the main thread: its stream to the catalog is not one of a pool's thread. */
const ENGINE_THREAD = 'main';

/** What a running order service tells of itself. */
interface OrderStats {
  readonly engine: EngineStats;
  readonly log: OrderLogStats;
  readonly link: BatchStreamStats;
  readonly pool: PoolStats;
}

/** All of the order service's metrics. Everything but the pool's threads happens in the main thread. */
export function orderReadings(stats: () => OrderStats): Reading[] {
  const engine = (): EngineStats => stats().engine;
  const log = (): OrderLogStats => stats().log;
  return [
    ...poolReadings(() => stats().pool),
    ...batchStreamReadings(ENGINE_THREAD, { process: () => stats().link }),
    ...journalReadings(() => log().writes),
    {
      ...{ name: 'toystore_selling', help: 'Whether the service takes orders: 1 or 0.', type: 'gauge' },
      read: () => (engine().isSelling ? 1 : 0),
    },
    {
      ...{
        name: 'toystore_orders_total',
        help: 'Orders sold since the store was opened: the next order number.',
        type: 'counter',
      },
      read: () => log().orders,
    },
    {
      ...{ name: 'toystore_order_backlog', help: 'Orders under way, by how far they are.', type: 'gauge' },
      read: () => [
        { labels: { stage: 'waiting' }, value: engine().waiting },
        { labels: { stage: 'at-catalog' }, value: engine().inFlight },
        { labels: { stage: 'unlogged' }, value: engine().unlogged },
      ],
    },
    {
      ...{ name: 'toystore_order_keys', help: 'Idempotency keys that are remembered.', type: 'gauge' },
      read: () => [
        { labels: { kind: 'customer' }, value: log().keys.customers },
        { labels: { kind: 'made-up' }, value: log().keys.madeUp },
      ],
    },
    {
      ...{
        name: 'toystore_order_keys_forgotten_early_total',
        help: 'Keys of customers that were forgotten before their day was over.',
        type: 'counter',
      },
      read: () => log().keys.forgottenEarly,
    },
    {
      ...{ name: 'toystore_order_log_bytes', help: 'Length of orders.csv.', type: 'gauge' },
      read: () => log().bytes,
    },
  ];
}
