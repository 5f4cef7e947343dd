// reader.ts: look-ups beside the writes, over a connection of their own: none waits for a sync.

import type { Database } from './database.js';
import { mayBeRepeated, PostgresError } from './postgres-error.js';
import { READ_PATIENCE_MS } from './postgres-limits.js';
import type { Row, Session, Statement, Values } from './session.js';

export class Reader {
  readonly #database: Database;
  #session: Promise<Session> | undefined;
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The rows of a look-up, asked for again over a new connection while there is time.
   *
   * @throws PostgresError
   */
  async read(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    const giveUpAtMs = performance.now() + READ_PATIENCE_MS;
    for (;;) {
      const opening = this.#open();
      try {
        return await (await opening).run(statement, values);
      } catch (error) {
        if (!(error instanceof PostgresError)) throw error;
        await this.#giveUp(opening, error);
        if (!mayBeRepeated(error) || this.#isClosed || performance.now() > giveUpAtMs) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
  }

  #open(): Promise<Session> {
    this.#session ??= this.#database.connect();
    return this.#session;
  }

  /** The next look-up gets another session; the first of those that failed over this one sees to it. */
  async #giveUp(opening: Promise<Session>, error: PostgresError): Promise<void> {
    if (this.#session !== opening) return;
    this.#session = undefined;
    const session = await opening.catch(() => undefined);
    if (session === undefined) return;
    this.#database.distrust(session);
    session.destroy(error);
  }
}
