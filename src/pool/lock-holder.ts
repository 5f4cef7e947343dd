// lock-holder.ts: the steps that one holder takes on a lock's memory (lock-layout.ts). Each step is one
// compare-exchange of the state word, repeated until nobody came between; and then a plain write to the holder's own
// word, which says for repair() what the holder is now doing. It checks nothing and waits for nobody: that is
// shared-rw-lock.ts.
//
// A thread can only be ended at a call or at a loop's turn, so a compare-exchange and the plain write right behind
// it, with neither in between, are one step as far as death goes.

import { LockError } from './lock-error.js';
import {
  AWAITING_WRITE,
  afterReader,
  afterWriter,
  awaitingReadIn,
  DOING,
  FIRST_HOLDER_WORD,
  GRANTED,
  HOLDER_SHIFT,
  HOLDERS_MAX,
  IDLE,
  KEEPS_READERS_OUT,
  KEEPS_WRITERS_OUT,
  PHASE,
  READER,
  READER_EVENT_WORD,
  READING,
  STATE_WORD,
  WAITING_READER,
  WAITING_READERS,
  WAITING_WRITER,
  WRITER,
  WRITER_EVENT_WORD,
  WRITING,
} from './lock-layout.js';
import type { LockMachine } from './lock-machine.js';

/** In the place of the idle word: no word of any holder ever has this value, nor the next few. */
const DISPOSED = -1 << HOLDER_SHIFT;

export class LockHolder {
  readonly #words: Int32Array;
  readonly #machine: LockMachine;
  readonly #state: number;
  readonly #readerEvent: number;
  readonly #writerEvent: number;
  /** Index of this holder's word, and what is in it when it is idle. */
  readonly #own: number;
  #idle: number;

