// live-reader.ts: one reading a second for the whole front end, made in its main thread and only while somebody watches.
//
//   thread 0 ── live:watched ──┐               ┌── reading: the services' figures, the toys ── each second
//   thread 1 ── live:watched ──┴─ main thread ─┴── live:event ──► the threads that have watchers
//
// Events are made into text once. What is needed to read is opened for the first watcher and closed behind the last one.

import type { MessagePort } from 'node:worker_threads';
import type { LiveToys } from '../../live-figures.js';
import type { MetricsSnapshot } from '../../metrics/index.js';
import { notify, serveCalls } from '../../port-calls.js';
import { LiveReading } from './live-reading.js';

/** Between two readings. */
const PERIOD_MS = 1_000;

export interface LiveSources {
  /** The metrics of the whole store that LiveReading looks at, as far as they can be had. Never rejects. */
  metrics(): Promise<MetricsSnapshot>;
  /**
   * The toys of the shop; undefined when nothing speaks for a change, and while they cannot be had. Never rejects.
   * @param metrics the newest
   */
  toys(metrics: MetricsSnapshot): Promise<LiveToys | undefined>;
  /** The services that were out of reach since this was asked last: one that is back at once is told of too. */
  takeAway(): ReadonlySet<string>;
  close(): void;
}

/** What a thread tells the reader. */
export type LiveReaderCalls = {
  /** Whether it has watchers from now on. */
  readonly 'live:watched': { readonly request: boolean; readonly reply: undefined };
};

/** What the reader tells the threads that have watchers. */
export type LiveThreadCalls = {
  readonly 'live:event': { readonly request: LiveEvents; readonly reply: undefined };
};

/** Events as they go to the watchers; '' where there is nothing to tell. */
export interface LiveEvents {
  /** The newest toys that are known. */
  readonly toys: string;
  readonly figures: string;
}

export class LiveReader {
  readonly #open: () => Promise<LiveSources>;
  /** To the threads that have watchers. */
  readonly #watched = new Set<MessagePort>();
  #sources: LiveSources | undefined;
  #toys = '';
  #isReading = false;
  #isClosed = false;

  /** @param open called for the first watcher, and again for the first one after there was none */
  constructor(open: () => Promise<LiveSources>) {
    this.#open = open;
  }

  /** Takes in the thread at the other end of its service's port, where there are LiveStreams. */
  add(servicePort: MessagePort): void {
    serveCalls<LiveReaderCalls>(servicePort, {
      'live:watched': (isWatched) => {
        if (isWatched) this.#begin(servicePort);
        else this.#watched.delete(servicePort);
        return undefined;
      },
    });
    servicePort.on('close', () => this.#watched.delete(servicePort));
  }

  close(): void {
    this.#isClosed = true;
    this.#watched.clear();
    this.#sources?.close();
  }

  #begin(port: MessagePort): void {
    if (this.#isClosed) return;
    this.#watched.add(port);
    if (this.#isReading) this.#tell(port, { toys: this.#toys, figures: '' });
    else void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    this.#toys = '';
    const sources = await this.#openForWatchers();
    this.#sources = sources;
    if (sources === undefined) {
      this.#isReading = false;
      return;
    }
    // What was counted before somebody looked is no figure of a second.
    const reading = new LiveReading();
    sources.takeAway();
    while (this.#watched.size > 0) {
      const dueAtMs = performance.now() + PERIOD_MS;
      const metrics = await sources.metrics();
      const figures = eventOf('figures', reading.next(metrics, Date.now(), sources.takeAway()));
      const toys = await sources.toys(metrics);
      if (toys !== undefined) this.#toys = eventOf('toys', toys);
      for (const port of this.#watched) this.#tell(port, { toys: this.#toys, figures });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAtMs - performance.now())).unref());
    }
    sources.close();
    this.#isReading = false;
  }

  /** Tried once a second for as long as somebody watches: the process may have no descriptors to read files with just now. */
  async #openForWatchers(): Promise<LiveSources | undefined> {
    while (this.#watched.size > 0) {
      try {
        return await this.#open();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS).unref());
      }
    }
    return undefined;
  }

  #tell(port: MessagePort, events: LiveEvents): void {
    notify<LiveThreadCalls, 'live:event'>(port, 'live:event', events);
  }
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
