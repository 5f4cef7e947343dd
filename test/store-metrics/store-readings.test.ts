// What pool, streams and journal count, under the names that docs/operations.md gives.

import { createHistogram } from 'node:perf_hooks';
import test from 'ava';
import { formatMetrics, type Reading, registerReadings, ThreadMetrics } from '../../src/metrics/index.js';
import type { PoolStats } from '../../src/pool/index.js';
import type { BatchStreamStats } from '../../src/rpc/index.js';
import type { JournalStats } from '../../src/storage/index.js';
import { batchStreamReadings, journalReadings, poolReadings } from '../../src/store-metrics/store-readings.js';

async function rowsOf(readings: Reading[]): Promise<string[]> {
  const metrics = new ThreadMetrics();
  registerReadings(metrics, readings);
  return (await formatMetrics(await metrics.snapshot()))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

test('the pool: sessions by thread, queue, waiting time in seconds, totals', async (t) => {
  const waitTimeUs = createHistogram();
  waitTimeUs.record(500);
  const thread = { threadId: 1, state: 'up' as const };
  const stats = {
    ...{ handoff: 'ipc', sessions: 5, queueLength: 4, waitTimeUs, accepted: 9, refused: 1, lost: 2, acceptErrors: 3 },
    ...{ threadsSpawned: 7, threadsRetired: 6, threadsFailed: 8 },
    threads: [
      { ...thread, threadIndex: 0, sessions: 2 },
      { ...thread, threadIndex: 1, sessions: 3 },
    ],
  } as unknown as PoolStats;
  t.deepEqual(await rowsOf(poolReadings(() => stats)), [
    'toystore_pool_sessions{thread="0"} 2',
    'toystore_pool_sessions{thread="1"} 3',
    'toystore_pool_threads 2',
    'toystore_pool_queue_length 4',
    'toystore_pool_wait_seconds{quantile="0.5"} 0.0005',
    'toystore_pool_wait_seconds{quantile="0.99"} 0.0005',
    'toystore_pool_wait_seconds_sum 0.0005',
    'toystore_pool_wait_seconds_count 1',
    'toystore_pool_connections_accepted_total 9',
    'toystore_pool_connections_refused_total 1',
    'toystore_pool_connections_lost_total 2',
    'toystore_pool_accept_errors_total 3',
    'toystore_pool_threads_started_total 7',
    'toystore_pool_threads_retired_total 6',
    'toystore_pool_threads_failed_total 8',
  ]);
});

test('batch streams: totals by stream, sizes and round trips by thread', async (t) => {
  const summary = { count: 2, min: 1, mean: 5, p50: 4, p95: 9, p99: 9, max: 9 };
  const stats: BatchStreamStats = {
    ...{ isConnected: true, waitingCalls: 1, inFlightBatches: 2, inFlightItems: 3, calls: 4, batches: 5, items: 6 },
    ...{ answered: 7, failed: 8, refused: 9, connects: 10, batchItems: summary, roundTripMs: summary },
  };
  const rows = await rowsOf(batchStreamReadings(3, { find: () => stats, order: () => stats }));
  t.true(rows.includes('toystore_batch_messages_total{stream="find"} 5'));
  t.true(rows.includes('toystore_batch_messages_total{stream="order"} 5'));
  t.true(rows.includes('toystore_batch_items_total{stream="find"} 6'));
  t.true(rows.includes('toystore_batch_size{quantile="0.99",stream="find",thread="3"} 9'));
  t.true(rows.includes('toystore_batch_size_sum{stream="order",thread="3"} 10'));
  t.true(rows.includes('toystore_batch_round_trip_seconds{quantile="0.5",stream="find",thread="3"} 0.004'));
});

test('the journal: records, groups, time of a sync', async (t) => {
  const syncMs = { count: 4, min: 1, mean: 2, p50: 1, p95: 3, p99: 3, max: 4 };
  const stats: JournalStats = { records: 10, groups: 5, syncs: 4, slowSyncs: 1, syncMs };
  t.deepEqual(await rowsOf(journalReadings(() => stats)), [
    'toystore_journal_records_total 10',
    'toystore_journal_groups_total 5',
    'toystore_journal_slow_syncs_total 1',
    'toystore_journal_sync_seconds{quantile="0.5"} 0.001',
    'toystore_journal_sync_seconds{quantile="0.99"} 0.003',
    'toystore_journal_sync_seconds_sum 0.008',
    'toystore_journal_sync_seconds_count 4',
  ]);
});
