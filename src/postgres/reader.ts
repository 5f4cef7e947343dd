// reader.ts: look-ups beside the writes, over a connection of their own: none waits for a sync.

import type { Clock } from '../clock.js';
import { mayBeRepeated, PostgresError } from './postgres-error.js';
import { READ_PATIENCE_MS } from './postgres-limits.js';
import type { Connection, Connector, Row, Statement, Values } from './session.js';

export class Reader {
  readonly #database: Connector;
  readonly #clock: Clock;
  #session: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(database: Connector, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * The rows of a look-up, asked for again over a new connection while there is time.
   *
   * @throws PostgresError
   */
  async read(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    const giveUpAtMs = this.#clock.monotonicMs() + READ_PATIENCE_MS;
    for (;;) {
      const opening = this.#open();
      try {
        return await (await opening).run(statement, values);
      } catch (error) {
        if (!(error instanceof PostgresError)) throw error;
        await this.#giveUp(opening, error);
        if (!mayBeRepeated(error) || this.#isClosed || this.#clock.monotonicMs() > giveUpAtMs) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }

  #open(): Promise<Connection> {
    this.#session ??= this.#database.connect();
    return this.#session;
  }

  /** The next look-up gets another session; the first of those that failed over this one sees to it. */
  async #giveUp(opening: Promise<Connection>, error: PostgresError): Promise<void> {
    if (this.#session !== opening) return;
    this.#session = undefined;
    const session = await opening.catch(() => undefined);
    if (session === undefined) return;
    this.#database.distrust(session);
    session.destroy(error);
  }
}
