// waiting-room.ts: where accepted connections wait for a place: in the order in which they were accepted, so many at
// most, and each so long at most.
//
//   . . . │ c  d  e      to take the first is to move a mark; those before it are dropped together now and then
//         ^ head
//
// The one that has waited longest stands first, and the time-out is the same for all; so one timer, for the first, is enough.

import type { Socket } from 'node:net';
import { monotonicUs } from '../clock.js';

const US_PER_MS = 1e3;

/** The longest that a timer of Node.js can be set to; one set for longer would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Waiting {
  readonly socket: Socket;
  /** On the clock of monotonicUs(). */
  readonly acceptedAtUs: number;
}

export class WaitingRoom {
  readonly #capacity: number;
  readonly #timeoutMs: number;
  readonly #onTimeout: (waiting: Waiting) => void;
  #entries: Waiting[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param capacity how many may wait; 0 means that nobody may
   * @param timeoutMs counted from the accept; Infinity: nobody is sent away
   * @param onTimeout takes a connection that has waited that long, and waits no more
   */
  constructor(capacity: number, timeoutMs: number, onTimeout: (waiting: Waiting) => void) {
    this.#capacity = capacity;
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Lets one wait behind all others; false when there is no room. */
  push(waiting: Waiting): boolean {
    return this.#insert(this.#entries.length, waiting);
  }

  /** Lets one wait again that could not be placed, where it would be had it waited on; false when there is no room. */
  putBack(waiting: Waiting): boolean {
    let place = this.#entries.length;
    while (place > this.#head && waiting.acceptedAtUs < this.#entries[place - 1]!.acceptedAtUs) place--;
    return this.#insert(place, waiting);
  }

  /** Takes the one that has waited longest; undefined where nobody waits. */
  shift(): Waiting | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    this.#head++;
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    if (this.length === 0) this.#stopWatching();
    return first;
  }

  get #first(): Waiting | undefined {
    return this.#entries[this.#head];
  }

  #insert(place: number, waiting: Waiting): boolean {
    if (this.length === this.#capacity) return false;
    this.#entries.splice(place, 0, waiting);
    this.#watch();
    return true;
  }

  #watch(): void {
    const first = this.#first;
    if (first === undefined || this.#timer !== undefined || this.#timeoutMs === Number.POSITIVE_INFINITY) return;
    // The timer may be early by a part of a millisecond, or set for one that has left since: then it is set again.
    const leftMs = Math.max(1, Math.ceil(this.#timeoutMs - waitedMs(first)));
    this.#timer = setTimeout(() => this.#sendAway(), Math.min(leftMs, TIMER_MAX_MS));
  }

  #stopWatching(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sendAway(): void {
    this.#timer = undefined;
    const isOver = (first: Waiting | undefined) => first !== undefined && waitedMs(first) >= this.#timeoutMs;
    while (isOver(this.#first)) this.#onTimeout(this.shift()!);
    this.#watch();
  }
}

function waitedMs({ acceptedAtUs }: Waiting): number {
  return (monotonicUs() - acceptedAtUs) / US_PER_MS;
}
