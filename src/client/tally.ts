// tally.ts: what one kind of request came to: latencies of the answers that were right, and how many were not.
//
// A latency runs from handing the request to the socket to having read the whole answer. Latencies of errors are left
// out: a refusal is often faster than an answer and would make a broken store look quick.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { type HistogramSummary, summarize } from '../histogram-summary.js';

/** Three significant digits from 1 ns to 10 minutes: 0.1% of any latency, in about 300 KiB. */
const HISTOGRAM = { lowest: 1, highest: 600_000_000_000, figures: 3 } as const;
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;

/** The figures of one kind of request; times in milliseconds, all 0 where nothing was counted. */
export interface TallySummary extends HistogramSummary {
  /** Answers that were as expected; only these have latencies. */
  readonly count: number;
  readonly errors: number;
}

/** What a whole run came to, in the shape that `--json` prints. */
export interface LoadSummary {
  readonly query: TallySummary;
  readonly order: TallySummary;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Expected answers per second, queries and orders together. */
  readonly throughput: number;
}

/** Counts the answers and errors of one kind of request. */
export class Tally {
  readonly #latencies: RecordableHistogram = createHistogram(HISTOGRAM);
  #errors = 0;
  #lastError: string | undefined;

  get count(): number {
    return this.#latencies.count;
  }

  get errors(): number {
    return this.#errors;
  }

  /** What went wrong most recently, in words for the user. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** An answer that was as expected, after so many milliseconds. */
  answered(latencyMs: number): void {
    this.#latencies.record(Math.max(1, Math.round(latencyMs * NS_PER_MS)));
  }

  failed(reason: string): void {
    this.#errors += 1;
    this.#lastError = reason;
  }

  summary(): TallySummary {
    const { count, ...times } = summarize(this.#latencies, NS_PER_MS);
    return { count, errors: this.#errors, ...times };
  }
}

/** Puts the two kinds and the time together. */
export function summarizeLoad(query: Tally, order: Tally, elapsedMs: number): LoadSummary {
  const seconds = elapsedMs / MS_PER_S;
  const answered = query.count + order.count;
  return {
    query: query.summary(),
    order: order.summary(),
    seconds,
    throughput: seconds > 0 ? answered / seconds : 0,
  };
}
