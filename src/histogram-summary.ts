// histogram-summary.ts: what a histogram of perf_hooks tells, as plain data: it can be logged, and posted to another thread.

import type { Histogram } from 'node:perf_hooks';

/** All 0 where nothing was recorded. */
export interface HistogramSummary {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** @param divisor what was recorded for one of the summary's unit: 1000 where microseconds are told as milliseconds */
export function summarize(histogram: Histogram, divisor = 1): HistogramSummary {
  const { count } = histogram;
  if (count === 0) return { count, min: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 };
  return {
    count,
    min: histogram.min / divisor,
    mean: histogram.mean / divisor,
    p50: histogram.percentile(50) / divisor,
    p95: histogram.percentile(95) / divisor,
    p99: histogram.percentile(99) / divisor,
    max: histogram.max / divisor,
  };
}
