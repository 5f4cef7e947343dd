// load-run.ts: all clients of one run at once, from the first connection to the last answer.
//
// It reports nothing by itself: whoever starts a run can look at it at any time (the progress line does) and may end it
// early; what was measured until then stays.

import { setMaxListeners } from 'node:events';
import type { ClientSettings } from './client-settings.js';
import { seededRandom } from './random.js';
import { shop } from './shopper.js';
import { StoreConnection } from './store-connection.js';
import { type LoadSummary, summarizeLoad, Tally } from './tally.js';

export class LoadRun {
  readonly query = new Tally();
  readonly order = new Tally();
  readonly #settings: ClientSettings;
  readonly #abort = new AbortController();
  #startMs = 0;
  #endMs: number | undefined;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    // Every connection listens: more than ten of them are no leak.
    setMaxListeners(Number.POSITIVE_INFINITY, this.#abort.signal);
  }

  /**
   * Lets every client shop to the end of its session, all at once.
   *
   * @throws StoreUnreachable if a connection cannot be made, at the start or after it was lost; the figures stay readable
   */
  async run(): Promise<void> {
    const { clients, scheme, host, port } = this.#settings;
    const store = { scheme, host, port };
    const connections = Array.from({ length: clients }, () => new StoreConnection(store, this.#abort.signal));
    try {
      this.#startMs = performance.now();
      await Promise.all(connections.map((connection, index) => this.#session(connection, index)));
    } finally {
      this.#endMs = performance.now();
      this.#abort.abort();
      for (const connection of connections) connection.close();
    }
  }

  /** Ends the run early: `run` resolves soon, what is in flight is not counted. */
  stop(): void {
    this.#abort.abort();
  }

  /** The figures so far, or of the whole run once it has ended. */
  summary(): LoadSummary {
    const elapsedMs = this.#startMs === 0 ? 0 : (this.#endMs ?? performance.now()) - this.#startMs;
    return summarizeLoad(this.query, this.order, elapsedMs);
  }

  /** How many of the planned queries have been made, from 0 to 1. */
  get progress(): number {
    const { clients, requests } = this.#settings;
    return (this.query.count + this.query.errors) / (clients * requests);
  }

  async #session(connection: StoreConnection, index: number): Promise<void> {
    const { toys, p, requests, seed } = this.#settings;
    const random = seededRandom(seed, index);
    await shop({ toys, p, requests, random }, connection, { query: this.query, order: this.order }, this.#abort.signal);
    // A finished client leaves at once: with strict sessions another one may be waiting for its thread.
    connection.close();
  }
}
