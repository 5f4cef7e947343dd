// store-readings.ts: the metrics that the parts of every service keep already, under the names that Prometheus shows.
// docs/operations.md lists them all.
//
// Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters. The label `service`
// comes from the hub; `thread` keeps apart what cannot be added up.

import { performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { type HistogramSummary, summarize } from '../histogram-summary.js';
import { counter, gauge, type Reading, snapshotOf, summary, type ThreadMetrics } from '../metrics/index.js';
import type { PoolStats } from '../pool/index.js';
import type { BatchStreamStats } from '../rpc/index.js';
import type { JournalStats } from '../storage/index.js';

const SECONDS_PER_MS = 1e-3;
const SECONDS_PER_US = 1e-6;

/** Gauges under names that Prometheus keeps for counters; each is the sum of a metric that is there as well. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * CPU, memory, open files, event loop and garbage collection of the process; in its main thread only. prom-client, which
 * collects them, is loaded at the first look: the event loop and the garbage collector are watched from then on.
 */
export function collectProcessMetrics(metrics: ThreadMetrics): void {
  let registry: Promise<Registry> | undefined;
  metrics.registerCollection(async () => {
    registry ??= import('prom-client').then(({ collectDefaultMetrics, Registry }) => {
      const register = new Registry();
      collectDefaultMetrics({ register });
      for (const name of MISNAMED) register.removeSingleMetric(name);
      return register;
    });
    const families = await snapshotOf(await registry);
    // The event loop is looked at every 10 ms: before the first look there is no mean.
    return families.map((family) => ({ ...family, values: family.values.filter(({ value }) => !Number.isNaN(value)) }));
  });
}

/**
 * How busy the event loop of this thread has been since it began: the share of a time is the growth of the first counter
 * by that of both.
 *
 * @param thread its index in the pool
 */
export function eventLoopReadings(thread: number): Reading[] {
  const seconds = (kind: 'active' | 'idle', help: string): Reading =>
    counter(`toystore_event_loop_${kind}_seconds_total`, help, () => [
      { labels: { thread }, value: performance.eventLoopUtilization()[kind] * SECONDS_PER_MS },
    ]);
  return [
    seconds('active', 'Time in which the event loop of a thread had work.'),
    seconds('idle', 'Time in which the event loop of a thread waited.'),
  ];
}

/** The thread pool, seen from the thread that accepts. */
export function poolReadings(stats: () => PoolStats): Reading[] {
  const total = (name: string, help: string, read: (stats: PoolStats) => number): Reading =>
    counter(`toystore_pool_${name}`, help, () => read(stats()));
  return [
    gauge('toystore_pool_sessions', 'Connections that a thread serves now.', () =>
      stats().threads.map(({ threadIndex, sessions }) => ({ labels: { thread: threadIndex }, value: sessions })),
    ),
    gauge('toystore_pool_threads', 'Threads of the pool now.', () => stats().threads.length),
    gauge('toystore_pool_queue_length', 'Connections that wait for a place.', () => stats().queueLength),
    summary('toystore_pool_wait_seconds', 'Time from accept until a thread has the connection.', SECONDS_PER_US, () =>
      summarize(stats().waitTimeUs),
    ),
    total('connections_accepted_total', 'Connections accepted.', ({ accepted }) => accepted),
    total('connections_refused_total', 'Connections that were not given a place.', ({ refused }) => refused),
    total('connections_lost_total', 'Connections lost with a thread.', ({ lost }) => lost),
    total(
      'accept_errors_total',
      'Failed accepts, such as for want of descriptors.',
      ({ acceptErrors }) => acceptErrors,
    ),
    total('threads_started_total', 'Threads started.', ({ threadsSpawned }) => threadsSpawned),
    total('threads_retired_total', 'Extra threads ended when idle.', ({ threadsRetired }) => threadsRetired),
    total('threads_failed_total', 'Threads that ended by themselves.', ({ threadsFailed }) => threadsFailed),
  ];
}

/**
 * The batch streams of one thread.
 *
 * @param thread its index, or its name
 * @param streams by the name of the call that they carry, such as `find` and `order`
 */
export function batchStreamReadings(
  thread: number | string,
  streams: Record<string, () => BatchStreamStats>,
): Reading[] {
  const rows = (read: (stats: BatchStreamStats) => number) => () =>
    Object.entries(streams).map(([stream, stats]) => ({ labels: { stream }, value: read(stats()) }));
  const total = (name: string, help: string, read: (stats: BatchStreamStats) => number): Reading =>
    counter(`toystore_batch_${name}`, help, rows(read));
  const present = (name: string, help: string, read: (stats: BatchStreamStats) => number): Reading =>
    gauge(`toystore_batch_${name}`, help, rows(read));
  const times = (
    name: string,
    help: string,
    unit: number,
    read: (stats: BatchStreamStats) => HistogramSummary,
  ): Reading =>
    summary(`toystore_batch_${name}`, help, unit, () =>
      Object.entries(streams).map(([stream, stats]) => ({ labels: { stream, thread }, value: read(stats()) })),
    );
  return [
    total('calls_total', 'Calls taken in.', ({ calls }) => calls),
    total('messages_total', 'Messages sent, those sent again included.', ({ batches }) => batches),
    total('items_total', 'Entries in the messages sent.', ({ items }) => items),
    total('failed_total', 'Calls that failed.', ({ failed }) => failed),
    total(
      'refused_total',
      'Calls refused at once: too many waited, or the peer was out of reach.',
      ({ refused }) => refused,
    ),
    total(
      'connects_total',
      'Streams that came up; more than one for each thread means that some broke.',
      (stats) => stats.connects,
    ),
    present('waiting_calls', 'Calls that wait for a message.', ({ waitingCalls }) => waitingCalls),
    present('in_flight_items', 'Entries sent and not yet answered.', ({ inFlightItems }) => inFlightItems),
    times('size', 'Entries in a message.', 1, ({ batchItems }) => batchItems),
    times('round_trip_seconds', 'From a message to its answer.', SECONDS_PER_MS, ({ roundTripMs }) => roundTripMs),
  ];
}

export function journalReadings(stats: () => JournalStats): Reading[] {
  return [
    counter('toystore_journal_records_total', 'Records written.', () => stats().records),
    counter('toystore_journal_groups_total', 'Groups that the records were written in.', () => stats().groups),
    counter('toystore_journal_slow_syncs_total', 'Syncs that took a second or more.', () => stats().slowSyncs),
    summary('toystore_journal_sync_seconds', 'Time of a sync to disk.', SECONDS_PER_MS, () => stats().syncMs),
  ];
}
