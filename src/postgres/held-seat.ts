// held-seat.ts: the seat of a process that serves, and the only way to write while it does.
//
//   write ──► in order, pipelined ──► answered ──► resolved
//                 ▲                     └─ failed, or the connection lost: wait until all that was sent is answered or lost
//                 └── sent again, all that is unanswered, in order, under the same step numbers ◄── still our epoch?
//
// Each write is one statement that begins with the fence: it locks the row of the seat, and does its work only if the epoch
// is still ours, the write before it was carried out, and it was not itself. So a write that fails holds back those sent
// after it; and after a lost connection, when nobody knows what was carried out, everything unanswered is sent again under
// the numbers that it had.
//
// The fence also renews the lease. `servesUntilMs` counts from when the write that renewed it was sent, so that this
// process stops acting on the seat before any successor begins.

import { assert } from '../assert.js';
import { type Clock, pause, type Timer } from '../clock.js';
import { mayBeRepeated, PostgresError } from './postgres-error.js';
import { RECONNECT_DELAY_MS, RENEW_INTERVAL_MS, ROWS_READ_AT_ONCE, SEAT_LEASE_MS } from './postgres-limits.js';
import { LEAVE, READ_SEAT, RENEW, SIT_DOWN } from './seat-statements.js';
import { SeatTrouble } from './seat-trouble.js';
import type { Connection, Connector, Row, Statement, Values } from './session.js';

export interface SeatTaken {
  readonly database: Connector;
  readonly clock: Clock;
  readonly session: Connection;
  readonly name: string;
  readonly epoch: number;
  /** When the seat was asked for, on the clock. */
  readonly sentAtMs: number;
  /** How long a predecessor may still act. */
  readonly waitMs: number;
}

export interface SeatEvents {
  /** No write has been confirmed for TROUBLE_PATIENCE_MS, with the reason; undefined: they are again. */
  readonly onTrouble?: (reason: PostgresError | undefined) => void;
  /** The lease was renewed until then, on the clock. */
  readonly onRenewed?: (servesUntilMs: number) => void;
}

/** A write that is not confirmed yet. */
interface Write {
  readonly statement: Statement;
  readonly values: Values;
  readonly step: number;
  resolve(rows: readonly Row[]): void;
  reject(error: PostgresError): void;
}

/** An answer without rows: the fence let nothing through. */
class Fenced extends Error {}

export class HeldSeat {
  /** Raised with each holder of the seat. */
  readonly epoch: number;
  /** How long, from then, what a predecessor has shown or allowed may last; by its own clock, which may be slower. */
  readonly waitMs: number;
  /** Settles when the seat is lost: nothing more can be written. */
  readonly lost: Promise<PostgresError>;
  readonly #taken: SeatTaken;
  readonly #events: SeatEvents[] = [];
  #session: Connection;
  /** Not confirmed, in order; the first `#sent` of them are on their way. */
  #writes: Write[] = [];
  #sent = 0;
  /** Answers that are still to come over the present session. */
  #underway = 0;
  #isFailing = false;
  #nextStep = 1;
  #confirmedStep = 0;
  #servesUntilMs: number;
  #lose: (error: PostgresError) => void = () => undefined;
  #end: PostgresError | undefined;
  #renewal: Timer | undefined;
  readonly #trouble: SeatTrouble;
  /** Before the next attempt, while none succeeds. */
  #delayMs = 0;

