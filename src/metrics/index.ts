// The face of src/metrics: Prometheus metrics that are right across threads and processes, on top of prom-client.
//
// Each thread counts into its own ThreadMetrics; the main thread's MetricsHub gathers; whoever serves /metrics merges
// what the services of the store have gathered and prints it. The library knows no service and no toy.

export {
  DURATION_BUCKETS_S,
  DurationHistogram,
  type DurationHistogramOptions,
  HistogramSeries,
} from './duration-histogram.js';
export { MetricsHub, type MetricsHubOptions } from './metrics-hub.js';
export {
  type FamilyNames,
  formatMetrics,
  type Labels,
  METRICS_CONTENT_TYPE,
  type MetricFamily,
  type MetricRow,
  type MetricsSnapshot,
  mergeSnapshots,
  type Reading,
  snapshotOf,
} from './metrics-snapshot.js';
export { counter, gauge, registerReadings, summary } from './reading.js';
export { ThreadMetrics } from './thread-metrics.js';
