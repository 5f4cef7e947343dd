// release-stack.ts: what was acquired is released in the reverse order, all of it, whatever goes wrong on the way.
// (AsyncDisposableStack of the language would do; Node 20 has none.)

import type { Log } from '../log.js';

export class ReleaseStack {
  readonly #log: Log;
  readonly #releases: (() => Promise<void>)[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(release: () => Promise<void>): void {
    this.#releases.push(release);
  }

  /** Never rejects. What was released is not released again. */
  async release(): Promise<void> {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        this.#log.error('something did not close well', { error });
      }
    }
  }
}
