// http-metrics.ts: how many requests were answered how, and how long it took, for each route and status.

import {
  counter,
  DurationHistogram,
  type HistogramSeries,
  registerReadings,
  type ThreadMetrics,
} from '../metrics/index.js';

const SECONDS_PER_MS = 1e-3;

export class HttpMetrics {
  readonly #durations: DurationHistogram;
  readonly #refused = new Map<number, number>();
  // Looked up for each request: a route's series by status, so that no key has to be put together.
  readonly #byRoute = new Map<string, Map<number, HistogramSeries>>();

  constructor(metrics: ThreadMetrics) {
    this.#durations = new DurationHistogram({
      name: 'toystore_http_request_duration_seconds',
      help: 'Time from a whole request to its answer; an empty route is one that does not exist.',
      metrics,
    });
    const refused = () => Array.from(this.#refused, ([status, value]) => ({ labels: { status }, value }));
    const what = 'Messages refused before they were whole requests: malformed, too large, or too slow.';
    registerReadings(metrics, [counter('toystore_http_refused_total', what, refused)]);
  }

  /** Counts one answered request. */
  record(route: string, status: number, durationMs: number): void {
    let series = this.#byRoute.get(route)?.get(status);
    if (series === undefined) series = this.#addSeries(route, status);
    series.observe(durationMs * SECONDS_PER_MS);
  }

  /** Counts what was no request: the parser refused it, or it took too long to come. */
  recordRefusal(status: number): void {
    this.#refused.set(status, (this.#refused.get(status) ?? 0) + 1);
  }

  #addSeries(route: string, status: number): HistogramSeries {
    const byStatus = this.#byRoute.get(route) ?? new Map<number, HistogramSeries>();
    this.#byRoute.set(route, byStatus);
    const series = this.#durations.series({ route, status });
    byStatus.set(status, series);
    return series;
  }
}
