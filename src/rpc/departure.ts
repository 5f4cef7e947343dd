// departure.ts: when the next batch leaves, in turns of the event loop: nothing here sets a timer or goes to sleep.
//
//   a call comes         the next turn: what has arrived on many connections at the same time leaves together
//   an answer comes      when its callers are back with what they ask next, beside those who wait already
//
// Sent at once behind an answer, callers would fall into groups that take turns: each message then carries one group, and
// each group waits for the other's round trip as well as its own.

/** Turns of the event loop that callers have to come back. In the first their answers go out, in the next ones what they
 *  ask then comes in. An idle turn takes some microseconds. */
const RETURN_TURNS_MAX = 8;

export class Departure {
  readonly #queue: { readonly callCount: number };
  readonly #batchItemsMax: number;
  readonly #leave: () => void;
  #isSet = false;

  /**
   * @param batchItemsMax items in one message; 1: a call is a message of its own, has nobody to wait for, and leaves at once
   * @param leave may find the queue empty
   */
  constructor(queue: { readonly callCount: number }, batchItemsMax: number, leave: () => void) {
    this.#queue = queue;
    this.#batchItemsMax = batchItemsMax;
    this.#leave = leave;
  }

  /** Leaves in the next turn, unless a departure is set already. With nothing else to do this costs no measurable time. */
  soon(): void {
    this.#set(1, 1);
  }

  /** Leaves when `callCount` more calls wait than now. A caller who is alone holds up nobody: it comes back to soon(). */
  whenBack(callCount: number): void {
    const waiting = this.#queue.callCount;
    if (waiting > 0 || callCount > 1) this.#set(waiting + callCount, RETURN_TURNS_MAX);
  }

  #set(callCount: number, turnsMax: number): void {
    if (this.#batchItemsMax === 1) return this.#leave();
    if (this.#isSet) return;
    this.#isSet = true;
    // More than a message takes would only make it late.
    const together = Math.min(callCount, this.#batchItemsMax);
    let turns = 0;
    const look = (): void => {
      if (++turns < turnsMax && this.#queue.callCount < together) return void setImmediate(look);
      this.#isSet = false;
      this.#leave();
    };
    setImmediate(look);
  }
}
