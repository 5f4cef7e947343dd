// thread-metrics.ts: the metrics of one thread, and how it hands them over.
//
// Every thread counts in a registry of its own: counting then needs no atomics and no messages, and costs the same
// however many threads there are. The main thread's MetricsHub asks for the counts when somebody wants to see them.

import type { MessagePort } from 'node:worker_threads';
import { Registry } from 'prom-client';
import { asMetricsMessage, type MetricsMessage } from './messages.js';
import { MetricsError } from './metrics-error.js';
import { type MetricsSnapshot, snapshotOf } from './metrics-snapshot.js';

/** Longer than a hub waits for its slowest thread. */
const GATHER_TIMEOUT_MS = 2_000;

/** The registry of one thread. Metrics are made with prom-client's classes and `registers: [metrics.registry]`. */
export class ThreadMetrics {
  readonly registry = new Registry();
  readonly #ports = new Set<MessagePort>();

  /** All metrics of this thread at this moment. */
  snapshot(): Promise<MetricsSnapshot> {
    return snapshotOf(this.registry);
  }

  /** Answers the hub at the other end of `port` from now on. Other messages on the port are left alone. */
  shareOn(port: MessagePort): void {
    if (this.#ports.has(port)) return;
    this.#ports.add(port);
    port.on('message', (value: unknown) => {
      const message = asMetricsMessage(value);
      if (message?.type === 'metrics:snapshot?') void this.#answer(port, message.id);
    });
  }

  /** Hands over what was counted, for good: called once, when the thread is about to end on purpose. */
  async close(): Promise<void> {
    const snapshot = await this.snapshot();
    for (const port of this.#ports) send(port, { type: 'metrics:last', snapshot });
    this.#ports.clear();
  }

  async #answer(port: MessagePort, id: number): Promise<void> {
    send(port, { type: 'metrics:snapshot', id, snapshot: await this.snapshot() });
  }
}

let gatherCount = 0;

/**
 * The metrics of all threads, asked for by one of them: the hub at the other end of `port` gathers them.
 *
 * @throws MetricsError NO_ANSWER when the hub's thread does not answer in time
 */
export function gatherThrough(port: MessagePort, timeoutMs = GATHER_TIMEOUT_MS): Promise<MetricsSnapshot> {
  const id = ++gatherCount;
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      port.off('message', onMessage);
    };
    const onMessage = (value: unknown): void => {
      const message = asMetricsMessage(value);
      if (message?.type !== 'metrics:all' || message.id !== id) return;
      finish();
      resolve(message.snapshot);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new MetricsError('NO_ANSWER', `the metrics were not gathered within ${timeoutMs} ms`));
    }, timeoutMs);
    port.on('message', onMessage);
    send(port, { type: 'metrics:all?', id });
  });
}

function send(port: MessagePort, message: MetricsMessage): void {
  port.postMessage(message);
}