  constructor(taken: SeatTaken) {
    this.#taken = taken;
    this.#session = taken.session;
    this.epoch = taken.epoch;
    this.waitMs = taken.waitMs;
    this.#servesUntilMs = taken.sentAtMs + SEAT_LEASE_MS;
    this.#trouble = new SeatTrouble(taken.clock, (reason) => {
      for (const events of this.#events) events.onTrouble?.(reason);
    });
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#watch(taken.session);
    this.#renew();
  }

  /** Until when this process may show what it knows, on the clock: later, another one may know better. */
  get servesUntilMs(): number {
    return this.#servesUntilMs;
  }

  /** Why nothing can be written now; undefined: all is well. */
  get trouble(): PostgresError | undefined {
    return this.#end ?? this.#trouble.reason;
  }

  listen(events: SeatEvents): void {
    this.#events.push(events);
    events.onRenewed?.(this.#servesUntilMs);
  }

  /**
   * Carries out a write, after all those that were given before it, however long the database is away.
   *
   * @param statement of fencedStatement()
   * @returns its rows; what it wrote is committed, once
   * @throws PostgresError REJECTED, FENCED or REWOUND: the seat is lost then
   */
  write(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      this.#writes.push({ statement, values, step: this.#nextStep++, resolve, reject });
      this.#send();
    });
  }

  /** Reads over the same session, after the writes before it. Throws PostgresError; may be tried again. */
  read(statement: Statement, values: Values = []): Promise<readonly Row[]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return this.#session.run(statement, values);
  }

  /**
   * All rows of a look-up, a part at a time. The last value of the statement is how many rows it may give.
   *
   * @param from the values before that one, for what comes after a row, or for the beginning
   */
  async *readAll(statement: Statement, from: (last: Row | undefined) => Values): AsyncGenerator<readonly Row[]> {
    for (let last: Row | undefined; ; ) {
      const rows = await this.read(statement, [...from(last), ROWS_READ_AT_ONCE]);
      if (rows.length > 0) yield rows;
      if (rows.length < ROWS_READ_AT_ONCE) return;
      last = rows.at(-1);
    }
  }

  /** The newest epoch of a seat, also another one's, after the writes before this call. Throws PostgresError. */
  async epochOf(name: string): Promise<number> {
    const [seat] = await this.read(READ_SEAT, [name]);
    return Number(seat?.epoch ?? 0);
  }

  /**
   * Gives the seat back, so that a standby need not wait for the lease. What is unconfirmed by then is not: the caller has
   * waited for what it wants confirmed. Never rejects.
   */
  async leave(): Promise<void> {
    this.#renewal?.cancel();
    if (this.#end === undefined) {
      this.#refuse(new PostgresError('LOST', 'the seat was given back'));
      const { name, epoch } = this.#taken;
      await this.#session.run(LEAVE, [name, epoch]).catch(() => undefined);
    }
    await this.#session.close();
  }

  #renew(): void {
    this.#renewal = this.#taken.clock.after(RENEW_INTERVAL_MS, () => {
      this.#renew();
      if (this.#writes.length === 0) this.write(RENEW).catch(() => undefined);
    });
  }

  #send(): void {
    if (this.#isFailing || this.#end !== undefined) return;
    while (this.#sent < this.#writes.length) this.#sendOne(this.#writes[this.#sent++]!);
  }

  #sendOne(write: Write): void {
    const { name, epoch } = this.#taken;
    const sentAtMs = this.#taken.clock.monotonicMs();
    this.#underway++;
    this.#session
      .run(write.statement, [name, epoch, write.step, ...write.values])
      .then((rows) => {
        if (rows.length === 0) throw new Fenced();
        this.#confirm(write, rows, sentAtMs);
      })
      .catch((error: unknown) => this.#onFailure(error))
      .finally(() => {
        this.#underway--;
        if (this.#isFailing && this.#underway === 0) void this.#recover();
      });
  }

  #confirm(write: Write, rows: readonly Row[], sentAtMs: number): void {
    if (this.#end !== undefined) return;
    if (this.#writes[0] !== write) {
      // The one before it failed here, and was then carried out as it came over an earlier session: both are sent again.
      assert(this.#isFailing, 'the database confirms writes in order');
      return;
    }
    this.#writes.shift();
    this.#sent--;
    this.#confirmedStep = write.step;
    this.#delayMs = 0;
    if (!this.#isFailing) this.#trouble.note(undefined);
    this.#servesUntilMs = sentAtMs + SEAT_LEASE_MS;
    for (const events of this.#events) events.onRenewed?.(this.#servesUntilMs);
    write.resolve(rows);
  }

  #onFailure(error: unknown): void {
    if (error instanceof Fenced) {
      this.#isFailing = true;
      return;
    }
    if (!(error instanceof PostgresError)) throw error;
    if (!this.#isFailing && !mayBeRepeated(error)) this.#fail(error);
    this.#isFailing = true;
    this.#trouble.note(error);
  }

  /** Everything that was sent is answered or lost: finds out where things stand, and sends the rest again. */
  async #recover(): Promise<void> {
    while (this.#end === undefined) {
      if (this.#delayMs > 0) await pause(this.#taken.clock, this.#delayMs);
      this.#delayMs = Math.min(Math.max(RECONNECT_DELAY_MS.min, 2 * this.#delayMs), RECONNECT_DELAY_MS.max);
      try {
        if (!this.#session.isOpen) await this.#reconnect();
        await this.#checkSeat();
        break;
      } catch (error) {
        if (!(error instanceof PostgresError)) throw error;
        this.#trouble.note(error);
        this.#taken.database.distrust(this.#session);
        this.#session.destroy(error);
      }
    }
    this.#sent = 0;
    this.#isFailing = false;
    if (this.#writes.length === 0) this.#trouble.note(undefined);
    this.#send();
  }

  async #reconnect(): Promise<void> {
    const session = await this.#taken.database.connect();
    if (this.#end !== undefined) {
      await session.close();
      return;
    }
    this.#session = session;
    this.#watch(session);
    await session.run(SIT_DOWN, [this.#taken.name, this.epoch]);
  }

  /** The seat is lost where another one has it, or where the database has forgotten what we know of it. */
  async #checkSeat(): Promise<void> {
    const { name } = this.#taken;
    const [seat] = await this.#session.run(READ_SEAT, [name]);
    const epoch = Number(seat?.epoch ?? 0);
    if (epoch > this.epoch) {
      const who = seat?.holder ?? 'it has stopped since';
      this.#fail(new PostgresError('FENCED', `another ${name} has taken over: ${who}`));
    } else if (epoch < this.epoch || Number(seat?.step) < this.#confirmedStep) {
      const what =
        `the database has lost writes of the ${name} that it had confirmed: was an older copy of it restored, or a standby ` +
        'promoted that was behind? Set up synchronous replication, and compare the books before the store is started again';
      this.#fail(new PostgresError('REWOUND', what));
    }
  }

  #watch(session: Connection): void {
    void session.ended.then((error) => {
      if (session !== this.#session || this.#isFailing || this.#end !== undefined) return;
      // Nothing was under way that would tell: the next write is sent over a new session.
      this.#isFailing = true;
      this.#trouble.note(error);
      if (this.#underway === 0) void this.#recover();
    });
  }

  #fail(error: PostgresError): void {
    if (this.#end !== undefined) return;
    this.#refuse(error);
    this.#lose(error);
  }

  /** Nothing is written any more. */
  #refuse(error: PostgresError): void {
    this.#end = error;
    this.#renewal?.cancel();
    this.#trouble.stop();
    const writes = this.#writes;
    this.#writes = [];
    this.#sent = 0;
    for (const write of writes) write.reject(error);
  }
}
