// metrics-hub.ts: gathers the metrics of all threads of a process; lives in the thread that started them.
//
// Sums never fall while the process lives, whatever its threads do:
//   - a thread that is too busy to answer in time is counted with what it said last;
//   - a thread that ends hands over its counts before it goes, and they are kept;
//   - of a thread that dies, what it said last is kept: what it counted after that was never shown to anybody.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { HubMessage, MetricsPortMessage, ThreadMessage } from './messages.js';
import { countsOnly, type Labels, labelled, type MetricsSnapshot, mergeSnapshots } from './metrics-snapshot.js';
import type { ThreadMetrics } from './thread-metrics.js';

/** A thread answers within a millisecond unless it is stuck; a scrape should not be stuck with it. */
const THREAD_TIMEOUT_MS = 1_000;

export interface MetricsHubOptions {
  /** On every row, such as `{ service: 'catalog' }`. */
  readonly labels?: Labels;
  readonly threadTimeoutMs?: number;
}

interface Thread {
  /** What it said last. */
  last: MetricsSnapshot;
  /** Those who wait for an answer, by the id of the question. */
  readonly waiting: Map<number, () => void>;
}

/** The threads of one process, and the counts of those that are gone. */
export class MetricsHub {
  readonly #own: ThreadMetrics;
  readonly #labels: Labels;
  readonly #threadTimeoutMs: number;
  readonly #threads = new Map<MessagePort, Thread>();
  readonly #departed: MetricsSnapshot[] = [];
  #isMerging = false;
  #questionCount = 0;

  /** @param own the metrics of the hub's own thread */
  constructor(own: ThreadMetrics, options: MetricsHubOptions = {}) {
    this.#own = own;
    this.#labels = options.labels ?? {};
    this.#threadTimeoutMs = options.threadTimeoutMs ?? THREAD_TIMEOUT_MS;
  }

  /** Takes in the thread at the other end of its service's port, where ThreadMetrics.shareOn is called. */
  add(servicePort: MessagePort): void {
    const { port1: port, port2: threadsPort } = new MessageChannel();
    servicePort.postMessage({ type: 'metrics:port', port: threadsPort } satisfies MetricsPortMessage, [threadsPort]);
    this.#threads.set(port, { last: [], waiting: new Map() });
    port.on('message', (message: ThreadMessage) => this.#receive(port, message));
    // The other end closes when its thread ends, whatever ends it.
    port.on('close', () => this.#remove(port));
    port.unref();
  }

  /** The metrics of all threads, those that are gone included, as one snapshot. Never fails for a thread's sake. */
  async gather(): Promise<MetricsSnapshot> {
    const [own] = await Promise.all([
      this.#own.snapshot(),
      ...[...this.#threads].map(([port, thread]) => this.#ask(port, thread)),
    ]);
    // Taken in one go: a thread that ends meanwhile is either here or there, never in neither.
    const living = [...this.#threads.values()].map((thread) => thread.last);
    const all = mergeSnapshots([own, ...this.#departed, ...living]);
    await this.#mergeDeparted();
    return labelled(await all, this.#labels);
  }

  #receive(port: MessagePort, message: ThreadMessage): void {
    const thread = this.#threads.get(port);
    if (thread === undefined) return;
    switch (message.type) {
      case 'metrics:snapshot':
        thread.last = message.snapshot;
        thread.waiting.get(message.id)?.();
        break;
      case 'metrics:last':
        thread.last = message.snapshot;
        this.#remove(port);
        break;
      case 'metrics:all?':
        void this.#answer(port, message.id);
        break;
    }
  }

  #remove(port: MessagePort): void {
    const thread = this.#threads.get(port);
    if (thread === undefined) return;
    this.#threads.delete(port);
    this.#departed.push(countsOnly(thread.last));
    for (const resolve of thread.waiting.values()) resolve();
    port.close();
  }

  async #answer(port: MessagePort, id: number): Promise<void> {
    send(port, { type: 'metrics:all', id, snapshot: await this.gather() });
  }

  /** Resolves when the thread has answered, is gone, or has had its time. */
  #ask(port: MessagePort, thread: Thread): Promise<void> {
    const id = ++this.#questionCount;
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        thread.waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(finish, this.#threadTimeoutMs);
      thread.waiting.set(id, finish);
      send(port, { type: 'metrics:snapshot?', id });
    });
  }

  /** The counts of all that are gone as one snapshot, so that they stay few however many threads came and went. */
  async #mergeDeparted(): Promise<void> {
    if (this.#isMerging || this.#departed.length < 2) return;
    this.#isMerging = true;
    const count = this.#departed.length;
    const merged = await mergeSnapshots(this.#departed);
    // Those that went meanwhile stand behind the ones that were merged.
    this.#departed.splice(0, count, merged);
    this.#isMerging = false;
  }
}

function send(port: MessagePort, message: HubMessage): void {
  port.postMessage(message);
}
