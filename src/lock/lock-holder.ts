// lock-holder.ts: the steps that one holder takes on a lock's memory (lock-layout.ts). Each step is one
// compare-exchange of the state word, repeated until nobody came between; and then a plain write to the holder's own
// word, which says for repair() what the holder is now doing. It checks nothing and waits for nobody: that is
// shared-rw-lock.ts.
//
// A thread can only be ended at a call or at a loop's turn, so a compare-exchange and the plain write right behind
// it, with neither in between, are one step as far as death goes.

import { LockError } from './lock-error.js';
import { LockEvents } from './lock-events.js';
import {
  AWAITING_WRITE,
  afterGivingUp,
  afterReader,
  afterWriter,
  awaitingReadIn,
  canEnter,
  DOING,
  FIRST_HOLDER_WORD,
  GRANTED,
  HOLDER_SHIFT,
  HOLDERS_MAX,
  IDLE,
  IMPATIENT,
  IMPATIENT_READERS,
  IMPATIENT_WRITER,
  isLetIn,
  KEEPS_READERS_OUT,
  KEEPS_WRITERS_OUT,
  LOCK_WORDS,
  READER,
  READING,
  STATE_WORD,
  WAITING_READER,
  WAITING_WRITER,
  WOKEN,
  WRITER,
  WRITING,
} from './lock-layout.js';
import type { LockMachine } from './lock-machine.js';

/** In the place of the idle word: no word of any holder ever has this value, nor the next few. */
const DISPOSED = -1 << HOLDER_SHIFT;

export class LockHolder {
  readonly #words: Int32Array;
  readonly #machine: LockMachine;
  readonly #events: LockEvents;
  /** Index of this holder's word, and what is in it when it is idle. */
  readonly #own: number;
  #idle: number;

  /** Throws LockError TOO_MANY_HOLDERS. */
  constructor(machine: LockMachine, words: Int32Array, ownerId: number) {
    this.#machine = machine;
    this.#words = words;
    this.#events = new LockEvents(machine, words);
    this.#idle = ((ownerId + 1) << HOLDER_SHIFT) + IDLE;
    this.#own = this.#claimWord();
  }

  get isIdle(): boolean {
    return this.#words[this.#own] === this.#idle;
  }

  get isReading(): boolean {
    return this.#words[this.#own] === this.#idle + READING;
  }

  get isWriting(): boolean {
    return this.#words[this.#own] === this.#idle + WRITING;
  }

  get isDisposed(): boolean {
    return this.#idle === DISPOSED;
  }

  /** From idle to reading, if nobody keeps readers out. */
  tryRead(): boolean {
    for (;;) {
      const state = this.#machine.guess(this.#words, STATE_WORD);
      if ((state & KEEPS_READERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, state + READER) === state) {
        this.#words[this.#own] = this.#idle + READING;
        return true;
      }
    }
  }

  /** From idle to writing, if nobody keeps writers out. */
  tryWrite(): boolean {
    for (;;) {
      const state = this.#machine.guess(this.#words, STATE_WORD);
      if ((state & KEEPS_WRITERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, state + WRITER) === state) {
        this.#words[this.#own] = this.#idle + WRITING;
        return true;
      }
    }
  }

