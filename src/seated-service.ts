// seated-service.ts: a service over a database, of which any number may run: one has the seat and serves, the others stand
// by, each on its own address.
//
//   listening, standing by ──the seat──► serving ──the seat is lost──► failed: the process ends, and starts again as a standby
//          └──────── stop ──────────────────┴──► the seat is given back
//
// A service is ready when it listens, whatever the database does; it says in its log what it waits for.

import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { formatAddress } from './address.js';
import { openPeerIdentity } from './certificates.js';
import { systemClock } from './clock.js';
import { UsageError } from './flags.js';
import type { Log } from './log.js';
import { Database, type HeldSeat, PostgresError, takeSeat } from './postgres/index.js';
import { PeerSecurity, StandbyServer } from './rpc/index.js';
import type { RunningService } from './running-service.js';
import type { ServiceName, Settings } from './settings.js';
import type { WatchedIdentity } from './tls/watched-identity.js';

export interface SeatedServiceOptions {
  /** The row of `seats`, and the service's name. */
  readonly name: ServiceName;
  readonly settings: Settings;
  readonly log: Log;
  readonly port: number;
  readonly definitions: readonly ServiceDefinition[];
  /**
   * Starts serving on that port. The service that it returns gives the seat back when it stops; when this throws, it is
   * given back here.
   */
  start(seat: HeldSeat, database: Database, port: number): Promise<RunningService>;
}

/** The schema of all tables. */
export const SCHEMA = 'toystore';
/** The repository's sql directory, seen from dist/src. */
const MIGRATIONS = fileURLToPath(new URL('../../sql', import.meta.url));

/** The database of DATABASE_URL, not connected to yet. Throws UsageError for an unusable URL. */
export async function openDatabase(url: string, name: string, log?: Log): Promise<Database> {
  try {
    return await Database.create({
      url,
      schema: SCHEMA,
      applicationName: `toystore ${name}`,
      migrations: MIGRATIONS,
      onMigrated: (version) => log?.info('the tables were migrated', { version }),
    });
  } catch (error) {
    throw error instanceof PostgresError && error.code === 'BAD_URL' ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError, or the system's error for the address */
export async function startSeated(options: SeatedServiceOptions): Promise<RunningService> {
  const { name, settings, log, port, definitions } = options;
  const database = await openDatabase(settings.databaseUrl!, name, log);
  const service = new SeatedService(options, database);
  await service.listen({ host: settings.host, port, definitions });
  return service;
}

class SeatedService implements RunningService {
  readonly failed: Promise<Error>;
  readonly #options: SeatedServiceOptions;
  readonly #database: Database;
  readonly #closing = new AbortController();
  #fail: (error: Error) => void = () => undefined;
  #waitingFor = 'the database has not answered yet';
  #standby: StandbyServer | undefined;
  /** Of the standby: who serves has its own. */
  #peers: WatchedIdentity | undefined;
  #serving: RunningService | undefined;
  #work: Promise<void> = Promise.resolve();
  #address = '';

  constructor(options: SeatedServiceOptions, database: Database) {
    this.#options = options;
    this.#database = database;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  get address(): string {
    return this.#address;
  }

  async listen(at: {
    readonly host: string;
    readonly port: number;
    readonly definitions: readonly ServiceDefinition[];
  }): Promise<void> {
    const { settings, name, log } = this.#options;
    const peers = openPeerIdentity(settings, name, log);
    this.#peers = peers;
    const security = new PeerSecurity(peers?.current);
    peers?.onChange((identity) => security.update(identity));
    this.#standby = await StandbyServer.listen({ ...at, security, reason: () => this.#waitingFor });
    const { address, port } = this.#standby.bound;
    this.#address = formatAddress(address, port);
    this.#work = this.#serve(port).catch((error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#work;
    await this.#serving?.stop();
    await this.#closeStandby();
  }

  async #closeStandby(): Promise<void> {
    this.#peers?.close();
    await this.#standby?.close();
    this.#standby = undefined;
  }

  async #serve(port: number): Promise<void> {
    const { name, log } = this.#options;
    const database = this.#database.description;
    const seat = await takeSeat({
      database: this.#database,
      clock: systemClock,
      name,
      closing: this.#closing.signal,
      onWaiting: (reason) => {
        this.#waitingFor = reason;
        if (!this.#closing.signal.aborted) log.warn('not serving', { reason, database });
      },
    });
    if (seat === undefined) return;
    log.info('serving from now on', { database, epoch: seat.epoch });
    seat.listen({
      onTrouble: (error) => {
        if (error === undefined) log.info('the database takes writes again');
        else log.error('the database takes no writes: trying on', { error });
      },
    });
    try {
      await this.#closeStandby();
      this.#serving = await this.#options.start(seat, this.#database, port);
    } catch (error) {
      await seat.leave();
      throw error;
    }
    void seat.lost.then((error) => {
      if (!this.#closing.signal.aborted) this.#fail(error);
    });
    void this.#serving.failed.then((error) => this.#fail(error));
  }
}
