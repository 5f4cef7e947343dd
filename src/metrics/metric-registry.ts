// metric-registry.ts: what one thread has to show: a list of things that can be asked for their values.

import type { FamilyNames, MetricFamily, MetricsSnapshot } from './metrics-snapshot.js';

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

  /** Adds metrics that are gathered together, by somebody else; whoever asks for some by name does not get these. */
  registerCollection(gather: () => Promise<MetricsSnapshot>): void {
    this.#collections.push(gather);
  }

  /** All values at this moment, or those of some families alone. */
  async snapshot(names?: FamilyNames): Promise<MetricsSnapshot> {
    const isWanted = ({ name }: MetricSource): boolean => names === undefined || names.includes(name);
    const collections = Promise.all(names === undefined ? this.#collections.map((gather) => gather()) : []);
    const own = await Promise.all(this.#metrics.filter(isWanted).map((metric) => metric.get()));
    return [...(await collections).flat(), ...own];
  }
}
