// away-line.ts: says in the log that a peer is away, and that it is there again.
//
// Services start side by side, and one that died is mostly back within a second: a peer is called away only when it has
// been so for longer than that.

import type { Log, LogFields } from './log.js';

const AWAY_AFTER_MS = 1_000;

export class AwayLine {
  readonly #log: Log;
  readonly #peer: string;
  readonly #fields: LogFields;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param peer as in the lines: `the catalog`
   * @param fields on each line, such as its address
   */
  constructor(log: Log, peer: string, fields: LogFields) {
    this.#log = log;
    this.#peer = peer;
    this.#fields = fields;
  }

  /** To be told of every change. */
  note(isConnected: boolean, error: unknown): void {
    clearTimeout(this.#timer);
    if (isConnected) this.#log.info(`connected to ${this.#peer}`, this.#fields);
    else this.#timer = setTimeout(() => this.#warn(error), AWAY_AFTER_MS).unref();
  }

  #warn(error: unknown): void {
    this.#log.warn(`${this.#peer} is away: trying on`, { ...this.#fields, error });
  }
}
