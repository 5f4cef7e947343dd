// session.ts: one connection to one server, on which statements are pipelined: each is sent at once, and answered in order.
//
// Each statement is a transaction of its own, prepared under its name the first time. There are no transactions of
// several statements, so a connection that breaks leaves nothing half done.

import pg from 'pg';
import type { DatabaseTarget } from './database-url.js';
import { type HostAddress, PostgresError, postgresErrorFrom } from './postgres-error.js';
import {
  ANSWER_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  LOCK_TIMEOUT_MS,
  MIGRATION_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from './postgres-limits.js';

/** A statement that is prepared once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Texts, numbers, booleans, null, and arrays of these. */
export type Values = readonly unknown[];
export type Row = Readonly<Record<string, unknown>>;

export interface SessionOptions {
  /** The schema of unqualified names. */
  readonly schema: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/**
 * What a session asks of the server:
 *  - a statement whose client is gone ends, instead of holding its locks;
 *  - a client whose machine is gone is noticed within a few seconds;
 *  - a plan is made once for each statement: ours have one good plan, and making it costs a third of the statement.
 */
const SERVER_SETTINGS = {
  client_connection_check_interval: '1s',
  tcp_keepalives_idle: '2',
  tcp_keepalives_interval: '1',
  tcp_keepalives_count: '3',
  plan_cache_mode: 'force_generic_plan',
  // UTC, and dates as ISO 8601, whatever the server's own settings are.
  TimeZone: 'UTC',
  DateStyle: 'ISO',
} as const;

const KEEP_ALIVE_DELAY_MS = 2_000;
const INT8 = 20;
const NUMERIC = 1700;

/** All our 64-bit numbers are below 2^53. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format),
};

/** A session, as whoever works over one knows it. */
export type Connection = Pick<Session, 'address' | 'ended' | 'isOpen' | 'run' | 'close' | 'destroy'>;

/** Where sessions come from. */
export interface Connector {
  /** @throws PostgresError */
  connect(): Promise<Connection>;
  /** The server of that session has failed: the next one should be another. */
  distrust(connection: Connection): void;
}

export class Session {
  readonly address: HostAddress;
  /** Settles with the reason when the connection has ended, by whomever. */
  readonly ended: Promise<PostgresError>;
  readonly #client: pg.Client;
  #end: (error: PostgresError) => void = () => undefined;
  #isOpen = true;
  /** Why the connection is being given up; the errors of the socket that follow say less. */
  #reason: PostgresError | undefined;

  private constructor(client: pg.Client, address: HostAddress) {
    this.#client = client;
    this.address = address;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    client.on('error', (error) => this.#ending(error));
    client.on('end', () => this.#ending(new Error('the server closed it')));
    client.on('notice', (notice) => this.#onNotice(notice as { readonly routine?: string }));
  }

  /** @throws PostgresError UNREACHABLE, UNTRUSTED, WRONG_PASSWORD, NO_RIGHT, TIMED_OUT */
  static async open(target: DatabaseTarget, address: HostAddress, options: SessionOptions): Promise<Session> {
    const settings = { ...SERVER_SETTINGS, search_path: options.schema };
    const { tls } = target;
    const client = new pg.Client({
      ...address,
      user: target.user,
      database: target.database,
      // As a function it is neither looked up in the environment nor shown by an inspection of the client.
      password: target.password,
      ssl: tls === undefined ? false : { ...tls, rejectUnauthorized: tls.verifies },
      application_name: options.applicationName,
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      lock_timeout: LOCK_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      types: TYPES,
      pipeline: true,
    });
    const session = new Session(client, address);
    try {
      await client.connect();
      return session;
    } catch (error) {
      void client.end().catch(() => undefined);
      const failure = postgresErrorFrom(error, address);
      if (failure.code !== 'LOST') throw failure;
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new PostgresError(
        'UNREACHABLE',
        `PostgreSQL at ${address.host}:${address.port} cannot be reached (${why})`,
      );
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Carries out a statement, as a transaction.
   *
   * @returns the rows of its answer; what it wrote is committed then
   * @throws PostgresError; LOST and TIMED_OUT leave open whether it was carried out
   */
  async run(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    if (!this.#isOpen) throw this.#reason!;
    try {
      return (await this.#client.query({ ...statement, values: values as unknown[] })).rows;
    } catch (error) {
      throw this.#reason ?? postgresErrorFrom(error, this.address);
    }
  }

  /** Carries out SQL that is not prepared: one statement, or several as one transaction. Throws PostgresError. */
  async script(sql: string): Promise<void> {
    try {
      await this.#client.query({ text: sql, query_timeout: MIGRATION_TIMEOUT_MS } as pg.QueryConfig);
    } catch (error) {
      throw this.#reason ?? postgresErrorFrom(error, this.address);
    }
  }

  /** Ends the connection after what was sent is answered. */
  async close(): Promise<void> {
    this.#reason ??= new PostgresError('LOST', 'the connection was closed');
    await this.#client.end().catch(() => undefined);
  }

  /** Ends the connection now: what is unanswered stays open. */
  destroy(reason: PostgresError): void {
    this.#reason ??= reason;
    this.#isOpen = false;
    // The client offers no such thing: its end() waits for what was sent.
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  #ending(error: Error): void {
    this.#isOpen = false;
    this.#reason ??= postgresErrorFrom(error, this.address);
    this.#end(this.#reason);
  }

  /**
   * A commit that stopped waiting for its synchronous standby is reported as done, with no more than a warning, and would be
   * lost with the server. So it counts as a connection lost: what is sent again waits for the standby.
   */
  #onNotice({ routine }: { readonly routine?: string }): void {
    if (routine !== 'SyncRepWaitForLSN') return;
    const { host, port } = this.address;
    this.destroy(
      new PostgresError('LOST', `PostgreSQL at ${host}:${port} confirmed a write without its synchronous standby`),
    );
  }
}
