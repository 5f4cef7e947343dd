// shared-rw-lock.ts: a reader-writer lock in shared memory, for threads that share data in a SharedArrayBuffer.
//
//   free ── acquireWrite ──► writer ── release ──► all readers that wait, else one writer that waits, else free
//   free ── acquireRead ──► readers ── the last one releases ──► one writer that waits, else free
//
// Phase-fair: a reader that arrives while a writer waits lines up behind it, and every reader that lined up goes in when
// that writer releases, before the next writer. So a reader waits for one writer at most, and a writer for one crowd of
// readers. The lock is handed over, not put up for grabs: a waiter that has been let in holds it before it is awake. Writers among
// themselves go in the order they fell asleep; one still looking may overtake.
//
// All of the truth is in one word (lock-layout.ts) and each step is one compare-exchange of it. Nobody sleeps through a
// change: a waiter reads the event word, then looks at the state, then sleeps only while the event word is still the same; whoever
// changes the state in its favour counts the event word up first and wakes after that.
//
// One SharedRwLock object is one holder: it can hold the lock once, and has a word of its own in shared memory that says what it
// does. After the death of a thread, its owner calls repair(threadId), which ends all that the dead thread's holders did.
// A thread can only be ended at a call or at a loop's turn, so a compare-exchange and the plain write to the holder's word
// right behind it, with neither in between, are one step as far as death goes.
//
// The idea of one state word with a notify counter is that of the futex lock in Rust's standard library; phase-fair locks are
// described by Brandenburg and Anderson, "Spin-based reader-writer synchronization for multiprocessor real-time systems", 2010.

import { threadId as currentThreadId } from 'node:worker_threads';
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
  LOCK_WORDS,
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
import { type LockMachine, realMachine } from './lock-machine.js';
import { type LockRepair, repairHolders } from './lock-repair.js';

/** In the place of the idle word: no word of any holder ever has this value, nor the next few. */
const DISPOSED = -1 << HOLDER_SHIFT;

/** What this holder has been through. Times are in milliseconds. */
export interface LockStats {
  readonly readWaits: number;
  readonly writeWaits: number;
  readonly timeouts: number;
  readonly longestReadWaitMs: number;
  readonly longestWriteWaitMs: number;
}

/** One holder of a reader-writer lock in shared memory. Not recursive. */
export class SharedRwLock implements Disposable {
  /** How many Int32 words one lock takes. */
  static readonly WORDS = LOCK_WORDS;

  readonly #words: Int32Array;
  readonly #machine: LockMachine;
  readonly #state: number;
  readonly #readerEvent: number;
  readonly #writerEvent: number;
  readonly #firstHolder: number;
  readonly #holder: number;
  /** This holder's word when it is idle. */
  #idle: number;
  /** The event word as it was before the last look at the state. */
  #seenEvent = 0;
  #readWaits = 0;
  #writeWaits = 0;
  #timeouts = 0;
  #longestReadWaitMs = 0;
  #longestWriteWaitMs = 0;

  /**
   * @param words on a SharedArrayBuffer, 0 where the lock is to be before its first holder is made
   * @param firstWord index of the lock's first word; the lock takes `SharedRwLock.WORDS`, so several fit into one buffer
   * @param machine atomics and clock; tests bring a model
   * @param ownerId the thread that repair() knows this holder by
   * Throws LockError BAD_WORDS or TOO_MANY_HOLDERS.
   */
  constructor(words: Int32Array, firstWord = 0, machine: LockMachine = realMachine, ownerId: number = currentThreadId) {
    if (!(words.buffer instanceof SharedArrayBuffer)) {
      throw new LockError('BAD_WORDS', 'the words of a lock must be on a SharedArrayBuffer');
    }
    if (!Number.isSafeInteger(firstWord) || firstWord < 0 || firstWord + LOCK_WORDS > words.length) {
      throw new LockError('BAD_WORDS', `a lock needs ${LOCK_WORDS} words from ${firstWord}, of ${words.length}`);
    }
    this.#words = words;
    this.#machine = machine;
    this.#state = firstWord + STATE_WORD;
    this.#readerEvent = firstWord + READER_EVENT_WORD;
    this.#writerEvent = firstWord + WRITER_EVENT_WORD;
    this.#firstHolder = firstWord + FIRST_HOLDER_WORD;
    this.#idle = ((ownerId + 1) << HOLDER_SHIFT) | IDLE;
    this.#holder = this.#claimHolderWord();
  }

