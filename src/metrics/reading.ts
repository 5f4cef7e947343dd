// reading.ts: metrics that something else keeps already and that are read when somebody looks.
//
// The pool, the lock, the batch streams and the journal count for themselves and know no metrics; a Reading shows such a
// number under a name. It costs nothing until it is read.

import type { HistogramSummary } from '../histogram-summary.js';
import type { Labels, MetricRow } from './metrics-snapshot.js';
import type { Reading, ThreadMetrics } from './thread-metrics.js';

/** One value, or one for each of several labels. */
type Read<T> = () => T | readonly { readonly labels: Labels; readonly value: T }[];

/** A running total. */
export function counter(name: string, help: string, read: Read<number>): Reading {
  return { name, get: () => ({ name, help, type: 'counter', aggregator: 'sum', values: rowsOf(read) }) };
}

/** A present value; rows of several threads with the same labels are added up, or the highest counts. */
export function gauge(name: string, help: string, read: Read<number>, aggregator: 'sum' | 'max' = 'sum'): Reading {
  return { name, get: () => ({ name, help, type: 'gauge', aggregator, values: rowsOf(read) }) };
}

/**
 * Median, 99th percentile, sum and count. Quantiles cannot be added up: labels must keep the rows of threads apart.
 *
 * @param unit what one unit of the values is in the unit of the metric: 1e-6 for microseconds shown as seconds
 */
export function summary(name: string, help: string, unit: number, read: Read<HistogramSummary>): Reading {
  const values = () => rowsOf(read).flatMap(({ labels, value }) => summaryRows(name, labels, value, unit));
  return { name, get: () => ({ name, help, type: 'summary', aggregator: 'sum', values: values() }) };
}

/** Shows all of these among a thread's metrics. */
export function registerReadings(metrics: ThreadMetrics, readings: readonly Reading[]): void {
  for (const reading of readings) metrics.register(reading);
}

function rowsOf<T extends number | HistogramSummary>(read: Read<T>): readonly { labels: Labels; value: T }[] {
  const value = read();
  return Array.isArray(value) ? value : [{ labels: {}, value: value as T }];
}

/** The sum is the mean times the count: a recorded histogram keeps none. */
function summaryRows(
  name: string,
  labels: Labels,
  { count, mean, p50, p99 }: HistogramSummary,
  unit: number,
): MetricRow[] {
  return [
    { labels: { quantile: 0.5, ...labels }, value: p50 * unit },
    { labels: { quantile: 0.99, ...labels }, value: p99 * unit },
    { metricName: `${name}_sum`, labels, value: count === 0 ? 0 : mean * count * unit },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
