// live-reading.ts: from the metrics of two moments to what happened between them, as the page shows it.
//
//   snapshot at t ──────┐
//   snapshot at t + 1 s ┴─ differences ──> LiveFigures      what /metrics shows, and nothing else; no sockets, no clock
//
// A counter that falls back belongs to a service that was started again: for that second the figure is unknown.

import type { LiveFigures, LiveLatency, LiveService } from '../../live-figures.js';
import type { Labels, MetricRow, MetricsSnapshot } from '../../metrics/index.js';

/** The metrics that the page's figures are made from. */
export const METRIC = {
  durations: 'toystore_http_request_duration_seconds',
  syncs: 'toystore_journal_sync_seconds',
  sold: 'toystore_catalog_sold_total',
  batchItems: 'toystore_batch_items_total',
  batchMessages: 'toystore_batch_messages_total',
  heldHits: 'toystore_held_hits_total',
  heldMisses: 'toystore_held_misses_total',
  queueLength: 'toystore_pool_queue_length',
  lockWaits: 'toystore_lock_waits_total',
  heldToys: 'toystore_held_toys',
  up: 'toystore_up',
  selling: 'toystore_selling',
  sessions: 'toystore_pool_sessions',
  active: 'toystore_event_loop_active_seconds_total',
  idle: 'toystore_event_loop_idle_seconds_total',
} as const;

/** What a snapshot must have. */
export const LIVE_METRICS: readonly string[] = Object.values(METRIC);

const FIND = { service: 'frontend', route: '/products/:name' } as const;
const ORDER = { service: 'frontend', route: '/orders' } as const;
const SERVICES = ['frontend', 'catalog', 'order'] as const;
/** Statuses that are the store's failure and not the customer's. */
const FAILED_STATUS_MIN = 500;
const MS_PER_SECOND = 1_000;

/** Reads one snapshot after the other; each tells what happened since the one before. */
export class LiveReading {
  #before: Moment | undefined;

  /**
   * @param snapshot of the whole store
   * @param atMs when it was taken, in milliseconds since 1970
   * @param away services that were out of reach at some time since the snapshot before
   */
  next(snapshot: MetricsSnapshot, atMs: number, away: ReadonlySet<string> = new Set()): LiveFigures {
    const now = new Moment(snapshot, atMs);
    const growth = new Growth(this.#before, now);
    this.#before = now;
    const finds = growth.of(METRIC.durations, '_count', FIND);
    const orders = growth.of(METRIC.durations, '_count', ORDER);
    const failed = growth.of(METRIC.durations, '_count', { service: 'frontend' }, isFailure);
    const syncs = growth.of(METRIC.syncs, '_count', { service: 'catalog' });
    const syncSeconds = growth.of(METRIC.syncs, '_sum', { service: 'catalog' });
    const sold = growth.of(METRIC.sold, '', { service: 'catalog' });
    const perMessage = (stream: string): number | null => {
      const labels = { service: 'frontend', stream };
      return ratio(growth.of(METRIC.batchItems, '', labels), growth.of(METRIC.batchMessages, '', labels));
    };
    const hits = growth.of(METRIC.heldHits, '', {});
    const misses = growth.of(METRIC.heldMisses, '', {});
    return {
      atMs,
      services: SERVICES.map((name) => serviceOf(name, growth, away.has(name))),
      findsPerSecond: growth.perSecond(finds) ?? 0,
      ordersPerSecond: growth.perSecond(orders) ?? 0,
      failedPerSecond: growth.perSecond(failed) ?? 0,
      findLatencyMs: growth.latencyMs(FIND),
      orderLatencyMs: growth.latencyMs(ORDER),
      queueLength: now.sum(METRIC.queueLength, '', { service: 'frontend' }) ?? 0,
      lockWaitsPerSecond: growth.perSecond(growth.of(METRIC.lockWaits, '', {})),
      findsPerMessage: perMessage('find'),
      ordersPerMessage: perMessage('order'),
      hitShare: hits === null || misses === null ? null : ratio(hits, hits + misses),
      heldToys: now.sum(METRIC.heldToys, '', {}),
      syncsPerSecond: growth.perSecond(syncs),
      ordersPerSync: ratio(sold, syncs),
      syncMs: scaled(ratio(syncSeconds, syncs), MS_PER_SECOND),
    };
  }
}

/** A snapshot that is asked by name and labels. */
class Moment {
  readonly #rows = new Map<string, MetricRow[]>();

