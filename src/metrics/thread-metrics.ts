// thread-metrics.ts: the metrics of one thread, and how it hands them over.
//
// Every thread counts in a registry of its own: counting then needs no atomics and no messages, and costs the same
// however many threads there are. The main thread's MetricsHub asks for the counts when somebody wants to see them.

import type { MessagePort } from 'node:worker_threads';
import { call, notify, PortCallError, serveCalls } from '../port-calls.js';
import type { FamilyNames, MetricsSnapshot, Reading } from './metrics-snapshot.js';

/** Longer than a hub waits for its slowest thread. */
const GATHER_TIMEOUT_MS = 2_000;

/** What the hub asks a thread. */
export type MetricsThreadCalls = {
  /** What have you counted? */
  readonly 'metrics:own': { readonly request: FamilyNames | undefined; readonly reply: MetricsSnapshot };
};

/** What a thread asks the hub, or tells it. */
export type HubCalls = {
  /** What have all of us counted? */
  readonly 'metrics:all': { readonly request: FamilyNames | undefined; readonly reply: MetricsSnapshot };
  /** I am going, and this is all. */
  readonly 'metrics:last': { readonly request: MetricsSnapshot; readonly reply: undefined };
};

/** What one thread has to show: a list of things that can be asked for their values. */
export class ThreadMetrics {
  readonly #metrics: Reading[] = [];
  readonly #collections: (() => Promise<MetricsSnapshot>)[] = [];
  /** To the hub. */
  #port: MessagePort | undefined;

  register(metric: Reading): void {
    this.#metrics.push(metric);
  }

  /** Adds metrics that are gathered together, by somebody else; whoever asks for some by name does not get these. */
  registerCollection(gather: () => Promise<MetricsSnapshot>): void {
    this.#collections.push(gather);
  }

  /** The metrics of this thread at this moment, or those of some families alone. */
  async snapshot(names?: FamilyNames): Promise<MetricsSnapshot> {
    const collections = Promise.all(names === undefined ? this.#collections.map((gather) => gather()) : []);
    const wanted = names === undefined ? this.#metrics : this.#metrics.filter(({ name }) => names.includes(name));
    const own = wanted.map(({ get }) => get());
    return [...(await collections).flat(), ...own];
  }

  /** Answers the hub, which was given the other end of `servicePort`, from now on. */
  shareOn(servicePort: MessagePort): void {
    this.#port = servicePort;
    serveCalls<MetricsThreadCalls>(servicePort, { 'metrics:own': (names) => this.snapshot(names) });
  }

  /** The metrics of all threads, gathered by the hub. Rejects with a PortCallError when they are not there in time. */
  async gatherAll(names?: FamilyNames): Promise<MetricsSnapshot> {
    if (this.#port === undefined) throw new PortCallError('PORT_CLOSED', 'no hub gathers the metrics of this thread');
    return call<HubCalls, 'metrics:all'>(this.#port, 'metrics:all', names, GATHER_TIMEOUT_MS);
  }

  /** Hands over what was counted, for good: called once, when the thread is about to end on purpose. */
  async close(): Promise<void> {
    if (this.#port !== undefined) notify<HubCalls, 'metrics:last'>(this.#port, 'metrics:last', await this.snapshot());
  }
}
