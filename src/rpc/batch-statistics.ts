// batch-statistics.ts: what a batch stream counts, and the plain data it tells. The histograms are Node's own
// (perf_hooks): recording a value costs about 0.1 µs, and one is recorded for a batch, not for an item.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { type HistogramSummary, summarize } from '../histogram-summary.js';

export interface BatchStreamStats {
  readonly isConnected: boolean;
  /** Calls that wait for a batch. */
  readonly waitingCalls: number;
  /** Batches sent and not yet answered, and the entries in them. */
  readonly inFlightBatches: number;
  readonly inFlightItems: number;
  /** Since the stream began: calls taken in; messages sent, those sent again included; entries in them; of the calls
   *  taken in, those answered, and those that failed by any error; calls refused at once: the queue was full, the peer
   *  out of reach, or the stream at its end. */
  readonly calls: number;
  readonly batches: number;
  readonly items: number;
  readonly answered: number;
  readonly failed: number;
  readonly refused: number;
  /** Streams opened that came up. More than one: the others were broken. */
  readonly connects: number;
  /** Entries per message sent. */
  readonly batchItems: HistogramSummary;
  /** From sending a batch to its answer, in milliseconds. */
  readonly roundTripMs: HistogramSummary;
}

const MICROSECONDS_PER_MS = 1000;

export class BatchStatistics {
  calls = 0;
  batches = 0;
  items = 0;
  answered = 0;
  failed = 0;
  refused = 0;
  connects = 0;
  readonly #batchItems: RecordableHistogram = createHistogram();
  readonly #roundTripMicroseconds: RecordableHistogram = createHistogram();

  recordBatch(itemCount: number): void {
    this.batches++;
    this.items += itemCount;
    this.#batchItems.record(itemCount);
  }

  recordRoundTrip(ms: number): void {
    // The histogram takes whole numbers from 1.
    this.#roundTripMicroseconds.record(Math.max(1, Math.round(ms * MICROSECONDS_PER_MS)));
  }

  snapshot(): Omit<BatchStreamStats, 'isConnected' | 'waitingCalls' | 'inFlightBatches' | 'inFlightItems'> {
    const { calls, batches, items, answered, failed, refused, connects } = this;
    return {
      ...{ calls, batches, items, answered, failed, refused, connects },
      batchItems: summarize(this.#batchItems),
      roundTripMs: summarize(this.#roundTripMicroseconds, MICROSECONDS_PER_MS),
    };
  }
}
