// database.ts: a database that may be one of several servers: finds the one that takes writes, and checks that it will do.
//
//   hosts, in turn, from the last one that did ──► connect ──► no standby? ──► new enough? ──► migrate ──► Session
//
// After a fail-over the old primary may still answer, or another one be promoted: whoever has lost a session asks again.

import { type DatabaseTarget, describeTarget, parseDatabaseUrl } from './database-url.js';
import { type Migration, migrate, readMigrations } from './migrations.js';
import { type HostAddress, PostgresError, type PostgresErrorCode, postgresErrorFrom } from './postgres-error.js';
import { SERVER_VERSION_MIN } from './postgres-limits.js';
import { type Connection, type Connector, Session, type SessionOptions, type Statement } from './session.js';

export interface DatabaseOptions extends SessionOptions {
  /** DATABASE_URL. */
  readonly url: string;
  /** The directory of the migrations. */
  readonly migrations: string;
  /** Told of each migration that was carried out. */
  readonly onMigrated?: (version: number) => void;
}

const DESCRIBE_SERVER: Statement = {
  name: 'describe-server',
  text: `SELECT pg_is_in_recovery() AS "isStandby", current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS "versionText", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
};

/** Of several hosts' reasons, the one that a person must do something about comes first. */
const TELLING: readonly PostgresErrorCode[] = [
  'NEWER_SCHEMA',
  'WRONG_PASSWORD',
  'NO_RIGHT',
  'WRONG_VERSION',
  'UNTRUSTED',
  'REJECTED',
  'BUSY',
  'READ_ONLY',
];

export class Database implements Connector {
  readonly #target: DatabaseTarget;
  readonly #options: DatabaseOptions;
  readonly #migrations: readonly Migration[];
  #firstHost = 0;

  private constructor(target: DatabaseTarget, options: DatabaseOptions, migrations: readonly Migration[]) {
    this.#target = target;
    this.#options = options;
    this.#migrations = migrations;
  }

  /** Reads what is needed to connect, and connects to nothing. Throws PostgresError BAD_URL. */
  static async create(options: DatabaseOptions): Promise<Database> {
    return new Database(parseDatabaseUrl(options.url), options, await readMigrations(options.migrations));
  }

  /** Where it is, for log lines. */
  get description(): string {
    return describeTarget(this.#target);
  }

  /**
   * A session at the server that takes writes, with the tables as they must be.
   *
   * @throws PostgresError, of any code that a connection or a migration can have: the most telling of all hosts'
   */
  async connect(): Promise<Session> {
    const { hosts } = this.#target;
    const failures: PostgresError[] = [];
    for (let attempt = 0; attempt < hosts.length; attempt++) {
      const index = (this.#firstHost + attempt) % hosts.length;
      try {
        const session = await this.#connectTo(hosts[index]!);
        this.#firstHost = index;
        return session;
      } catch (error) {
        failures.push(postgresErrorFrom(error, hosts[index]!));
      }
    }
    throw mostTelling(failures);
  }

  /** The server of the present session has failed: the next connect() begins with another one. */
  distrust({ address }: Connection): void {
    const { hosts } = this.#target;
    if (hosts[this.#firstHost] === address) this.#firstHost = (this.#firstHost + 1) % hosts.length;
  }

  async #connectTo(address: HostAddress): Promise<Session> {
    const { schema } = this.#options;
    const session = await Session.open(this.#target, address, this.#options);
    const where = `PostgreSQL at ${address.host}:${address.port}`;
    try {
      const [server] = await session.run(DESCRIBE_SERVER);
      if (Number(server?.version) < SERVER_VERSION_MIN) {
        const needed = Math.floor(SERVER_VERSION_MIN / 10_000);
        throw new PostgresError(
          'WRONG_VERSION',
          `${where} is version ${server?.versionText}: the store needs ${needed} or newer`,
        );
      }
      if (server?.isStandby === true) throw new PostgresError('READ_ONLY', `${where} is a standby`);
      if (server?.isReadOnly === true) {
        throw new PostgresError('READ_ONLY', `${where} is read-only: see default_transaction_read_only`);
      }
      for (const version of await migrate(session, this.#migrations, schema)) this.#options.onMigrated?.(version);
      return session;
    } catch (error) {
      session.destroy(postgresErrorFrom(error, address));
      throw error;
    }
  }
}

function mostTelling(failures: readonly PostgresError[]): PostgresError {
  for (const code of TELLING) {
    const found = failures.find((failure) => failure.code === code);
    if (found !== undefined && !(code === 'READ_ONLY' && failures.length > 1)) return found;
  }
  if (failures.length === 1) return failures[0]!;
  const code = failures.every((failure) => failure.code === 'READ_ONLY') ? 'READ_ONLY' : 'UNREACHABLE';
  return new PostgresError(code, `no server takes writes: ${failures.map(({ message }) => message).join('; ')}`);
}
