// metrics-hub.ts: gathers the metrics of all threads of a process; lives in the thread that started them.
//
// Sums never fall while the process lives, whatever its threads do:
//   - a thread that is too busy to answer in time is counted with what it said last;
//   - a thread that ends hands over its counts before it goes, and they are kept;
//   - of a thread that dies, what it said last is kept: what it counted after that was never shown to anybody.

import type { MessagePort } from 'node:worker_threads';
import { call, serveCalls } from '../port-calls.js';
import {
  countsOnly,
  type FamilyNames,
  type Labels,
  labelled,
  type MetricsSnapshot,
  mergeSnapshots,
} from './metrics-snapshot.js';
import type { HubCalls, MetricsThreadCalls, ThreadMetrics } from './thread-metrics.js';

/** A thread answers within a millisecond unless it is stuck; a scrape should not be stuck with it. */
const THREAD_TIMEOUT_MS = 1_000;

export interface MetricsHubOptions {
  /** On every row, such as `{ service: 'catalog' }`. */
  readonly labels?: Labels;
  readonly threadTimeoutMs?: number;
}

/** The threads of one process, and the counts of those that are gone. */
export class MetricsHub {
  readonly #own: ThreadMetrics;
  readonly #labels: Labels;
  readonly #threadTimeoutMs: number;
  /** The threads that live, each with what it said last. */
  readonly #threads = new Map<MessagePort, MetricsSnapshot>();
  readonly #departed: MetricsSnapshot[] = [];
  #isMerging = false;

  /** @param own the metrics of the hub's own thread */
  constructor(own: ThreadMetrics, options: MetricsHubOptions = {}) {
    this.#own = own;
    this.#labels = options.labels ?? {};
    this.#threadTimeoutMs = options.threadTimeoutMs ?? THREAD_TIMEOUT_MS;
  }

  /** Takes in the thread at the other end of its service's port, where ThreadMetrics.shareOn is called. */
  add(servicePort: MessagePort): void {
    this.#threads.set(servicePort, []);
    serveCalls<HubCalls>(servicePort, {
      'metrics:all': (names) => this.gather(names),
      'metrics:last': (snapshot) => {
        this.#keep(servicePort, snapshot);
        this.#remove(servicePort);
        return undefined;
      },
    });
    // The other end closes when its thread ends, whatever ends it.
    servicePort.on('close', () => this.#remove(servicePort));
  }

  /** The metrics of all threads, those that are gone included. Never fails for a thread's sake. */
  async gather(names?: FamilyNames): Promise<MetricsSnapshot> {
    const [own] = await Promise.all([
      this.#own.snapshot(names),
      ...[...this.#threads.keys()].map((port) => this.#ask(port, names)),
    ]);
    // Taken in one go: a thread that ends meanwhile is either here or there, never in neither.
    const all = [own, ...this.#departed, ...this.#threads.values()].flat();
    await this.#mergeDeparted();
    return labelled(names === undefined ? all : all.filter(({ name }) => names.includes(name)), this.#labels);
  }

  /** Resolves when the thread has answered, is gone, or has had its time. */
  async #ask(port: MessagePort, names: FamilyNames | undefined): Promise<void> {
    const asked = call<MetricsThreadCalls, 'metrics:own'>(port, 'metrics:own', names, this.#threadTimeoutMs);
    await asked.then(
      (snapshot) => this.#keep(port, snapshot, names),
      () => {},
    );
  }

  /** Instead of what the thread said last, of those families. */
  #keep(port: MessagePort, snapshot: MetricsSnapshot, names?: FamilyNames): void {
    const last = this.#threads.get(port);
    if (last === undefined) return;
    const others = names === undefined ? [] : last.filter(({ name }) => !names.includes(name));
    this.#threads.set(port, [...others, ...snapshot]);
  }

  #remove(port: MessagePort): void {
    const last = this.#threads.get(port);
    if (last === undefined) return;
    this.#threads.delete(port);
    this.#departed.push(countsOnly(last));
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
