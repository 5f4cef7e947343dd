// service-hub.ts: the metrics of one service, put together in its main thread: the process's own, what its parts count,
// and what its threads count for themselves.

import { MetricsHub, type Reading, registerReadings, ThreadMetrics } from '../metrics/index.js';
import { collectProcessMetrics } from './store-readings.js';

/**
 * A hub to which the threads of the service's pool are added as they start: `pool.on('spawn', ({ port }) => hub.add(port))`.
 *
 * @param service the value of the label `service`
 * @param readings what the main thread can read
 */
export function createServiceHub(service: string, readings: readonly Reading[]): MetricsHub {
  const own = new ThreadMetrics();
  collectProcessMetrics(own);
  registerReadings(own, readings);
  return new MetricsHub(own, { labels: { service } });
}
