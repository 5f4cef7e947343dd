// pressure.ts: whether connections wait for a place, as the threads are told: at once when it begins, and a moment after
// it has ended.

import type { Timers } from './timers.js';

/** After this long without waiting connections the threads are told so: a queue that flickers must not flood them. */
const OFF_DELAY_MS = 100;

export class Pressure {
  readonly #timers: Timers;
  readonly #tell: (connectionsWait: boolean) => void;
  #isOn = false;
  #off: NodeJS.Timeout | undefined;

  constructor(timers: Timers, tell: (connectionsWait: boolean) => void) {
    this.#timers = timers;
    this.#tell = tell;
  }

  /** What the threads have been told. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Connections wait. */
  begin(): void {
    this.#timers.cancel(this.#off);
    this.#off = undefined;
    if (this.#isOn) return;
    this.#isOn = true;
    this.#tell(true);
  }

  /** Nobody waits any more. */
  end(): void {
    if (!this.#isOn) return;
    this.#off ??= this.#timers.after(OFF_DELAY_MS, () => {
      this.#off = undefined;
      this.#isOn = false;
      this.#tell(false);
    });
  }
}
