// request-log.ts: what every service writes about requests above the level `debug`: nothing, but for those that took long.

import { LimitedLine } from './limited-line.js';
import type { Log, LogFields } from './log.js';

/** A hundred times what a request takes on a slow disk, and less than the front end waits for the catalog. */
export const SLOW_REQUEST_MS = 1_000;

/** Of one thread: enough to see which requests are slow. */
const LINES_PER_SECOND_MAX = 10;
/** One message between services carries up to a thousand requests; the names are there to find one of them, not all. */
const NAMES_MAX = 16;

export class SlowRequestLog {
  readonly #line: LimitedLine;

  constructor(log: Log) {
    this.#line = new LimitedLine(log, 'slow request', LINES_PER_SECOND_MAX);
  }

  /** A request, or a message of several, has taken longer than SLOW_REQUEST_MS. */
  note(durationMs: number, fields: LogFields): void {
    this.#line.warn({ ...fields, durationMs: Math.round(durationMs) });
  }

  /**
   * Looks whether a message that carries several requests has taken that long.
   *
   * @param startedAtMs on the clock of performance.now()
   * @param requestIds the names of all of them, '' for one without; asked for only when they are needed
   * @param traceIds the traces of those that are recorded
   */
  look(
    call: string,
    startedAtMs: number,
    requestIds: () => readonly string[],
    traceIds?: () => readonly string[] | undefined,
  ): void {
    const durationMs = performance.now() - startedAtMs;
    if (durationMs <= SLOW_REQUEST_MS) return;
    const ids = requestIds();
    this.note(durationMs, { call, requests: ids.length, requestIds: namesIn(ids), trace_ids: traceIds?.() });
  }
}

/** What one line shows of the names of several requests. */
export function namesIn(requestIds: readonly string[]): string[] {
  return requestIds.filter((id) => id !== '').slice(0, NAMES_MAX);
}
