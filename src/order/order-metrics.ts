// order-metrics.ts: what the order service tells Prometheus, all of it from the engine's thread.

import { MetricsHub, type Reading, registerReadings, ThreadMetrics } from '../metrics/index.js';
import {
  batchStreamReadings,
  collectProcessMetrics,
  journalReadings,
  poolReadings,
} from '../store-metrics/store-readings.js';
import type { OrderServiceStats } from './start-order.js';

/** The engine's thread, among the threads that have batch streams. */
const ENGINE_THREAD_INDEX = 0;

/** The hub of a running order service, which gathers its own threads' metrics too. */
export function createOrderMetrics(stats: () => OrderServiceStats): MetricsHub {
  const metrics = new ThreadMetrics();
  collectProcessMetrics(metrics);
  const counter = (name: string, help: string, read: (stats: OrderServiceStats) => number): Reading => ({
    ...{ name: `toystore_${name}`, help, type: 'counter' },
    read: () => read(stats()),
  });
  const gauge = (name: string, help: string, read: (stats: OrderServiceStats) => number): Reading => ({
    ...{ name: `toystore_${name}`, help, type: 'gauge' },
    read: () => read(stats()),
  });
  registerReadings(metrics.registry, [
    ...poolReadings(() => stats().pool),
    ...journalReadings(() => stats().log.journal),
    ...batchStreamReadings(ENGINE_THREAD_INDEX, { purchase: () => stats().link }),
    gauge('journal_bytes', 'Size of the journal.', ({ log }) => log.journalBytes),
    counter('checkpoints_total', 'Checkpoints written.', ({ log }) => log.checkpoints),
    gauge('selling', 'Whether the service sells: 1 or 0.', ({ engine }) => (engine.isSelling ? 1 : 0)),
    gauge('orders', 'Orders in the log.', ({ log }) => log.orders),
    counter('orders_logged_total', 'Orders written since the start.', ({ engine }) => engine.orders),
    counter('order_groups_total', 'Groups that they were written in.', ({ engine }) => engine.groups),
    gauge('orders_waiting', 'Orders not sent to the catalog yet.', ({ engine }) => engine.waiting),
    gauge('orders_in_flight', 'Orders at the catalog.', ({ engine }) => engine.inFlight),
  ]);
  return new MetricsHub(metrics, { labels: { service: 'order' } });
}