  /** From reading to idle. */
  stopReading(): void {
    for (;;) {
      const state = this.#machine.guess(this.#words, STATE_WORD);
      const next = afterReader(state);
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        if (next !== state - READER) this.#events.wakeAfterRelease(state, next, false);
        return;
      }
    }
  }

  /** From writing to idle. */
  stopWriting(): void {
    for (;;) {
      const state = this.#machine.guess(this.#words, STATE_WORD);
      const next = afterWriter(state);
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        if (next !== state - WRITER) this.#events.wakeAfterRelease(state, next, true);
        return;
      }
    }
  }

  /** From idle to waiting; or, when it turns out to be free after all, to holding it: then true. */
  lineUp(toWrite: boolean): boolean {
    const keepsOut = toWrite ? KEEPS_WRITERS_OUT : KEEPS_READERS_OUT;
    for (let looks = 0; ; looks += 1) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if ((state & keepsOut) === 0) {
        if (toWrite ? this.tryWrite() : this.tryRead()) return true;
        continue;
      }
      if (looks < this.#machine.looksBeforeLiningUp) continue;
      const next = (state + (toWrite ? WAITING_WRITER : WAITING_READER)) | WOKEN;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle + (toWrite ? AWAITING_WRITE : awaitingReadIn(state));
        return false;
      }
    }
  }

  /** Looks on for a moment before it is worth sleeping. True: it holds the lock. */
  enterSoon(toWrite: boolean): boolean {
    for (let looks = 0; looks < this.#machine.looksBeforeSleeping; looks += 1) {
      if (this.enterIfPossible(toWrite)) return true;
    }
    return false;
  }

  /** From waiting to holding, if it has been let in or nothing keeps it out. */
  enterIfPossible(toWrite: boolean): boolean {
    return toWrite ? this.#enterToWrite() : this.#enterToRead();
  }

  /** From waiting to idle; false if it has been let in meanwhile, and must enter. */
  stopWaiting(toWrite: boolean): boolean {
    const doing = this.#doing;
    const leaves = toWrite ? WAITING_WRITER + ((doing & IMPATIENT) !== 0 ? IMPATIENT_WRITER : 0) : WAITING_READER;
    for (;;) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if (isLetIn(state, doing)) return false;
      const next = afterGivingUp(state - leaves);
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        if ((next & WOKEN) !== 0) this.#events.wakeThoseWhoCanEnter(next);
        return true;
      }
    }
  }

  /** Whether it waits and has not lost patience. */
  get isPatient(): boolean {
    return (this.#doing & IMPATIENT) === 0;
  }

  /** From patient to impatient, unless it can enter. */
  losePatience(toWrite: boolean): void {
    const doing = this.#doing;
    for (;;) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if (canEnter(state, doing)) return;
      const next = toWrite ? state + IMPATIENT_WRITER : state | IMPATIENT_READERS;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle + doing + IMPATIENT;
        return;
      }
    }
  }

  /** From awake to as good as asleep: whoever can be of use must be woken from now on. False if it can enter. */
  rest(): boolean {
    const doing = this.#doing;
    for (;;) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if (canEnter(state, doing)) return false;
      if ((state & WOKEN) === 0) return true;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, state - WOKEN) === state) return true;
    }
  }

  /** What to sleep on: it changes before anybody who waits this way is woken. */
  event(): number {
    return this.#events.count(this.#doing);
  }

  sleep(seenEvent: number, timeoutMs: number): void {
    this.#events.sleep(this.#doing, seenEvent, timeoutMs);
  }

  /** Makes everybody who waits look again. */
  wakeAll(): void {
    this.#events.wakeAll();
  }

  /** Gives the holder's word back. It must be idle. */
  dispose(): void {
    this.#machine.compareExchange(this.#words, this.#own, this.#idle, 0);
    this.#idle = DISPOSED;
  }

  get #doing(): number {
    return this.#words[this.#own]! & DOING;
  }

  #enterToWrite(): boolean {
    const doing = this.#doing;
    for (;;) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if (!canEnter(state, doing)) return false;
      const next = isLetIn(state, doing)
        ? state - GRANTED - IMPATIENT_WRITER
        : (state - WAITING_WRITER + WRITER) & ~WOKEN;
      if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) === state) {
        this.#words[this.#own] = this.#idle + WRITING;
        return true;
      }
    }
  }

  #enterToRead(): boolean {
    const doing = this.#doing;
    for (;;) {
      const state = this.#machine.load(this.#words, STATE_WORD);
      if (!canEnter(state, doing)) return false;
      let next = state;
      if (!isLetIn(state, doing)) {
        next = afterGivingUp(state - WAITING_READER + READER);
        if (this.#machine.compareExchange(this.#words, STATE_WORD, state, next) !== state) continue;
      }
      this.#words[this.#own] = this.#idle + READING;
      // Where one reader could enter, others can: each wakes one more, which is gentler than all at once.
      if (next !== state && (next & WOKEN) !== 0) this.#events.wakeOneReader();
      return true;
    }
  }

  #claimWord(): number {
    for (let word = FIRST_HOLDER_WORD; word < LOCK_WORDS; word += 1) {
      if (this.#machine.compareExchange(this.#words, word, 0, this.#idle) === 0) return word;
    }
    throw new LockError('TOO_MANY_HOLDERS', `the lock has ${HOLDERS_MAX} holders already`);
  }
}
