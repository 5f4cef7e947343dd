// live-streams.ts: those who watch /live in one thread: one reading a second for all of them, and none while nobody looks.
//
//   first watcher ──> read, wait a second, read, … ──> the same bytes to each watcher        last watcher gone: nothing
//
// A watcher that takes its events too slowly misses some: they are figures of a moment, and the next ones are due.

import type { Exchange, ResponseStream } from '../../http/index.js';
import { prepareHeaders } from '../../http/index.js';
import type { LiveToys } from '../../live-figures.js';
import type { MetricsSnapshot } from '../../metrics/index.js';
import { LiveReading } from './live-reading.js';

/** Watchers in one thread: each costs it some kilobytes a second; a page for colleagues needs no more. */
export const WATCHERS_MAX = 64;
/** Between two readings. */
const PERIOD_MS = 1_000;
/** Tells a proxy not to gather events, and everybody not to keep them. */
const EVENT_STREAM_HEADERS = prepareHeaders({
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
});
const RETRY_LATER = prepareHeaders({ 'Retry-After': '5' });
/** A browser whose stream breaks opens it again after this. */
const RETRY = 'retry: 1000\n\n';

export interface LiveSources {
  /** The metrics of the whole store; undefined while they cannot be had. Never rejects. */
  readonly metrics: () => Promise<MetricsSnapshot | undefined>;
  /** The toys of the shop; undefined while they cannot be had. Never rejects. */
  readonly toys: () => Promise<LiveToys | undefined>;
  /** The services that were out of reach since this was asked last: one that is back at once is told of too. */
  readonly takeAway?: () => ReadonlySet<string>;
}

interface Watcher {
  readonly stream: ResponseStream;
  isFull: boolean;
  /** What it was told of the toys last. */
  toysEvent: string;
}

export class LiveStreams {
  readonly #sources: LiveSources;
  readonly #watchers = new Set<Watcher>();
  #reading = new LiveReading();
  #toysEvent = '';
  #isReading = false;

  constructor(sources: LiveSources) {
    this.#sources = sources;
  }

  /** How many watch. */
  get count(): number {
    return this.#watchers.size;
  }

  /** Serves `GET /live`. */
  serve(exchange: Exchange): void {
    if (this.#watchers.size >= WATCHERS_MAX) {
      return exchange.sendError(
        503,
        `${WATCHERS_MAX} pages watch already; the shop works without figures`,
        RETRY_LATER,
      );
    }
    const watcher: Watcher = {
      isFull: false,
      toysEvent: '',
      stream: exchange.stream(200, EVENT_STREAM_HEADERS, {
        onDrain: () => {
          watcher.isFull = false;
        },
        onEndWanted: () => watcher.stream.end(),
        onClose: () => this.#watchers.delete(watcher),
      }),
    };
    if (!watcher.stream.isOpen) return;
    this.#watchers.add(watcher);
    watcher.stream.write(RETRY);
    this.#send(watcher, '');
    if (!this.#isReading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    // What was counted before somebody looked is no figure of a second.
    this.#reading = new LiveReading();
    this.#sources.takeAway?.();
    this.#toysEvent = '';
    while (this.#watchers.size > 0) {
      const dueAtMs = performance.now() + PERIOD_MS;
      const [metrics, toys] = await Promise.all([this.#sources.metrics(), this.#sources.toys()]);
      if (toys !== undefined) this.#toysEvent = eventOf('toys', toys);
      const figures =
        metrics === undefined
          ? ''
          : eventOf('figures', this.#reading.next(metrics, Date.now(), this.#sources.takeAway?.()));
      for (const watcher of this.#watchers) this.#send(watcher, figures);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAtMs - performance.now())).unref());
    }
    this.#isReading = false;
  }

  #send(watcher: Watcher, figures: string): void {
    if (watcher.isFull || !watcher.stream.isOpen) return;
    const toys = watcher.toysEvent === this.#toysEvent ? '' : this.#toysEvent;
    watcher.toysEvent = this.#toysEvent;
    if (toys + figures !== '') watcher.isFull = !watcher.stream.write(toys + figures);
  }
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
