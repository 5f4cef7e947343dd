// reading.ts: metrics that something else keeps already and that are read when somebody looks.
//
// The pool, the lock, the batch streams and the journal count for themselves and know no metrics; a Reading shows such a
// number under a name. It costs nothing until it is read.

import type { Histogram } from 'node:perf_hooks';
import type { Metric, Registry } from 'prom-client';
import type { Labels, MetricFamily, MetricRow } from './metrics-snapshot.js';

/** A number, a number for each of several labels, or none at the moment. */
export type ReadValue = number | readonly { readonly labels: Labels; readonly value: number }[];

/** What a recorded histogram tells of its values, in its own unit. A perf_hooks histogram is one through `recorded`. */
export interface RecordedValues {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

interface Named {
  readonly name: string;
  readonly help: string;
}

/** A running total. */
export interface CounterReading extends Named {
  readonly type: 'counter';
  readonly read: () => ReadValue;
}

/** A present value; rows of several threads with the same labels are added up, or the highest counts. */
export interface GaugeReading extends Named {
  readonly type: 'gauge';
  readonly aggregator?: 'sum' | 'max';
  readonly read: () => ReadValue;
}

/** Median, 99th percentile, sum and count. Quantiles cannot be added up: labels must keep the rows of threads apart. */
export interface SummaryReading extends Named {
  readonly type: 'summary';
  readonly labels?: Labels;
  /** What one unit of the values is in the unit of the metric: 1e-6 for microseconds shown as seconds. */
  readonly unit: number;
  readonly read: () => RecordedValues;
}

export type Reading = CounterReading | GaugeReading | SummaryReading;

/** Shows all of these in a registry. */
export function registerReadings(registry: Registry, readings: readonly Reading[]): void {
  for (const reading of readings) {
    // All that a registry asks of a metric is its name and `get`, which its types do not say.
    registry.registerMetric({ name: reading.name, get: () => familyOf(reading) } as unknown as Metric);
  }
}

/** The values of a perf_hooks histogram. */
export function recorded(histogram: Histogram): RecordedValues {
  const { count } = histogram;
  if (count === 0) return { count, mean: 0, p50: 0, p99: 0 };
  return { count, mean: histogram.mean, p50: histogram.percentile(50), p99: histogram.percentile(99) };
}

function familyOf(reading: Reading): MetricFamily {
  const { name, help, type } = reading;
  if (type === 'summary') return { name, help, type, aggregator: 'sum', values: summaryRows(reading) };
  const value = reading.read();
  const values = typeof value === 'number' ? [{ labels: {}, value }] : value;
  const aggregator = type === 'gauge' ? (reading.aggregator ?? 'sum') : 'sum';
  return { name, help, type, aggregator, values };
}

/** The sum is the mean times the count: a recorded histogram keeps none. */
function summaryRows({ name, labels = {}, unit, read }: SummaryReading): MetricRow[] {
  const { count, mean, p50, p99 } = read();
  return [
    { labels: { quantile: 0.5, ...labels }, value: p50 * unit },
    { labels: { quantile: 0.99, ...labels }, value: p99 * unit },
    { metricName: `${name}_sum`, labels, value: count === 0 ? 0 : mean * count * unit },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
