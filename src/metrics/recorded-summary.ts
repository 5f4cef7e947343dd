// recorded-summary.ts: a histogram of node:perf_hooks shown as a Prometheus summary.
//
// The pool and the journal record their times with perf_hooks, whose histograms may be shared between threads and know
// every quantile. Quantiles of several threads cannot be added up, so such a summary is registered in one thread only.

import type { Histogram } from 'node:perf_hooks';
import type { Metric, Registry } from 'prom-client';
import type { Labels, MetricFamily, MetricRow } from './metrics-snapshot.js';

const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

export interface RecordedSummaryOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
  /** Read at each scrape. */
  readonly histogram: () => Histogram;
  /** What one unit of the histogram is in the unit of the metric: 1e-9 for nanoseconds shown as seconds. */
  readonly unit: number;
  readonly labels?: Labels;
}

/** Shows a perf_hooks histogram under a name of its own. */
export class RecordedSummary {
  readonly name: string;
  readonly #options: RecordedSummaryOptions;

  constructor(options: RecordedSummaryOptions) {
    this.name = options.name;
    this.#options = options;
    // All that a registry asks of a metric is its name and `get`, which its types do not say.
    options.registry.registerMetric(this as unknown as Metric);
  }

  /** The summary in prom-client's form. The sum is the mean times the count: perf_hooks keeps no sum. */
  async get(): Promise<MetricFamily> {
    const { name, help, unit, labels = {}, histogram: read } = this.#options;
    const histogram = read();
    const { count } = histogram;
    const values: MetricRow[] = QUANTILES.map((quantile) => ({
      labels: { quantile, ...labels },
      value: count === 0 ? 0 : histogram.percentile(quantile * 100) * unit,
    }));
    values.push({ metricName: `${name}_sum`, labels, value: count === 0 ? 0 : histogram.mean * count * unit });
    values.push({ metricName: `${name}_count`, labels, value: count });
    return { name, help, type: 'summary', aggregator: 'sum', values };
  }
}
