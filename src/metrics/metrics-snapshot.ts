// metrics-snapshot.ts: the metrics of one moment as plain data, which can cross threads and processes.
//
//   thread ── snapshot ──┐
//   thread ── snapshot ──┼─ labelled(service="catalog") ── JSON over gRPC ──┐
//   main   ── snapshot ──┘                                                  ├─ formatMetrics
//                                    the front end's own, made the same way ┘
//
// It is prom-client's own JSON form, and prom-client merges and prints it; only the types are ours, because the form
// must survive structured cloning and JSON. prom-client is loaded when somebody looks: its 88 files, in every thread of
// three processes, were a tenth of what a start cost. Rows of one family with the same labels are added up, which is right for
// counters and histograms; a gauge names its way of merging, or carries a label that keeps its rows apart.

import type { Registry } from 'prom-client';

/** The media type of the Prometheus text format. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string | number>>;

/** One line of a family: `metricName{labels} value`. */
export interface MetricRow {
  /** Where it is not the family's own name: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** One metric with all its rows. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** How rows with the same labels become one. */
  readonly aggregator: 'sum' | 'first' | 'min' | 'max' | 'average' | 'omit';
  readonly values: readonly MetricRow[];
}

/** A metric, and its values at the moment of the call. */
export interface Reading {
  readonly name: string;
  readonly get: () => MetricFamily;
}

/** Families of one name may stand in it several times, from several threads: their rows count together. */
export type MetricsSnapshot = readonly MetricFamily[];

/** The families that somebody wants to see; where it is left out: all there are. */
export type FamilyNames = readonly string[];

/** All metrics of a registry of prom-client at this moment; gauges that are read on demand are read now. */
export async function snapshotOf(registry: Registry): Promise<MetricsSnapshot> {
  // prom-client's types leave out the names of a histogram's rows, and let labels be undefined.
  return (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
}

/** One snapshot out of many. Families of one name must be of one kind. */
export async function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const { AggregatorRegistry } = await import('prom-client');
  return snapshotOf(AggregatorRegistry.aggregate(snapshots as unknown as object[]));
}

/** The same rows with more labels on each; a label that a row has already is kept. */
export function labelled(snapshot: MetricsSnapshot, labels: Labels): MetricsSnapshot {
  return snapshot.map((family) => ({
    ...family,
    values: family.values.map((row) => ({ ...row, labels: { ...labels, ...row.labels } })),
  }));
}

/** The Prometheus text of a snapshot, rows with the same labels added up; its media type is METRICS_CONTENT_TYPE. */
export async function formatMetrics(snapshot: MetricsSnapshot): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  return AggregatorRegistry.aggregate([snapshot as object]).metrics();
}

/**
 * What is left of a thread that has ended: what it counted. A counter that fell back whenever a thread went would look
 * like a restart of the service to Prometheus. Gauges and quantiles told of the thread's present, which is over.
 */
export function countsOnly(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot
    .filter((family) => family.type !== 'gauge')
    .map((family) => ({ ...family, values: family.values.filter((row) => row.labels.quantile === undefined) }));
}