  // ---- reading -------------------------------------------------------------------------------------------------------

  /**
   * Takes the lock for reading; blocks the thread until it has it or `timeoutMs` (default: for ever) has passed.
   * Returns whether it has it. Throws LockError ALREADY_HELD.
   */
  acquireRead(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    return this.tryAcquireRead() || this.#sleep(false, timeoutMs);
  }

  /** Takes the lock for reading if that needs no waiting. Throws LockError ALREADY_HELD. */
  tryAcquireRead(): boolean {
    const words = this.#words;
    if (words[this.#holder] !== this.#idle) this.#rejectAcquire();
    for (;;) {
      const state = this.#machine.guess(words, this.#state);
      if ((state & KEEPS_READERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(words, this.#state, state, state + READER) === state) {
        words[this.#holder] = this.#idle + READING;
        return true;
      }
    }
  }

  /**
   * The same as acquireRead() for an event loop, which goes on meanwhile. Rejects with LockError ALREADY_HELD: tasks that
   * overlap on one event loop need a holder, that is a SharedRwLock, each.
   */
  async acquireReadAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return this.tryAcquireRead() || (await this.#sleepAsync(false, timeoutMs));
  }

  /** Gives the lock back. Throws LockError NOT_HELD. */
  releaseRead(): void {
    const words = this.#words;
    if (words[this.#holder] !== this.#idle + READING) this.#rejectRelease('reading');
    for (;;) {
      const state = this.#machine.guess(words, this.#state);
      const next = afterReader(state);
      if (this.#machine.compareExchange(words, this.#state, state, next) === state) {
        words[this.#holder] = this.#idle;
        if ((next & GRANTED) !== 0) this.#wakeWriter();
        return;
      }
    }
  }

  // ---- writing -------------------------------------------------------------------------------------------------------

  /**
   * Takes the lock for writing; blocks the thread until it has it or `timeoutMs` (default: for ever) has passed.
   * Returns whether it has it. Throws LockError ALREADY_HELD.
   */
  acquireWrite(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    return this.tryAcquireWrite() || this.#sleep(true, timeoutMs);
  }

  /** Takes the lock for writing if that needs no waiting. Throws LockError ALREADY_HELD. */
  tryAcquireWrite(): boolean {
    const words = this.#words;
    if (words[this.#holder] !== this.#idle) this.#rejectAcquire();
    for (;;) {
      const state = this.#machine.guess(words, this.#state);
      if ((state & KEEPS_WRITERS_OUT) !== 0) return false;
      if (this.#machine.compareExchange(words, this.#state, state, state + WRITER) === state) {
        words[this.#holder] = this.#idle + WRITING;
        return true;
      }
    }
  }

  /** The same as acquireWrite() for an event loop; see acquireReadAsync(). */
  async acquireWriteAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return this.tryAcquireWrite() || (await this.#sleepAsync(true, timeoutMs));
  }

  /** Gives the lock back. Throws LockError NOT_HELD. */
  releaseWrite(): void {
    const words = this.#words;
    if (words[this.#holder] !== this.#idle + WRITING) this.#rejectRelease('writing');
    for (;;) {
      const state = this.#machine.guess(words, this.#state);
      const next = afterWriter(state);
      if (this.#machine.compareExchange(words, this.#state, state, next) === state) {
        words[this.#holder] = this.#idle;
        if ((next & GRANTED) !== 0) this.#wakeWriter();
        else if (((next ^ state) & PHASE) !== 0) this.#wakeReaders();
        return;
      }
    }
  }

  // ---- the rest of the face ------------------------------------------------------------------------------------------

  /**
   * Ends whatever the holders of a thread were doing. Call it once for every thread that has ended (a Worker's 'exit'), from
   * a thread that is not holding this lock for long, since it may have to let others in.
   * @param restore called while the lock is still held in the dead writer's place, to put half-written data right
   */
  repair(deadThreadId: number, restore: () => void = () => {}): LockRepair {
    const repaired = repairHolders(this.#machine, this.#words, this.#state - STATE_WORD, deadThreadId, restore);
    // The dead thread may have been about to wake somebody, or have been woken in somebody's place. A look costs nobody much.
    this.#wakeReaders();
    this.#machine.add(this.#words, this.#writerEvent, 1);
    this.#machine.notify(this.#words, this.#writerEvent, Number.POSITIVE_INFINITY);
    return repaired;
  }

  /** How often and how long this holder had to wait. */
  stats(): LockStats {
    return {
      readWaits: this.#readWaits,
      writeWaits: this.#writeWaits,
      timeouts: this.#timeouts,
      longestReadWaitMs: this.#longestReadWaitMs,
      longestWriteWaitMs: this.#longestWriteWaitMs,
    };
  }

  /** Gives this holder's place back; the object is of no use afterwards. Throws LockError ALREADY_HELD if it holds or waits. */
  [Symbol.dispose](): void {
    if (this.#idle === DISPOSED) return;
    if (this.#words[this.#holder] !== this.#idle) this.#rejectAcquire();
    this.#machine.compareExchange(this.#words, this.#holder, this.#idle, 0);
    this.#idle = DISPOSED;
  }

  // ---- waiting -------------------------------------------------------------------------------------------------------

  #sleep(toWrite: boolean, timeoutMs: number): boolean {
    if (this.#lineUp(toWrite)) return true;
    const since = this.#machine.now();
    for (;;) {
      const settled = this.#look(toWrite, since, timeoutMs);
      if (settled !== undefined) return settled;
      const left = since + timeoutMs - this.#machine.now();
      this.#machine.wait(this.#words, this.#eventWord(toWrite), this.#seenEvent, left);
    }
  }

  async #sleepAsync(toWrite: boolean, timeoutMs: number): Promise<boolean> {
    if (this.#lineUp(toWrite)) return true;
    const since = this.#machine.now();
    for (;;) {
      const settled = this.#look(toWrite, since, timeoutMs);
      if (settled !== undefined) return settled;
      const left = since + timeoutMs - this.#machine.now();
      await this.#machine.waitAsync(this.#words, this.#eventWord(toWrite), this.#seenEvent, left);
    }
  }

  /** Looks a few times more, then counts itself as waiting. True: it has the lock after all. */
  #lineUp(toWrite: boolean): boolean {
    const keepsOut = toWrite ? KEEPS_WRITERS_OUT : KEEPS_READERS_OUT;
    for (let spin = 0; spin < this.#machine.spins; spin += 1) {
      const isFree = (this.#machine.load(this.#words, this.#state) & keepsOut) === 0;
      if (isFree && (toWrite ? this.tryAcquireWrite() : this.tryAcquireRead())) return true;
    }
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & keepsOut) === 0) {
        if (toWrite ? this.tryAcquireWrite() : this.tryAcquireRead()) return true;
        continue;
      }
      const next = state + (toWrite ? WAITING_WRITER : WAITING_READER);
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#holder] = this.#idle + (toWrite ? AWAITING_WRITE : awaitingReadIn(state));
        return false;
      }
    }
  }

  /** One look of a waiter: true, it has the lock; false, its time is over and it waits no more; undefined, it may sleep. */
  #look(toWrite: boolean, since: number, timeoutMs: number): boolean | undefined {
    // The order matters: an event counted up after this read, for a change not seen below, ends the sleep at once.
    this.#seenEvent = this.#machine.load(this.#words, this.#eventWord(toWrite));
    for (;;) {
      if (toWrite ? this.#takeGrant() : this.#enterIfLetIn()) {
        this.#countWait(toWrite, since);
        return true;
      }
      if (this.#machine.now() - since < timeoutMs) return undefined;
      if (toWrite ? this.#stopAwaitingWrite() : this.#stopAwaitingRead()) {
        this.#timeouts += 1;
        return false;
      }
      // It was let in between the two: then it goes in.
    }
  }

  #takeGrant(): boolean {
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & GRANTED) === 0) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state - GRANTED) === state) {
        this.#words[this.#holder] = this.#idle + WRITING;
        return true;
      }
    }
  }

  #enterIfLetIn(): boolean {
    const since = this.#words[this.#holder]! & DOING;
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      const isLetIn = awaitingReadIn(state) !== since;
      if (!isLetIn) {
        // The writers it lined up behind may all have given up: then it lets itself in.
        if ((state & KEEPS_READERS_OUT) !== 0) return false;
        const next = state - WAITING_READER + READER;
        if (this.#machine.compareExchange(this.#words, this.#state, state, next) !== state) continue;
      }
      this.#words[this.#holder] = this.#idle + READING;
      return true;
    }
  }

  #stopAwaitingWrite(): boolean {
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if ((state & GRANTED) !== 0) return false;
      const next = state - WAITING_WRITER;
      if (this.#machine.compareExchange(this.#words, this.#state, state, next) === state) {
        this.#words[this.#holder] = this.#idle;
        // Readers may have lined up behind nobody but this writer.
        if ((next & KEEPS_READERS_OUT) === 0 && (next & WAITING_READERS) !== 0) this.#wakeReaders();
        return true;
      }
    }
  }

  #stopAwaitingRead(): boolean {
    const since = this.#words[this.#holder]! & DOING;
    for (;;) {
      const state = this.#machine.load(this.#words, this.#state);
      if (awaitingReadIn(state) !== since) return false;
      if (this.#machine.compareExchange(this.#words, this.#state, state, state - WAITING_READER) === state) {
        this.#words[this.#holder] = this.#idle;
        return true;
      }
    }
  }

  #eventWord(toWrite: boolean): number {
    return toWrite ? this.#writerEvent : this.#readerEvent;
  }

  #wakeReaders(): void {
    this.#machine.add(this.#words, this.#readerEvent, 1);
    this.#machine.notify(this.#words, this.#readerEvent, Number.POSITIVE_INFINITY);
  }

  #wakeWriter(): void {
    this.#machine.add(this.#words, this.#writerEvent, 1);
    this.#machine.notify(this.#words, this.#writerEvent, 1);
  }

