// request-log.ts: what every service writes about requests above the level `debug`: nothing, but for those that took long.
//
// When a backend stands still all requests are slow at once, and a line for each would bury the one that says why. So a
// thread writes a few lines a second, and says in the next one how many it has left out.

import type { Log, LogFields } from './log.js';

/** A hundred times what a request takes on a slow disk, and less than the front end waits for the catalog. */
export const SLOW_REQUEST_MS = 1_000;

/** Lines of one thread: enough to see which requests are slow. */
const LINES_PER_SECOND_MAX = 10;
const SECOND_MS = 1_000;
/** One message between services carries up to a thousand requests; the names are there to find one of them, not all. */
const NAMES_MAX = 16;

export class SlowRequestLog {
  readonly #log: Log;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A request, or a message of several, has taken longer than SLOW_REQUEST_MS. */
  note(durationMs: number, fields: LogFields, nowMs = performance.now()): void {
    if (nowMs - this.#secondBeganMs >= SECOND_MS) {
      this.#secondBeganMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_SECOND_MAX) {
      this.#leftOut++;
      return;
    }
    this.#lines++;
    const leftOut = this.#leftOut === 0 ? undefined : this.#leftOut;
    this.#leftOut = 0;
    this.#log.warn('slow request', { ...fields, durationMs: Math.round(durationMs), leftOut });
  }

  /**
   * Looks whether a message that carries several requests has taken that long.
   *
   * @param startedAtMs on the clock of performance.now()
   * @param requestIds the names of all of them, '' for one without; asked for only when they are needed
   */
  look(call: string, startedAtMs: number, requestIds: () => readonly string[]): void {
    const durationMs = performance.now() - startedAtMs;
    if (durationMs <= SLOW_REQUEST_MS) return;
    const ids = requestIds();
    this.note(durationMs, { call, requests: ids.length, requestIds: namesIn(ids) });
  }
}

/** What one line shows of the names of several requests. */
export function namesIn(requestIds: readonly string[]): string[] {
  return requestIds.filter((id) => id !== '').slice(0, NAMES_MAX);
}
