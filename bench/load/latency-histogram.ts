// latency-histogram.ts: latencies in an HDR histogram (Gil Tene's), recorded in ticks, read in milliseconds.
//
// A tick is 0.1 µs and three digits are kept, so any latency up to a minute is known to 0.1%. Whole ticks stay below
// 2^31, where V8 computes with small integers. An encoded histogram is a short text: it crosses processes, stands in
// results.json, and can be added to others later, which percentiles cannot.

import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from 'hdr-histogram-js';

const TICKS_PER_MS = 10_000;
const LONGEST_TICKS = 60_000 * TICKS_PER_MS;

/** What is read of a distribution, in milliseconds. Errors are counted beside it, never in it. */
export type LatencyFigures = ReturnType<LatencyHistogram['figures']>;

/** How much of a distribution lies between two latencies, for drawing. */
export interface LatencyBin {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** A distribution of latencies. */
export class LatencyHistogram {
  readonly #histogram: JsHistogram;

  constructor(histogram: JsHistogram = emptyHistogram()) {
    this.#histogram = histogram;
  }

  static decode(text: string): LatencyHistogram {
    return new LatencyHistogram(decodeFromCompressedBase64(text, 32, false) as JsHistogram);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Latencies past a minute count as a minute. */
  record(latencyMs: number): void {
    this.#histogram.recordValue(Math.min(LONGEST_TICKS, Math.max(0, Math.round(latencyMs * TICKS_PER_MS))));
  }

  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  /** @param percentile 0 to 100 */
  atMs(percentile: number): number {
    return this.#histogram.totalCount === 0 ? 0 : this.#histogram.getValueAtPercentile(percentile) / TICKS_PER_MS;
  }

  figures(errors: number) {
    const { totalCount: count, mean } = this.#histogram;
    return {
      count,
      errors,
      min: this.atMs(0),
      mean: count === 0 ? 0 : mean / TICKS_PER_MS,
      p50: this.atMs(50),
      p90: this.atMs(90),
      p95: this.atMs(95),
      p99: this.atMs(99),
      p999: this.atMs(99.9),
      max: this.atMs(100),
    };
  }

  /** The distribution in bins of equal width on a log axis, from the shortest latency to the longest. */
  logBins(binsPerDecade: number): LatencyBin[] {
    if (this.count === 0) return [];
    const indexOf = (ms: number): number => Math.floor(Math.log10(Math.max(ms, 1 / TICKS_PER_MS)) * binsPerDecade);
    const edge = (index: number): number => 10 ** (index / binsPerDecade);
    const first = indexOf(this.atMs(0));
    const bins = Array.from({ length: indexOf(this.atMs(100)) - first + 1 }, (_, i) => ({
      fromMs: edge(first + i),
      toMs: edge(first + i + 1),
      count: 0,
    }));
    const values = this.#histogram.recordedValuesIterator;
    values.reset();
    while (values.hasNext()) {
      const { valueIteratedTo, countAddedInThisIterationStep } = values.next();
      const index = Math.min(bins.length - 1, Math.max(0, indexOf(valueIteratedTo / TICKS_PER_MS) - first));
      bins[index]!.count += countAddedInThisIterationStep;
    }
    return bins;
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}

function emptyHistogram(): JsHistogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_TICKS,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    bitBucketSize: 32,
    useWebAssembly: false,
  }) as JsHistogram;
}