  #countWait(toWrite: boolean, since: number): void {
    const waitedMs = this.#machine.now() - since;
    if (toWrite) {
      this.#writeWaits += 1;
      this.#longestWriteWaitMs = Math.max(this.#longestWriteWaitMs, waitedMs);
    } else {
      this.#readWaits += 1;
      this.#longestReadWaitMs = Math.max(this.#longestReadWaitMs, waitedMs);
    }
  }

  // ---- holders -------------------------------------------------------------------------------------------------------

  #claimHolderWord(): number {
    for (let word = this.#firstHolder; word < this.#firstHolder + HOLDERS_MAX; word += 1) {
      if (this.#machine.compareExchange(this.#words, word, 0, this.#idle) === 0) return word;
    }
    throw new LockError('TOO_MANY_HOLDERS', `the lock has ${HOLDERS_MAX} holders already`);
  }

  #rejectAcquire(): never {
    if (this.#idle === DISPOSED) throw new LockError('DISPOSED', 'this holder has been disposed of');
    throw new LockError('ALREADY_HELD', 'this holder has the lock or waits for it; it is not recursive');
  }

  #rejectRelease(mode: string): never {
    if (this.#idle === DISPOSED) throw new LockError('DISPOSED', 'this holder has been disposed of');
    throw new LockError('NOT_HELD', `this holder does not hold the lock for ${mode}`);
  }
}
