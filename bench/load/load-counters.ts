// load-counters.ts: what the loops count while they run, one counter per kind of request.
//
//   connecting | warm-up           | window: counted                       | drain
//   ---------begin()---------------fromMs-----------------------------untilMs------------> time
//
// A request counts if it was due inside the window, however late its answer came: leaving out the slow ones at the end
// would flatter the tail.

import { LatencyHistogram } from './latency-histogram.js';
import type { OperationReport } from './load-job.js';
import type { Operation, Verdict } from './work.js';

const ERROR_SAMPLES_MAX = 5;

class OperationCounter {
  readonly latencies = new LatencyHistogram();
  errors = 0;
  readonly errorSamples = new Set<string>();

  report(): OperationReport {
    const { latencies, errors, errorSamples } = this;
    return { count: latencies.count, histogram: latencies.encode(), errors, errorSamples: [...errorSamples] };
  }
}

/** Counts the requests that were due between two points of `performance.now()`. */
export class LoadCounters {
  readonly query = new OperationCounter();
  readonly order = new OperationCounter();
  #fromMs = Number.POSITIVE_INFINITY;
  #untilMs = Number.POSITIVE_INFINITY;

  /** The window begins after `warmupMs`; before this call nothing is counted. */
  begin(warmupMs: number, durationMs: number): void {
    this.#fromMs = performance.now() + warmupMs;
    // It may have been ended already.
    this.#untilMs = Math.min(this.#untilMs, this.#fromMs + durationMs);
  }

  get fromMs(): number {
    return this.#fromMs;
  }

  get untilMs(): number {
    return this.#untilMs;
  }

  /** Ends the window now if it has not ended. */
  endNow(): void {
    this.#untilMs = Math.min(this.#untilMs, performance.now());
  }

  isInWindow(dueMs: number): boolean {
    return dueMs >= this.#fromMs && dueMs < this.#untilMs;
  }

  answered(operation: Operation, verdict: Verdict, dueMs: number, nowMs: number): void {
    if (!this.isInWindow(dueMs)) return;
    if (typeof verdict === 'object') {
      this.failed(operation, verdict.problem, dueMs);
      return;
    }
    this[operation].latencies.record(nowMs - dueMs);
  }

  failed(operation: Operation, problem: string, dueMs: number): void {
    if (!this.isInWindow(dueMs)) return;
    const counter = this[operation];
    counter.errors += 1;
    if (counter.errorSamples.size < ERROR_SAMPLES_MAX) counter.errorSamples.add(problem);
  }
}
