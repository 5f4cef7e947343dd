// metric-registry.ts: what one thread has to show: a list of things that can be asked for their values.

import type { MetricFamily, MetricsSnapshot } from './metrics-snapshot.js';

/** One metric; prom-client's own metrics are such, too. */
export interface MetricSource {
  readonly name: string;
  /** Its values at this moment. */
  get(): MetricFamily | Promise<MetricFamily>;
}

/** The metrics of one thread. */
export class MetricRegistry {
  readonly #metrics: MetricSource[] = [];
  readonly #collections: (() => Promise<MetricsSnapshot>)[] = [];

  registerMetric(metric: MetricSource): void {
    this.#metrics.push(metric);
  }

  /** Adds metrics that are gathered together, by somebody else. */
  registerCollection(gather: () => Promise<MetricsSnapshot>): void {
    this.#collections.push(gather);
  }

  /** All values at this moment. */
  async snapshot(): Promise<MetricsSnapshot> {
    const collections = Promise.all(this.#collections.map((gather) => gather()));
    const own = await Promise.all(this.#metrics.map((metric) => metric.get()));
    return [...(await collections).flat(), ...own];
  }
}
