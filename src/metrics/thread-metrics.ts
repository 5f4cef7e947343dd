// thread-metrics.ts: the metrics of one thread, and how it hands them over.
//
// Every thread counts in a registry of its own: counting then needs no atomics and no messages, and costs the same
// however many threads there are. The main thread's MetricsHub asks for the counts when somebody wants to see them.

import type { MessagePort } from 'node:worker_threads';
import { Registry } from 'prom-client';
import { type HubMessage, metricsPortOf, type ThreadMessage } from './messages.js';
import { MetricsError } from './metrics-error.js';
import { type MetricsSnapshot, snapshotOf } from './metrics-snapshot.js';

/** Longer than a hub waits for its slowest thread. */
const GATHER_TIMEOUT_MS = 2_000;

/** The registry of one thread. Metrics are made with prom-client's classes and `registers: [metrics.registry]`. */
export class ThreadMetrics {
  readonly registry = new Registry();
  /** To the hub. */
  #port: MessagePort | undefined;
  /** Those who wait for the metrics of all threads, by the number of their question. */
  readonly #waiting = new Map<number, (snapshot: MetricsSnapshot) => void>();
  #questionCount = 0;

  /** All metrics of this thread at this moment. */
  snapshot(): Promise<MetricsSnapshot> {
    return snapshotOf(this.registry);
  }

  /**
   * Answers the hub, which was given the other end of `servicePort`, from now on. Called before the thread first waits
   * for anything, so that the hub's one message on that port is not missed; other messages on it are left alone.
   */
  shareOn(servicePort: MessagePort): void {
    servicePort.on('message', (message: unknown) => {
      const port = metricsPortOf(message);
      if (port === undefined) return;
      this.#port = port;
      port.on('message', (hubMessage: HubMessage) => this.#receive(hubMessage));
      // Metrics alone keep no thread alive.
      port.unref();
    });
  }

  /**
   * The metrics of all threads, gathered by the hub.
   *
   * @throws MetricsError NO_ANSWER when there is no hub, or its thread does not answer in time
   */
  gatherAll(timeoutMs = GATHER_TIMEOUT_MS): Promise<MetricsSnapshot> {
    const id = ++this.#questionCount;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new MetricsError('NO_ANSWER', `the metrics were not gathered within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, (snapshot) => {
        clearTimeout(timer);
        resolve(snapshot);
      });
      this.#send({ type: 'metrics:all?', id });
    });
  }

  /** Hands over what was counted, for good: called once, when the thread is about to end on purpose. */
  async close(): Promise<void> {
    this.#send({ type: 'metrics:last', snapshot: await this.snapshot() });
  }

  #receive(message: HubMessage): void {
    switch (message.type) {
      case 'metrics:snapshot?':
        void this.#answer(message.id);
        break;
      case 'metrics:all':
        this.#waiting.get(message.id)?.(message.snapshot);
        this.#waiting.delete(message.id);
        break;
    }
  }

  async #answer(id: number): Promise<void> {
    this.#send({ type: 'metrics:snapshot', id, snapshot: await this.snapshot() });
  }

  #send(message: ThreadMessage): void {
    this.#port?.postMessage(message);
  }
}
