// limited-line.ts: a log line of one kind, at most so many times in a second, or in a longer period.
//
// When a backend stands still all requests are slow at once, and when all places are taken every connection is refused: a
// line for each would bury the one that says why. So a few are written, and the next one says how many were left out.

import type { Log, LogFields } from './log.js';

const SECOND_MS = 1_000;

export class LimitedLine {
  readonly #log: Log;
  readonly #message: string;
  readonly #linesMax: number;
  readonly #periodMs: number;
  #periodBeganMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #leftOut = 0;

  /** @param linesMax in each period */
  constructor(log: Log, message: string, linesMax: number, periodMs = SECOND_MS) {
    this.#log = log;
    this.#message = message;
    this.#linesMax = linesMax;
    this.#periodMs = periodMs;
  }

  /** Writes the line as a warning, or counts it. */
  warn(fields: LogFields, nowMs = performance.now()): void {
    if (nowMs - this.#periodBeganMs >= this.#periodMs) {
      this.#periodBeganMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= this.#linesMax) {
      this.#leftOut++;
      return;
    }
    this.#lines++;
    const leftOut = this.#leftOut === 0 ? undefined : this.#leftOut;
    this.#leftOut = 0;
    this.#log.warn(this.#message, { ...fields, leftOut });
  }
}
