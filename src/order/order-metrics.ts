// order-metrics.ts: what the order service counts, under the names that Prometheus shows. docs/operations.md lists them.

import { counter, gauge, type Reading } from '../metrics/index.js';
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
    gauge('toystore_selling', 'Whether the service takes orders: 1 or 0.', () => (engine().isSelling ? 1 : 0)),
    counter(
      'toystore_orders_total',
      'Orders sold since the store was opened: the next order number.',
      () => log().orders,
    ),
    gauge('toystore_order_backlog', 'Orders under way, by how far they are.', () => [
      { labels: { stage: 'waiting' }, value: engine().waiting },
      { labels: { stage: 'at-catalog' }, value: engine().inFlight },
      { labels: { stage: 'unlogged' }, value: engine().unlogged },
    ]),
    gauge('toystore_order_keys', 'Idempotency keys that are remembered.', () => [
      { labels: { kind: 'customer' }, value: log().keys.customers },
      { labels: { kind: 'made-up' }, value: log().keys.madeUp },
    ]),
    counter(
      'toystore_order_keys_forgotten_early_total',
      'Keys of customers that were forgotten before their day was over.',
      () => log().keys.forgottenEarly,
    ),
    gauge('toystore_order_log_bytes', 'Length of orders.csv.', () => log().bytes),
  ];
}
