// simulated-postgres.ts: a PostgreSQL in the simulated world: sessions over connections that break, a server that is killed and
// comes back with all that was committed. It stands for src/postgres/database.ts and session.ts.
//
//   run() ──► under way ──► at the server, one after the other ──► committed ──► answer under way ──► resolved
//                └────────────────── the connection breaks anywhere: LOST, and nobody knows ─────────┘

import {
  type Connection,
  type Connector,
  PostgresError,
  type Row,
  type Statement,
  type Values,
} from '../../src/postgres/index.js';
import type { SimulatedNetwork } from '../support/simulated-network.js';
import type { SimulatedProcess } from '../support/simulated-world.js';
import { PostgresModel } from './postgres-model.js';

export interface PostgresFaults {
  /** Longest time from one statement to the next commit, in milliseconds. */
  commitMs: number;
  /** Probability that a statement is refused for now, as a serialization failure is. */
  busy: number;
  /** Probability that a connection breaks once a statement is sent. */
  breaks: number;
}

const ADDRESS = { host: 'simulated', port: 5432 };
/** How late a server learns that a client is gone. */
const UNNOTICED_MS_MAX = 900;

export class SimulatedPostgres {
  readonly model = new PostgresModel();
  readonly faults: PostgresFaults = { commitMs: 2, busy: 0, breaks: 0 };
  /** When the last stall is over. */
  stalledUntilMs = 0;
  readonly #sessions = new Map<number, SimulatedConnection>();
  #newest = 0;
  #isUp = true;

  constructor(readonly network: SimulatedNetwork) {}

  /** The way of one process to the server. */
  connectorOf(process: SimulatedProcess, isCutOff: () => boolean): Connector {
    return {
      connect: () =>
        new Promise((resolve, reject) => {
          process.after(this.network.wayMs(), () => {
            if (!this.#isUp || isCutOff()) return reject(new PostgresError('UNREACHABLE', 'no server answers'));
            const connection = new SimulatedConnection(this, process, ++this.#newest);
            this.#sessions.set(connection.session, connection);
            resolve(connection);
          });
        }),
      distrust: () => undefined,
    };
  }

  /** Every session ends at once, and what was not committed is gone. */
  kill(downMs: number): void {
    this.#isUp = false;
    for (const session of this.#sessions.keys()) this.end(session);
    this.network.world.after(downMs, () => this.resume());
  }

  resume(): void {
    this.#isUp = true;
  }

  isAlive(session: number): boolean {
    return this.#sessions.has(session);
  }

  /** The server ends a session: what it has not committed it never will. */
  end(session: number): void {
    this.#sessions.get(session)?.break();
    this.#sessions.delete(session);
  }

  /** The client's side is gone; the server learns of it in its time, and carries out meanwhile what has come. */
  left(session: number): void {
    const { world } = this.network;
    world.after(world.random.integer(0, UNNOTICED_MS_MAX), () => this.#sessions.delete(session));
  }

  breakAllOf(process: SimulatedProcess): void {
    for (const connection of this.#sessions.values()) if (connection.process === process) connection.break();
  }

  /** What a process sends, or has sent, is carried out so much later. */
  stallAllOf(process: SimulatedProcess, ms: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.network.world.nowMs + ms);
    for (const connection of this.#sessions.values()) if (connection.process === process) connection.stall(ms);
  }

  execute(statement: Statement, values: Values, session: number): readonly Row[] {
    const { world } = this.network;
    if (world.random.chance(this.faults.busy)) throw new PostgresError('BUSY', 'could not serialize access');
    return this.model.execute(statement, values, {
      session,
      nowMs: world.nowMs,
      isAlive: (one) => this.isAlive(one),
      end: (one) => this.end(one),
    });
  }
}

class SimulatedConnection implements Connection {
  readonly address = ADDRESS;
  readonly ended: Promise<PostgresError>;
  isOpen = true;
  readonly #up;
  readonly #down;
  readonly #unanswered = new Set<(error: PostgresError) => void>();
  #end: (error: PostgresError) => void = () => undefined;
  #isBroken = false;
  /** When the session has carried out all that has come. */
  #busyUntilMs = 0;

  constructor(
    readonly server: SimulatedPostgres,
    readonly process: SimulatedProcess,
    readonly session: number,
  ) {
    this.#up = server.network.channel();
    this.#down = server.network.channel();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    process.onKill(() => this.break());
  }

  run(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    const { network, faults } = this.server;
    if (!this.isOpen) return Promise.reject(lost());
    const sent = structuredClone(values);
    const answer = new Promise<readonly Row[]>((resolve, reject) => {
      this.#unanswered.add(reject);
      const settle = (how: () => void): void => {
        if (!this.process.isAlive || !this.#unanswered.delete(reject)) return;
        how();
      };
      this.#up.send(() =>
        this.#carryOut(statement, sent, (rows, error) =>
          this.#down.send(() => settle(() => (rows === undefined ? reject(error!) : resolve(rows)))),
        ),
      );
    });
    if (network.world.random.chance(faults.breaks))
      network.world.after(network.world.random.integer(0, 8), () => this.break());
    return answer;
  }

  async close(): Promise<void> {
    this.break();
  }

  destroy(reason: PostgresError): void {
    this.#fail(reason);
    this.break();
  }

  /** Both sides learn of it, each in its time. */
  break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#up.break();
    this.#down.break();
    this.server.left(this.session);
    this.process.after(this.server.network.wayMs(), () => this.#fail(lost()));
  }

  stall(ms: number): void {
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.server.network.world.nowMs + ms);
  }

  #fail(reason: PostgresError): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const reject of this.#unanswered) reject(reason);
    this.#unanswered.clear();
    this.#end(reason);
  }

  /** One statement after the other: the next begins when the one before is committed. */
  #carryOut(
    statement: Statement,
    values: Values,
    answer: (rows: readonly Row[] | undefined, error?: PostgresError) => void,
  ): void {
    const { world } = this.server.network;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, world.nowMs) + world.random.next() * this.server.faults.commitMs;
    world.after(this.#busyUntilMs - world.nowMs, () => {
      if (!this.server.isAlive(this.session)) return;
      let rows: readonly Row[];
      try {
        rows = this.server.execute(statement, values, this.session);
      } catch (error) {
        if (!(error instanceof PostgresError)) throw error;
        return answer(undefined, error);
      }
      answer(structuredClone(rows));
    });
  }
}

function lost(): PostgresError {
  return new PostgresError('LOST', 'the connection was lost');
}
