// closed-loop.ts: each connection sends its next request when the last one is answered, as fast as the store allows.
//
// It finds the top rate, and latencies at a given number of clients. Its latencies leave out what a steady stream of
// customers would have suffered while a connection waited (coordinated omission). For latencies at a given rate there is
// open-loop.ts.

import type { LoadCounters } from './load-counters.js';
import type { LoadJob } from './load-job.js';
import type { Loader, Loop } from './loader.js';
import { createScript, type Script } from './work.js';

export class ClosedLoop implements Loop {
  readonly #counters: LoadCounters;
  readonly #scripts: Script[];
  /** How many each connection may still send. */
  readonly #left: number[];

  constructor({ host, port, connections, work, requestsEach }: LoadJob, counters: LoadCounters) {
    this.#counters = counters;
    this.#scripts = Array.from({ length: connections }, (_, index) => createScript(work, `${host}:${port}`, index));
    this.#left = this.#scripts.map(() => requestsEach ?? Number.POSITIVE_INFINITY);
  }

  start(loaders: readonly Loader[]): void {
    for (const [index, loader] of loaders.entries()) this.onFree(loader, index);
  }

  onFree(loader: Loader, index: number): void {
    const now = performance.now();
    const left = this.#left[index]!;
    if (left === 0 || loader.pendingCount > 0 || !loader.isConnected || now >= this.#counters.untilMs) return;
    this.#left[index] = left - 1;
    loader.send(this.#scripts[index]!.next(), now);
  }

  get hasSentAll(): boolean {
    return this.#left.every((left) => left === 0);
  }
}