  /** Throws LockError TOO_MANY_HOLDERS. */
  constructor(machine: LockMachine, words: Int32Array, firstWord: number, ownerId: number) {
    this.#machine = machine;
    this.#words = words;
    this.#state = firstWord + STATE_WORD;
    this.#readerEvent = firstWord + READER_EVENT_WORD;
    this.#writerEvent = firstWord + WRITER_EVENT_WORD;
    this.#idle = ((ownerId + 1) << HOLDER_SHIFT) + IDLE;
    this.#own = this.#claimWord(firstWord + FIRST_HOLDER_WORD);
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
      const state = this.#machine.guess(this.#words, this.#state);
      if ((state & KEEPS_READERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state + READER) === state) {
        this.#words[this.#own] = this.#idle + READING;
        return true;
      }
    }
  }

  /** From idle to writing, if nobody keeps writers out. */
  tryWrite(): boolean {
    for (;;) {
      const state = this.#machine.guess(this.#words, this.#state);
      if ((state & KEEPS_WRITERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state + WRITER) === state) {
        this.#words[this.#own] = this.#idle + WRITING;
        return true;
      }
    }
  }

  /** From reading to idle; the last reader hands over to a waiting writer. */
  stopReading(): void {
    for (;;) {
      const state = this.#machine.guess(this.#words, this.#state);
      const next = afterReader(state);
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        if ((next & GRANTED) !== 0) this.#wakeWriters(1);
        return;
      }
    }
  }

  /** From writing to idle; hands over to all waiting readers, else to a waiting writer. */
  stopWriting(): void {
    for (;;) {
      const state = this.#machine.guess(this.#words, this.#state);
      const next = afterWriter(state);
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        if ((next & GRANTED) !== 0) this.#wakeWriters(1);
        else if (((next ^ state) & PHASE) !== 0) this.#wakeReaders();
        return;
      }
    }
  }

  /** From idle to waiting; or, when it turns out to be free after all, to holding it: then true. */
  lineUp(toWrite: boolean): boolean {
    const keepsOut = toWrite ? KEEPS_WRITERS_OUT : KEEPS_READERS_OUT;
    for (let looks = 0; ; looks += 1) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & keepsOut) === 0) {
        if (toWrite ? this.tryWrite() : this.tryRead()) return true;
        continue;
      }
      if (looks < this.#machine.looksBeforeLiningUp) continue;
      const next = state + (toWrite ? WAITING_WRITER : WAITING_READER);
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#own] = this.#idle + (toWrite ? AWAITING_WRITE : awaitingReadIn(state));
        return false;
      }
    }
  }

  /** Looks on for a moment before it is worth sleeping. True: it was let in, and holds the lock. */
  enterSoon(toWrite: boolean): boolean {
    for (let looks = 0; looks < this.#machine.looksBeforeSleeping; looks += 1) {
      if (this.enterIfLetIn(toWrite)) return true;
    }
    return false;
  }

  /** From waiting to holding, if it has been let in. */
  enterIfLetIn(toWrite: boolean): boolean {
    return toWrite ? this.#takeGrant() : this.#enterToRead();
  }

  /** From waiting to idle; false if it has been let in meanwhile, and must enter. */
  stopWaiting(toWrite: boolean): boolean {
    return toWrite ? this.#stopAwaitingWrite() : this.#stopAwaitingRead();
  }

  /** What to sleep on: it changes before anybody who waits this way is woken. */
  event(toWrite: boolean): number {
    return this.#machine.load(this.#words, toWrite ? this.#writerEvent : this.#readerEvent);
  }

  sleep(toWrite: boolean, seenEvent: number, timeoutMs: number): void {
    this.#machine.wait(this.#words, toWrite ? this.#writerEvent : this.#readerEvent, seenEvent, timeoutMs);
  }

  sleepAsync(toWrite: boolean, seenEvent: number, timeoutMs: number): Promise<void> {
    return this.#machine.waitAsync(this.#words, toWrite ? this.#writerEvent : this.#readerEvent, seenEvent, timeoutMs);
  }

  /** Makes everybody who waits look again. */
  wakeAll(): void {
    this.#wakeReaders();
    this.#wakeWriters(Number.POSITIVE_INFINITY);
  }

  /** Gives the holder's word back. It must be idle. */
  dispose(): void {
    this.#machine.compareExchange(this.#words, this.#own, this.#idle, 0);
    this.#idle = DISPOSED;
  }

  #takeGrant(): boolean {
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & GRANTED) === 0) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state - GRANTED) === state) {
        this.#words[this.#own] = this.#idle + WRITING;
        return true;
      }
    }
  }

  #enterToRead(): boolean {
    const waitsSince = this.#words[this.#own]! & DOING;
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if (awaitingReadIn(state) === waitsSince) {
        // The writers it lined up behind may all have given up: then it lets itself in.
        if ((state & KEEPS_READERS_OUT) !== 0) return false;
        const next = state - WAITING_READER + READER;
        if (this.#machine.compareExchange(this.#words, this.#state, state, next) !== state) continue;
      }
      this.#words[this.#own] = this.#idle + READING;
      return true;
    }
  }

  #stopAwaitingWrite(): boolean {
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & GRANTED) !== 0) return false;
      const next = state - WAITING_WRITER;
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#own] = this.#idle;
        // Readers may have lined up behind nobody but this writer.
        if ((next & KEEPS_READERS_OUT) === 0 && (next & WAITING_READERS) !== 0) this.#wakeReaders();
        return true;
      }
    }
  }

  #stopAwaitingRead(): boolean {
    const waitsSince = this.#words[this.#own]! & DOING;
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if (awaitingReadIn(state) !== waitsSince) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state - WAITING_READER) === state) {
        this.#words[this.#own] = this.#idle;
        return true;
      }
    }
  }

  #wakeReaders(): void {
    this.#machine.add(this.#words, this.#readerEvent, 1);
    this.#machine.notify(this.#words, this.#readerEvent, Number.POSITIVE_INFINITY);
  }

  #wakeWriters(count: number): void {
    this.#machine.add(this.#words, this.#writerEvent, 1);
    this.#machine.notify(this.#words, this.#writerEvent, count);
  }

  #claimWord(firstHolder: number): number {
    for (let word = firstHolder; word < firstHolder + HOLDERS_MAX; word += 1) {
      if (this.#machine.compareExchange(this.#words, word, 0, this.#idle) === 0) return word;
    }
    throw new LockError('TOO_MANY_HOLDERS', `the lock has ${HOLDERS_MAX} holders already`);
  }
}
