// journal-stats.ts: how often a journal syncs, how long it takes, and a warning when it takes too long.

import { createHistogram } from 'node:perf_hooks';
import type { Clock } from '../clock.js';
import { type HistogramSummary, summarize } from '../histogram-summary.js';
import type { StorageLog } from './storage-log.js';

export interface JournalStats {
  /** Records written since the journal was opened. */
  readonly records: number;
  /** Groups they were written in. */
  readonly groups: number;
  readonly syncs: number;
  readonly slowSyncs: number;
  /** Duration of the syncs in milliseconds. */
  readonly syncMs: HistogramSummary;
}

/** A sync that takes longer is worth a line in the log: a disk in good health needs a few milliseconds. (etcd's value.) */
const SLOW_SYNC_MS = 1000;

const US_PER_MS = 1000;

export class SyncTimes {
  readonly #histogramUs = createHistogram();
  #slowSyncs = 0;

  constructor(
    readonly clock: Clock,
    readonly log: StorageLog,
    readonly path: string,
  ) {}

  async measure(sync: () => Promise<void>): Promise<void> {
    const startMs = this.clock.monotonicMs();
    await sync();
    const durationMs = this.clock.monotonicMs() - startMs;
    this.#histogramUs.record(Math.max(1, Math.round(durationMs * US_PER_MS)));
    if (durationMs < SLOW_SYNC_MS) return;
    this.#slowSyncs++;
    this.log.warn('a sync to disk was slow', { path: this.path, durationMs: Math.round(durationMs) });
  }

  stats(): Pick<JournalStats, 'syncs' | 'slowSyncs' | 'syncMs'> {
    const syncMs = summarize(this.#histogramUs, US_PER_MS);
    return { syncs: syncMs.count, slowSyncs: this.#slowSyncs, syncMs };
  }
}
