// reading.ts: metrics that something else keeps already and that are read when somebody looks.
//
// The pool, the lock, the batch streams and the journal count for themselves and know no metrics; a Reading shows such a
// number under a name. It costs nothing until it is read.

import type { HistogramSummary } from '../histogram-summary.js';
import type { Labels, MetricFamily, MetricRow } from './metrics-snapshot.js';
import type { ThreadMetrics } from './thread-metrics.js';

/** One value, or one for each of several labels. */
export type Read<T> = T | readonly { readonly labels: Labels; readonly value: T }[];

interface Named {
  readonly name: string;
  readonly help: string;
}

/** A running total. */
export interface CounterReading extends Named {
  readonly type: 'counter';
  readonly read: () => Read<number>;
}

/** A present value; rows of several threads with the same labels are added up, or the highest counts. */
export interface GaugeReading extends Named {
  readonly type: 'gauge';
  readonly aggregator?: 'sum' | 'max';
  readonly read: () => Read<number>;
}

/** Median, 99th percentile, sum and count. Quantiles cannot be added up: labels must keep the rows of threads apart. */
export interface SummaryReading extends Named {
  readonly type: 'summary';
  /** What one unit of the values is in the unit of the metric: 1e-6 for microseconds shown as seconds. */
  readonly unit: number;
  readonly read: () => Read<HistogramSummary>;
}

export type Reading = CounterReading | GaugeReading | SummaryReading;

/** Shows all of these among a thread's metrics. */
export function registerReadings(metrics: ThreadMetrics, readings: readonly Reading[]): void {
  for (const reading of readings) metrics.register(() => familyOf(reading));
}

function familyOf(reading: Reading): MetricFamily {
  const { name, help, type } = reading;
  switch (type) {
    case 'counter':
      return { name, help, type, aggregator: 'sum', values: rowsOf(reading.read()) };
    case 'gauge':
      return { name, help, type, aggregator: reading.aggregator ?? 'sum', values: rowsOf(reading.read()) };
    case 'summary': {
      const values = rowsOf(reading.read()).flatMap(({ labels, value }) =>
        summaryRows(name, labels, value, reading.unit),
      );
      return { name, help, type, aggregator: 'sum', values };
    }
  }
}

function rowsOf<T extends number | HistogramSummary>(read: Read<T>): readonly { labels: Labels; value: T }[] {
  return Array.isArray(read) ? read : [{ labels: {}, value: read as T }];
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
