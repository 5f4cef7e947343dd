// waiting-room.ts: where accepted connections wait for a place: in the order in which they were accepted, so many at
// most, and each so long at most.
//
// The one that has waited longest stands first, and the time-out is the same for all; so one timer, for the first, is enough.

import type { Socket } from 'node:net';
import { monotonicUs } from '../monotonic-us.js';
import { WaitQueue } from './wait-queue.js';

const US_PER_MS = 1e3;

/** The longest that a timer of Node.js can be set to; one set for longer would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Waiting {
  readonly socket: Socket;
  /** On the clock of monotonic-us.ts. */
  readonly acceptedAtUs: number;
}

export class WaitingRoom {
  readonly #queue: WaitQueue<Waiting>;
  readonly #timeoutMs: number;
  readonly #onTimeout: (waiting: Waiting) => void;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param timeoutMs counted from the accept; Infinity: nobody is sent away
   * @param onTimeout takes a connection that has waited that long, and waits no more
   */
  constructor(capacity: number, timeoutMs: number, onTimeout: (waiting: Waiting) => void) {
    this.#queue = new WaitQueue(capacity);
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Lets one wait behind all others; false when there is no room. */
  push(waiting: Waiting): boolean {
    const hasRoom = this.#queue.push(waiting);
    this.#watch();
    return hasRoom;
  }

  /** Lets one wait again that could not be placed, where it would be had it waited on; false when there is no room. */
  putBack(waiting: Waiting): boolean {
    const hasRoom = this.#queue.insert(waiting, (other) => waiting.acceptedAtUs < other.acceptedAtUs);
    this.#watch();
    return hasRoom;
  }

  shift(): Waiting | undefined {
    const waiting = this.#queue.shift();
    if (this.#queue.length === 0) this.#stopWatching();
    return waiting;
  }

  #watch(): void {
    const { first } = this.#queue;
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
    while (isOver(this.#queue.first)) this.#onTimeout(this.#queue.shift()!);
    this.#watch();
  }
}

function waitedMs({ acceptedAtUs }: Waiting): number {
  return (monotonicUs() - acceptedAtUs) / US_PER_MS;
}
