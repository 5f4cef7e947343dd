// seat-trouble.ts: why a seat cannot write at the moment, and who is told. Most trouble is over before it concerns anybody: a
// connection made again, a failure that a repeat mends.

import type { Clock, Timer } from '../clock.js';
import type { PostgresError } from './postgres-error.js';
import { TROUBLE_PATIENCE_MS } from './postgres-limits.js';

export class SeatTrouble {
  readonly #clock: Clock;
  readonly #tell: (reason: PostgresError | undefined) => void;
  #reason: PostgresError | undefined;
  #timer: Timer | undefined;
  #isTold = false;

  /** @param tell called with the newest reason when trouble has lasted TROUBLE_PATIENCE_MS, and with none when it is over then */
  constructor(clock: Clock, tell: (reason: PostgresError | undefined) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Why nothing can be written now; undefined: all is well. */
  get reason(): PostgresError | undefined {
    return this.#reason;
  }

  /** That there is trouble, or that it is over. */
  note(reason: PostgresError | undefined): void {
    this.#reason = reason;
    if (reason !== undefined) {
      this.#timer ??= this.#clock.after(TROUBLE_PATIENCE_MS, () => this.#spread(true));
      return;
    }
    this.stop();
    this.#timer = undefined;
    if (this.#isTold) this.#spread(false);
  }

  /** Nobody is told of what lasts from now on. */
  stop(): void {
    this.#timer?.cancel();
  }

  #spread(isTrouble: boolean): void {
    this.#isTold = isTrouble;
    this.#tell(this.#reason);
  }
}
