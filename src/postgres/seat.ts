// seat.ts: of several processes that could do the same work over one database, one has the seat and does it. The others
// watch the seat, and take it when the holder is gone.
//
//   watch ──free, or its session ended, or its lease over──► end its session ──► raise the epoch ──► the seat is held
//     ▲──────held by another──────┘
//
// Raising the epoch is what decides: each write names the epoch of its sender, and is carried out only while that is the
// newest (fencing tokens, as in Kleppmann, "Designing Data-Intensive Applications", chapter 8). Leases and sessions
// only say when to try. The seat's row is locked by each write, so that an epoch is raised between two writes and never
// during one.

import { hostname } from 'node:os';
import { type Clock, pause } from '../clock.js';
import { HeldSeat } from './held-seat.js';
import { PostgresError } from './postgres-error.js';
import {
  LEASE_MARGIN,
  RECONNECT_DELAY_MS,
  SEAT_LEASE_MS,
  SESSION_GRACE_MS,
  WATCH_INTERVAL_MS,
} from './postgres-limits.js';
import { END_SESSION, TAKE, WATCH } from './seat-statements.js';
import type { Connection, Connector } from './session.js';

export interface SeatOptions {
  readonly database: Connector;
  readonly clock: Clock;
  /** The row of `seats`. */
  readonly name: string;
  /** Says no more on this seat: resolves without it. */
  readonly closing: AbortSignal;
  /** Why nothing is served here, in a sentence; said again only when it changes. */
  readonly onWaiting: (reason: string) => void;
}

/**
 * Waits for the seat, however long: while there is no database, and while another one holds it.
 *
 * @returns the seat, or undefined when `closing` was aborted before
 */
export async function takeSeat(options: SeatOptions): Promise<HeldSeat | undefined> {
  const { database, clock, closing, onWaiting } = options;
  let said = '';
  const say = (reason: string): void => {
    if (reason !== said) onWaiting(reason);
    said = reason;
  };
  let session: Connection | undefined;
  let delayMs: number = RECONNECT_DELAY_MS.min;
  while (!closing.aborted) {
    try {
      session ??= await database.connect();
      const seat = await tryToTake(session, options, say);
      if (seat !== undefined) return seat;
      delayMs = RECONNECT_DELAY_MS.min;
      await pause(clock, WATCH_INTERVAL_MS, closing);
    } catch (error) {
      if (!(error instanceof PostgresError)) throw error;
      say(error.message);
      if (session !== undefined) {
        database.distrust(session);
        session.destroy(error);
        session = undefined;
      }
      await pause(clock, delayMs, closing);
      delayMs = Math.min(2 * delayMs, RECONNECT_DELAY_MS.max);
    }
  }
  await session?.close();
  return undefined;
}

async function tryToTake(
  session: Connection,
  { database, clock, name }: SeatOptions,
  say: (reason: string) => void,
): Promise<HeldSeat | undefined> {
  const overdueMs = SEAT_LEASE_MS * LEASE_MARGIN;
  const [seen] = await session.run(WATCH, [name, overdueMs, SESSION_GRACE_MS]);
  if (seen === undefined) throw new PostgresError('BAD_SCHEMA', `the table seats has no row for ${name}`);
  if (seen.isFree !== true) {
    say(`standing by: ${seen.holder} serves`);
    return undefined;
  }
  // Else its last write, cut off half-way, could hold the row for as long as its machine is silent.
  if (seen.hasSession === true) await session.run(END_SESSION, [name]);
  const holder = `${hostname()}, process ${process.pid}`;
  const sentAtMs = clock.monotonicMs();
  const [taken] = await session.run(TAKE, [name, holder, seen.epoch]);
  if (taken === undefined) return undefined;
  // Whoever had it may act until its lease ends, whatever became of its session, and what it has allowed others until then.
  const waitMs = seen.epoch === 0 ? 0 : SEAT_LEASE_MS;
  return new HeldSeat({ database, clock, session, name, epoch: Number(taken.epoch), sentAtMs, waitMs });
}
