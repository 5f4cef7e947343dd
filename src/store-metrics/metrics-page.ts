// metrics-page.ts: what `/metrics` of the front end shows: the whole store on one page.
//
// Catalog and order speak gRPC only; a port of their own for metrics would be two more settings and two more things to
// find. So the front end asks them, and a scrape of one address has it all, told apart by the label `service`. A backend
// that does not answer is missing from the page, and toystore_up says so. With more than one front end every one of them
// shows the same backends: `max without (instance)` over those.

import { type FamilyNames, formatMetrics, type MetricsSnapshot } from '../metrics/index.js';

export interface MetricsSource {
  /** The value of the label `service`. */
  readonly service: string;
  /** Undefined when the service does not answer in time; never rejects. */
  gather(names?: FamilyNames): Promise<MetricsSnapshot | undefined>;
}

/** The metrics of several services as Prometheus text. */
export async function metricsPage(sources: readonly MetricsSource[]): Promise<string> {
  return formatMetrics(await storeSnapshot(sources));
}

/**
 * The metrics of several services at this moment, with toystore_up for each.
 *
 * @param names asked for of each; all there are where they are left out
 */
export async function storeSnapshot(sources: readonly MetricsSource[], names?: FamilyNames): Promise<MetricsSnapshot> {
  const snapshots = await Promise.all(sources.map((source) => source.gather(names)));
  const up: MetricsSnapshot = [
    {
      name: 'toystore_up',
      help: 'Whether the service told its metrics.',
      type: 'gauge',
      aggregator: 'sum',
      values: sources.map(({ service }, index) => ({
        labels: { service },
        value: snapshots[index] === undefined ? 0 : 1,
      })),
    },
  ];
  const answered = snapshots.filter((snapshot) => snapshot !== undefined);
  return [up, ...answered].flat();
}
