// open-loop.ts: requests leave at evenly spaced times, whether or not the earlier ones were answered.
//
//   intended   |    |    |    |    |    |    |        latency = answer - intended time, so waiting for a free
//   sent       |    |    |         ||   |    |        connection counts: that is what a customer would have seen
//
// Node's timers tick in whole milliseconds and late. So a thread of its own sleeps between ticks (pacer-thread.ts) and
// wakes this one by message where no answer does; then everything due is sent. How late things left is measured and
// reported.

import { Worker } from 'node:worker_threads';
import type { LoadCounters } from './load-counters.js';
import type { LoadJob, ScheduleReport } from './load-job.js';
import type { Loader, Loop } from './loader.js';
import { createScript, type Script } from './work.js';

const MS_PER_S = 1000;
const LATE_MS = 1;
/** The last tick comes a little after the end and may still send what was due before it. */
const LAST_TICK_MS = 5;

export class OpenLoop implements Loop {
  readonly #counters: LoadCounters;
  readonly #rate: number;
  readonly #intervalMs: number;
  readonly #script: Script;
  /** Connections without a request under way, used last in, first out. */
  readonly #free: Loader[] = [];
  #pacer: Worker | undefined;
  #nextDueMs = 0;
  /** The same for the pacer, in ms since 1970. */
  readonly #sharedDue = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  #sent = 0;
  #late = 0;

  constructor(job: LoadJob, rate: number, counters: LoadCounters) {
    this.#counters = counters;
    this.#rate = rate;
    this.#intervalMs = MS_PER_S / rate;
    this.#script = createScript(job.work, `${job.host}:${job.port}`, 0);
  }

  start(loaders: readonly Loader[]): void {
    this.#free.push(...loaders);
    this.#nextDueMs = performance.now();
    this.#pacer = new Worker(new URL('./pacer-thread.js', import.meta.url), { workerData: this.#sharedDue });
    this.#pacer.on('message', () => this.#sendDue());
  }

  onFree(loader: Loader): void {
    this.#free.push(loader);
    this.#sendDue();
  }

  end(): ScheduleReport {
    void this.#pacer?.terminate();
    const { untilMs } = this.#counters;
    const missed = Math.max(0, Math.ceil((untilMs - this.#nextDueMs) / this.#intervalMs));
    return { rate: this.#rate, intended: this.#sent + missed, missed, late: this.#late };
  }

  #sendDue(): void {
    const now = performance.now();
    const { untilMs } = this.#counters;
    if (now > untilMs + LAST_TICK_MS) return;
    while (this.#nextDueMs <= now && this.#nextDueMs < untilMs && this.#free.length > 0) {
      const loader = this.#free.pop()!;
      // Lost and not back yet, or lost and back and in the list twice.
      if (!loader.isConnected || loader.pendingCount > 0) continue;
      this.#noteLag(now);
      loader.send(this.#script.next(), this.#nextDueMs);
      this.#nextDueMs += this.#intervalMs;
    }
    this.#sharedDue[0] = performance.timeOrigin + this.#nextDueMs;
  }

  #noteLag(now: number): void {
    if (!this.#counters.isInWindow(this.#nextDueMs)) return;
    this.#sent += 1;
    if (now - this.#nextDueMs > LATE_MS) this.#late += 1;
  }
}