  constructor(
    snapshot: MetricsSnapshot,
    readonly atMs: number,
  ) {
    for (const family of snapshot) {
      for (const row of family.values) {
        const name = row.metricName ?? family.name;
        const rows = this.#rows.get(name);
        if (rows === undefined) this.#rows.set(name, [row]);
        else rows.push(row);
      }
    }
  }

  /** The rows of a metric that have those labels. */
  rows(name: string, labels: Labels): MetricRow[] {
    const wanted = Object.entries(labels);
    return (this.#rows.get(name) ?? []).filter((row) => wanted.every(([key, value]) => row.labels[key] === value));
  }

  /** Their sum; null where there is none. */
  sum(name: string, suffix: string, labels: Labels, accepts: (row: MetricRow) => boolean = () => true): number | null {
    const rows = this.rows(`${name}${suffix}`, labels);
    if (rows.length === 0) return null;
    return rows.filter(accepts).reduce((sum, { value }) => sum + value, 0);
  }
}

/** What has grown from one moment to the next. */
class Growth {
  constructor(
    readonly before: Moment | undefined,
    readonly now: Moment,
  ) {}

  of(name: string, suffix: string, labels: Labels, accepts?: (row: MetricRow) => boolean): number | null {
    const sum = this.now.sum(name, suffix, labels, accepts);
    if (sum === null || this.before === undefined) return null;
    // What is counted for the first time has grown from nothing.
    const last = this.before.sum(name, suffix, labels, accepts) ?? 0;
    return sum < last ? null : sum - last;
  }

  perSecond(growth: number | null): number | null {
    const seconds = (this.now.atMs - (this.before?.atMs ?? this.now.atMs)) / MS_PER_SECOND;
    return growth === null || seconds <= 0 ? null : growth / seconds;
  }

  /** Percentiles of the requests in between, from the buckets of the histogram. */
  latencyMs(labels: Labels): LiveLatency | null {
    const buckets = new Map<number, number>();
    const add = (moment: Moment | undefined, sign: 1 | -1): void => {
      for (const { labels: row, value } of moment?.rows(`${METRIC.durations}_bucket`, labels) ?? []) {
        const bound = row.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(row.le);
        buckets.set(bound, (buckets.get(bound) ?? 0) + sign * value);
      }
    };
    add(this.now, 1);
    add(this.before, -1);
    const bounds = [...buckets].sort(([one], [other]) => one - other);
    const count = bounds.at(-1)?.[1] ?? 0;
    if (this.before === undefined || count <= 0) return null;
    const at = (share: number): number => percentile(bounds, count * share) * MS_PER_SECOND;
    return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
  }
}

/** Where so many of the values lie at or below, taking those of one bucket as evenly spread. */
function percentile(bounds: readonly (readonly [bound: number, atOrBelow: number])[], rank: number): number {
  let lowBound = 0;
  let lowCount = 0;
  for (const [bound, atOrBelow] of bounds) {
    if (atOrBelow >= rank) {
      // Nothing is known of values beyond the last bound but that they are.
      if (bound === Number.POSITIVE_INFINITY) return lowBound;
      const inBucket = atOrBelow - lowCount;
      return inBucket <= 0 ? bound : lowBound + ((bound - lowBound) * (rank - lowCount)) / inBucket;
    }
    lowBound = bound;
    lowCount = atOrBelow;
  }
  return lowBound;
}

function serviceOf(name: LiveService['name'], growth: Growth, wasAway: boolean): LiveService {
  const { now } = growth;
  const sells = (service: string): boolean => now.sum(METRIC.selling, '', { service }) === 1;
  return {
    name,
    isUp: name === 'frontend' || (!wasAway && now.sum(METRIC.up, '', { service: name }) === 1),
    isSelling: name === 'frontend' ? sells('catalog') && sells('order') : sells(name),
    threads: now.rows(METRIC.sessions, { service: name }).map(({ labels: { thread = '' }, value }) => {
      const labels = { service: name, thread };
      const active = growth.of(METRIC.active, '', labels);
      const idle = growth.of(METRIC.idle, '', labels);
      const utilization = active === null || idle === null ? null : ratio(active, active + idle);
      return { thread: String(thread), sessions: value, utilization };
    }),
  };
}

function isFailure({ labels }: MetricRow): boolean {
  return Number(labels.status) >= FAILED_STATUS_MIN;
}

function ratio(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : part / whole;
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
