// store-readings.ts: the metrics that the parts of every service keep already, under the names that Prometheus shows.
// docs/operations.md lists them all.
//
// Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters. The label `service`
// comes from the hub; `thread` keeps apart what cannot be added up.

import { performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { type HistogramSummary, summarize } from '../histogram-summary.js';
import { type Reading, snapshotOf, type ThreadMetrics } from '../metrics/index.js';
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
  const counter = (kind: 'active' | 'idle', help: string): Reading => ({
    ...{ name: `toystore_event_loop_${kind}_seconds_total`, help, type: 'counter' },
    read: () => [{ labels: { thread }, value: performance.eventLoopUtilization()[kind] * SECONDS_PER_MS }],
  });
  return [
    counter('active', 'Time in which the event loop of a thread had work.'),
    counter('idle', 'Time in which the event loop of a thread waited.'),
  ];
}

/** The thread pool, seen from the thread that accepts. */
export function poolReadings(stats: () => PoolStats): Reading[] {
  const counter = (name: string, help: string, read: (stats: PoolStats) => number): Reading => ({
    ...{ name: `toystore_pool_${name}`, help, type: 'counter' },
    read: () => read(stats()),
  });
  return [
    {
      ...{ name: 'toystore_pool_sessions', help: 'Connections that a thread serves now.', type: 'gauge' },
      read: () =>
        stats().threads.map(({ threadIndex, sessions }) => ({ labels: { thread: threadIndex }, value: sessions })),
    },
    {
      ...{ name: 'toystore_pool_threads', help: 'Threads of the pool now.', type: 'gauge' },
      read: () => stats().threads.length,
    },
    {
      ...{ name: 'toystore_pool_queue_length', help: 'Connections that wait for a place.', type: 'gauge' },
      read: () => stats().queueLength,
    },
    {
      ...{ name: 'toystore_pool_wait_seconds', help: 'Time from accept until a thread has the connection.' },
      ...{ type: 'summary', unit: SECONDS_PER_US },
      read: () => summarize(stats().waitTimeUs),
    },
    counter('connections_accepted_total', 'Connections accepted.', ({ accepted }) => accepted),
    counter('connections_refused_total', 'Connections that were not given a place.', ({ refused }) => refused),
    counter('connections_lost_total', 'Connections lost with a thread.', ({ lost }) => lost),
    counter(
      'accept_errors_total',
      'Failed accepts, such as for want of descriptors.',
      ({ acceptErrors }) => acceptErrors,
    ),
    counter('threads_started_total', 'Threads started.', ({ threadsSpawned }) => threadsSpawned),
    counter('threads_retired_total', 'Extra threads ended when idle.', ({ threadsRetired }) => threadsRetired),
    counter('threads_failed_total', 'Threads that ended by themselves.', ({ threadsFailed }) => threadsFailed),
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
  const counter = (name: string, help: string, read: (stats: BatchStreamStats) => number): Reading => ({
    ...{ name: `toystore_batch_${name}`, help, type: 'counter' },
    read: rows(read),
  });
  const gauge = (name: string, help: string, read: (stats: BatchStreamStats) => number): Reading => ({
    ...{ name: `toystore_batch_${name}`, help, type: 'gauge' },
    read: rows(read),
  });
  const summary = (
    name: string,
    help: string,
    unit: number,
    read: (stats: BatchStreamStats) => HistogramSummary,
  ): Reading => ({
    ...{ name: `toystore_batch_${name}`, help, type: 'summary', unit },
    read: () =>
      Object.entries(streams).map(([stream, stats]) => ({
        labels: { stream, thread },
        value: read(stats()),
      })),
  });
  return [
    counter('calls_total', 'Calls taken in.', ({ calls }) => calls),
    counter('messages_total', 'Messages sent, those sent again included.', ({ batches }) => batches),
    counter('items_total', 'Entries in the messages sent.', ({ items }) => items),
    counter('failed_total', 'Calls that failed.', ({ failed }) => failed),
    counter(
      'refused_total',
      'Calls refused at once: too many waited, or the peer was out of reach.',
      ({ refused }) => refused,
    ),
    counter(
      'connects_total',
      'Streams that came up; more than one for each thread means that some broke.',
      (stats) => stats.connects,
    ),
    gauge('waiting_calls', 'Calls that wait for a message.', ({ waitingCalls }) => waitingCalls),
    gauge('in_flight_items', 'Entries sent and not yet answered.', ({ inFlightItems }) => inFlightItems),
    summary('size', 'Entries in a message.', 1, ({ batchItems }) => batchItems),
    summary('round_trip_seconds', 'From a message to its answer.', SECONDS_PER_MS, ({ roundTripMs }) => roundTripMs),
  ];
}

/** The journal of a service. */
export function journalReadings(stats: () => JournalStats): Reading[] {
  return [
    {
      ...{ name: 'toystore_journal_records_total', help: 'Records written.', type: 'counter' },
      read: () => stats().records,
    },
    {
      ...{ name: 'toystore_journal_groups_total', help: 'Groups that the records were written in.', type: 'counter' },
      read: () => stats().groups,
    },
    {
      ...{ name: 'toystore_journal_slow_syncs_total', help: 'Syncs that took a second or more.', type: 'counter' },
      read: () => stats().slowSyncs,
    },
    {
      ...{
        name: 'toystore_journal_sync_seconds',
        help: 'Time of a sync to disk.',
        type: 'summary',
        unit: SECONDS_PER_MS,
      },
      read: () => stats().syncMs,
    },
  ];
}
