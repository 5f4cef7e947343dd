// live-streams.ts: those who watch /live in one thread.
//
//   first watcher ──► the reader is told ──► its events, each second, to every watcher        last watcher gone: nothing
//
// A watcher that takes its events too slowly misses some: they are figures of a moment, and the next ones are due.

import type { MessagePort } from 'node:worker_threads';
import type { Exchange, ResponseStream } from '../../http/index.js';
import { prepareHeaders } from '../../http/index.js';
import { notify, serveCalls } from '../../port-calls.js';
import type { LiveEvents, LiveReaderCalls, LiveThreadCalls } from './live-reader.js';

/** Watchers in one thread: each costs it some kilobytes a second; a page for colleagues needs no more. */
export const WATCHERS_MAX = 64;
/** Tells a proxy not to gather events, and everybody not to keep them. */
const EVENT_STREAM_HEADERS = prepareHeaders({
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
});
const RETRY_LATER = prepareHeaders({ 'Retry-After': '5' });
/** A browser whose stream breaks opens it again after this. */
const RETRY = 'retry: 1000\n\n';

interface Watcher {
  readonly stream: ResponseStream;
  isFull: boolean;
  /** What it was told of the toys last. */
  toys: string;
}

export class LiveStreams {
  /** To the reader. */
  readonly #port: MessagePort;
  readonly #watchers = new Set<Watcher>();
  /** What was told of the toys last; '' while nobody watches. */
  #toys = '';

  /** @param servicePort whose other end a LiveReader was given */
  constructor(servicePort: MessagePort) {
    this.#port = servicePort;
    serveCalls<LiveThreadCalls>(servicePort, {
      'live:event': (events) => {
        this.#tellAll(events);
        return undefined;
      },
    });
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
      toys: '',
      stream: exchange.stream(200, EVENT_STREAM_HEADERS, {
        onDrain: () => {
          watcher.isFull = false;
        },
        onEndWanted: () => watcher.stream.end(),
        onClose: () => this.#remove(watcher),
      }),
    };
    if (!watcher.stream.isOpen) return;
    this.#watchers.add(watcher);
    watcher.stream.write(RETRY);
    this.#tell(watcher, '');
    if (this.#watchers.size === 1) this.#tellReader(true);
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#toys = '';
    this.#tellReader(false);
  }

  #tellAll({ toys, figures }: LiveEvents): void {
    if (this.#watchers.size === 0) return;
    this.#toys = toys;
    for (const watcher of this.#watchers) this.#tell(watcher, figures);
  }

  #tell(watcher: Watcher, figures: string): void {
    if (watcher.isFull || !watcher.stream.isOpen) return;
    const toys = watcher.toys === this.#toys ? '' : this.#toys;
    watcher.toys = this.#toys;
    if (toys + figures !== '') watcher.isFull = !watcher.stream.write(toys + figures);
  }

  #tellReader(isWatched: boolean): void {
    notify<LiveReaderCalls, 'live:watched'>(this.#port, 'live:watched', isWatched);
  }
}
