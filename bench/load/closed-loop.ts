// closed-loop.ts: each connection sends its next request when the last one is answered, as fast as the store allows.
//
// It finds the top rate, and latencies at a given number of clients. Its latencies leave out what a steady stream of
// customers would have suffered while a connection waited (coordinated omission). For latencies at a given rate there is
// open-loop.ts.

import type { LoadCounters } from './load-counters.js';
import type { LoadJob } from './load-job.js';
import { Loader } from './loader.js';
import { createScript, type Script } from './work.js';

/** All connections of one closed-loop job. */
export class ClosedLoop {
  readonly #counters: LoadCounters;
  readonly #loaders: Loader[];
  readonly #scripts = new Map<Loader, Script>();
  /** How many each may still send. */
  readonly #left = new Map<Loader, number>();

  constructor(job: LoadJob, counters: LoadCounters) {
    const { host, port, connections, work, requestsEach = Number.POSITIVE_INFINITY } = job;
    this.#counters = counters;
    this.#loaders = Array.from({ length: connections }, (_, index) => {
      const loader = new Loader(host, port, counters, (free) => this.#refill(free));
      this.#scripts.set(loader, createScript(work, `${host}:${port}`, index));
      this.#left.set(loader, requestsEach);
      return loader;
    });
  }

  /** Connects all. Rejects with the first connection's error. */
  async open(): Promise<void> {
    await Promise.all(this.#loaders.map((loader) => loader.open()));
  }

  start(): void {
    for (const loader of this.#loaders) this.#refill(loader);
  }

  get pendingCount(): number {
    return this.#loaders.reduce((sum, loader) => sum + loader.pendingCount, 0);
  }

  /** Whether every connection has sent all it may, and has its answers. */
  get isDone(): boolean {
    return this.pendingCount === 0 && [...this.#left.values()].every((left) => left === 0);
  }

  close(): void {
    for (const loader of this.#loaders) loader.close();
  }

  #refill(loader: Loader): void {
    const now = performance.now();
    const left = this.#left.get(loader)!;
    if (left === 0 || loader.pendingCount > 0 || !loader.isConnected || now >= this.#counters.untilMs) return;
    this.#left.set(loader, left - 1);
    loader.send(this.#scripts.get(loader)!.next(), now);
  }
}
