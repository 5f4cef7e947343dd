// progress.ts: says what is being measured. On a terminal one line is drawn over and over; elsewhere each step is a line of
// its own, so that a log of a run can be read. All of it goes to stderr.

import { COLUMNS } from '../report/words.js';

const MS_PER_S = 1000;
const SECONDS_PER_MINUTE = 60;

/** The steps of a run of so many scenarios. */
export class Progress {
  readonly #startMs = performance.now();
  readonly #count: number;
  #index = 0;
  #scenario = '';

  /** @param count how many scenarios there will be */
  constructor(count: number) {
    this.#count = count;
  }

  /** A scenario begins. */
  enter(scenario: string): void {
    this.#index += 1;
    this.#scenario = scenario;
  }

  /** The next step within it: `[1:05] durable, 2 of 3: toystore, order, 64 connections, round 2 of 5`. */
  step(text: string): void {
    const seconds = Math.round((performance.now() - this.#startMs) / MS_PER_S);
    const minutes = Math.floor(seconds / SECONDS_PER_MINUTE);
    const elapsed = `${minutes}:${String(seconds % SECONDS_PER_MINUTE).padStart(2, '0')}`;
    const line = `[${elapsed}] ${this.#scenario}, ${this.#index} of ${this.#count}: ${text}`;
    const columns = Math.min(COLUMNS, (process.stderr.columns ?? COLUMNS + 1) - 1);
    process.stderr.write(process.stderr.isTTY ? `\r${line.slice(0, columns)}\x1b[K` : `${line.slice(0, columns)}\n`);
  }

  /** Wipes the line. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
