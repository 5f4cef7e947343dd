// departure.ts: when the next batch leaves, in turns of the event loop: nothing here sets a timer or goes to sleep.
//
//   a call comes         the next turn: what has arrived on many connections at the same time leaves together
//   an answer comes      when its callers are back with what they ask next, beside those who wait already
//
// Sent at once behind an answer, callers would fall into groups that take turns: each message then carries one group, and
// each group waits for the other's round trip as well as its own. Together they wait for one round trip, and for the slowest
// of them to come back. So that pays where they come back in less than a round trip, and only who has done so lately is
// waited for; others get a few turns. Even so those who wait lose no more, all together, than the one who is waited for
// would by missing the message: a round trip. (As with skis, which are rented until they could have been bought: Karlin and
// others, Competitive snoopy caching, 1988.)

import { performance } from 'node:perf_hooks';

/** Turns of the event loop that callers have to come back, however slow they are. An idle turn takes some microseconds. */
const RETURN_TURNS = 8;
/**
 * Callers are quick if they are back within this part of a round trip more often than not. Measured with 1, mixed finds and
 * orders of 64 customers, who are as slow as a message, lose a twentieth; with 0.5, five customers gain half as much.
 */
const QUICK_PART = 0.6;
/** Of the answers lately. */
const MOSTLY = 0.5;
/** Answers over which that is judged: what customers do changes in seconds, and these take milliseconds. */
const JUDGED_ANSWERS = 8;
/** Of a round trip, as far as waiting goes: it keeps the thread turning, and a peer that stalled is no measure. */
const ROUND_TRIP_MS_MAX = 2;

export class Departure {
  readonly #queue: { readonly callCount: number };
  readonly #batchItemsMax: number;
  readonly #leave: () => void;
  readonly #nowMs: () => number;
  #isSet = false;
  /** Since it was set. */
  #turns = 0;
  /** Callers of the last answer who are not back. Who comes first for the first time counts as one of them. */
  #absent = 0;
  #roundTripMs = 0;
  #answeredAt = 0;
  /** When the last of them came back; before that, when they were answered. */
  #lastBackAt = 0;
  /** How often all were back in time, 0 to 1, on a decaying average. Trusted until they are seen. */
  #quickness = 1;
  readonly #look = (): void => this.#leaveOrTurn();

  /**
   * @param batchItemsMax items in one message; 1: a call is a message of its own, has nobody to wait for, and leaves at once
   * @param leave may find the queue empty
   * @param nowMs that of performance.now()
   */
  constructor(
    queue: { readonly callCount: number },
    batchItemsMax: number,
    leave: () => void,
    nowMs = (): number => performance.now(),
  ) {
    this.#queue = queue;
    this.#batchItemsMax = batchItemsMax;
    this.#leave = leave;
    this.#nowMs = nowMs;
  }

  /** A call was put into the queue. @param nowMs spares a look at the clock */
  noteCall(nowMs: number): void {
    if (this.#absent === 0) return;
    this.#lastBackAt = nowMs;
    if (--this.#absent === 0) this.#judge(nowMs - this.#answeredAt < this.#roundTripMs * QUICK_PART);
  }

  /** There is room for a batch: it leaves in the next turn, or when those are back who are waited for. */
  soon(): void {
    if (this.#batchItemsMax === 1) return this.#leave();
    if (this.#isSet) return;
    this.#isSet = true;
    this.#turns = 0;
    setImmediate(this.#look);
  }

  /** A message came back after `roundTripMs`, `callCount` callers were answered by it, and there is room for the next one. */
  noteAnswers(callCount: number, roundTripMs: number, nowMs: number): void {
    if (this.#absent > 0) this.#judge(false);
    this.#absent = callCount;
    this.#roundTripMs = Math.min(roundTripMs, ROUND_TRIP_MS_MAX);
    this.#answeredAt = nowMs;
    this.#lastBackAt = nowMs;
    if (this.#queue.callCount > 0) this.soon();
  }

  #judge(isQuick: boolean): void {
    this.#quickness += (Number(isQuick) - this.#quickness) / JUDGED_ANSWERS;
  }

  #leaveOrTurn(): void {
    this.#turns++;
    if (this.#isWorthWaiting()) return void setImmediate(this.#look);
    this.#isSet = false;
    this.#leave();
  }

  #isWorthWaiting(): boolean {
    const waiting = this.#queue.callCount;
    // More than a message takes would only make it late.
    if (this.#absent === 0 || waiting >= this.#batchItemsMax) return false;
    if (this.#turns < RETURN_TURNS) return true;
    return this.#quickness >= MOSTLY && (waiting + 1) * (this.#nowMs() - this.#lastBackAt) < this.#roundTripMs;
  }
}
