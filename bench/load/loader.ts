// loader.ts: one connection's requests under way: sends, keeps them in order, checks and counts the answers.
//
// HTTP/1.1 answers in the order of the requests, so what is under way is a first-in-first-out list. Which request goes
// out when is decided by a loop: closed-loop.ts or open-loop.ts.

import type { LoadCounters } from './load-counters.js';
import type { ScheduleReport } from './load-job.js';
import { RawConnection, type RawConnectionListener } from './raw-connection.js';
import type { Request } from './work.js';

/** How long to wait before a lost connection is tried again. */
const RECONNECT_DELAY_MS = 100;

interface Pending {
  readonly request: Request;
  readonly dueMs: number;
}

/** What decides which connection of a job sends when. */
export interface Loop {
  /** @param loaders all of them, connected */
  start(loaders: readonly Loader[]): void;
  /** A connection has had an answer, or is there again after it was lost. */
  onFree(loader: Loader, index: number): void;
  /** Whether there is nothing left to send, though the time may not be over. */
  readonly hasSentAll?: boolean;
  /** Ends it, after the time is over. @returns how its schedule was kept, if it has one */
  end?(): ScheduleReport;
}

/** One connection that is made again when it is lost, until `close`. */
export class Loader implements RawConnectionListener {
  readonly #host: string;
  readonly #port: number;
  readonly #counters: LoadCounters;
  /** Called when an answer has come, and when a lost connection is there again. */
  readonly #onFree: (loader: Loader) => void;
  #connection: RawConnection | undefined;
  #pending: Pending[] = [];
  #isClosed = false;

  constructor(host: string, port: number, counters: LoadCounters, onFree: (loader: Loader) => void) {
    this.#host = host;
    this.#port = port;
    this.#counters = counters;
    this.#onFree = onFree;
  }

  /** Rejects with the socket's error. */
  async open(): Promise<void> {
    this.#connection = await RawConnection.open(this.#host, this.#port, this);
    if (this.#isClosed) this.#connection.close();
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** @param dueMs when its latency starts. The connection must be there. */
  send(request: Request, dueMs: number): void {
    this.#pending.push({ request, dueMs });
    this.#connection!.send(request.text);
  }

  onAnswer(status: number, bytes: Buffer, bodyStart: number, bodyEnd: number): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    const { request, dueMs } = pending;
    const verdict = request.check(status, bytes, bodyStart, bodyEnd);
    this.#counters.answered(request.operation, verdict, dueMs, performance.now());
    this.#onFree(this);
  }

  onClose(reason: string): void {
    this.#failPending(reason);
    this.#connection = undefined;
    this.#reconnectLater();
  }

  /** What has not been answered by now counts as an error. */
  close(): void {
    this.#isClosed = true;
    this.#failPending('no answer in time');
    this.#connection?.close();
    this.#connection = undefined;
  }

  #failPending(reason: string): void {
    for (const { request, dueMs } of this.#pending) this.#counters.failed(request.operation, reason, dueMs);
    this.#pending = [];
  }

  #reconnectLater(): void {
    if (this.#isClosed) return;
    setTimeout(() => {
      if (this.#isClosed) return;
      this.open().then(
        () => this.#onFree(this),
        () => this.#reconnectLater(),
      );
    }, RECONNECT_DELAY_MS);
  }
}
