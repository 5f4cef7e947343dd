// shared-rw-lock.ts: a reader-writer lock in shared memory, for threads that share data in a SharedArrayBuffer.
//
//   free ── acquireWrite ──► writer ── release ──► all readers that wait, else one writer that waits, else free
//   free ── acquireRead ──► readers ── the last one releases ──► one writer that waits, else free
//
// Phase-fair: a reader that arrives while a writer waits lines up behind it, and every reader that lined up goes in
// when that writer releases, before the next writer. So a reader waits for one writer at most, and a writer for one
// crowd of readers. The lock is handed over, not put up for grabs: a waiter that has been let in holds it before it
// is awake. Writers among themselves go in the order they fell asleep; one still looking may overtake.
//
// Nobody sleeps through a change: a waiter reads the event word, then looks at the state, then sleeps only while the
// event word is still the same; whoever changes the state in its favour counts the event word up first and wakes
// after that. The test suite runs every schedule of small numbers of threads to show it.
//
// One SharedRwLock object is one holder: it can hold the lock once, and has a word of its own in shared memory that
// says what it does. After the death of a thread, its owner calls repair(threadId), which ends all that the dead
// thread's holders did.
//
// One state word with a notify counter is the idea of the futex lock in Rust's standard library; phase-fair locks are
// described by Brandenburg and Anderson, "Spin-based reader-writer synchronization for multiprocessor real-time
// systems", 2010.

import { threadId as currentThreadId } from 'node:worker_threads';
import { LockError } from './lock-error.js';
import { LockHolder } from './lock-holder.js';
import { LOCK_WORDS } from './lock-layout.js';
import { type LockMachine, realMachine } from './lock-machine.js';
import { type LockRepair, repairHolders } from './lock-repair.js';

/** What this holder has been through. Times are in milliseconds. */
export interface LockStats {
  /** Acquisitions that did not succeed at the first looks. */
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
  readonly #firstWord: number;
  readonly #machine: LockMachine;
  readonly #holder: LockHolder;
  /** The event as it was before the last look at the state. */
  #seenEvent = 0;
  #readWaits = 0;
  #writeWaits = 0;
  #timeouts = 0;
  #longestReadWaitMs = 0;
  #longestWriteWaitMs = 0;

  /**
   * @param words on a SharedArrayBuffer, 0 where the lock is to be before its first holder is made
   * @param firstWord index of the lock's first word; the lock takes `SharedRwLock.WORDS`, so several fit into one
   *   buffer
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
    this.#firstWord = firstWord;
    this.#machine = machine;
    this.#holder = new LockHolder(machine, words, firstWord, ownerId);
  }

  /**
   * Takes the lock for reading; blocks the thread until it has it or `timeoutMs` (default: for ever) has passed.
   * Returns whether it has it. Throws LockError ALREADY_HELD.
   */
  acquireRead(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    return this.tryAcquireRead() || this.#wait(false, timeoutMs);
  }

  /** Takes the lock for reading if that needs no waiting. Throws LockError ALREADY_HELD. */
  tryAcquireRead(): boolean {
    if (!this.#holder.isIdle) this.#rejectAcquire();
    return this.#holder.tryRead();
  }

  /**
   * The same as acquireRead() for an event loop, which goes on meanwhile. Rejects with LockError ALREADY_HELD: tasks
   * that overlap on one event loop need a holder, that is a SharedRwLock, each.
   */
  async acquireReadAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return this.tryAcquireRead() || (await this.#waitAsync(false, timeoutMs));
  }

  /** Gives the lock back. Throws LockError NOT_HELD. */
  releaseRead(): void {
    if (!this.#holder.isReading) this.#rejectRelease('reading');
    this.#holder.stopReading();
  }

  /**
   * Takes the lock for writing; blocks the thread until it has it or `timeoutMs` (default: for ever) has passed.
   * Returns whether it has it. Throws LockError ALREADY_HELD.
   */
  acquireWrite(timeoutMs = Number.POSITIVE_INFINITY): boolean {
    return this.tryAcquireWrite() || this.#wait(true, timeoutMs);
  }

  /** Takes the lock for writing if that needs no waiting. Throws LockError ALREADY_HELD. */
  tryAcquireWrite(): boolean {
    if (!this.#holder.isIdle) this.#rejectAcquire();
    return this.#holder.tryWrite();
  }

  /** The same as acquireWrite() for an event loop; see acquireReadAsync(). */
  async acquireWriteAsync(timeoutMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    return this.tryAcquireWrite() || (await this.#waitAsync(true, timeoutMs));
  }

  /** Gives the lock back. Throws LockError NOT_HELD. */
  releaseWrite(): void {
    if (!this.#holder.isWriting) this.#rejectRelease('writing');
    this.#holder.stopWriting();
  }

  /**
   * Ends whatever the holders of a thread were doing. Call it once for every thread that has ended (a Worker's
   * 'exit', a pool's 'exit'), whether or not it is known to have held the lock: it may have died on the point of
   * waking somebody.
   * @param restore called while the lock is still held in a dead writer's place, to put half-written data right
   */
  repair(deadThreadId: number, restore: () => void = () => {}): LockRepair {
    const repaired = repairHolders(this.#machine, this.#words, this.#firstWord, deadThreadId, restore);
    this.#holder.wakeAll();
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

  /**
   * Gives this holder's place back; the object is of no use afterwards. Throws LockError ALREADY_HELD if it holds or
   * waits.
   */
  [Symbol.dispose](): void {
    if (this.#holder.isDisposed) return;
    if (!this.#holder.isIdle) this.#rejectAcquire();
    this.#holder.dispose();
  }

  #wait(toWrite: boolean, timeoutMs: number): boolean {
    if (this.#holder.lineUp(toWrite)) return true;
    const since = this.#machine.now();
    if (this.#holder.enterSoon(toWrite)) {
      this.#countWait(toWrite, this.#machine.now() - since);
      return true;
    }
    for (;;) {
      const outcome = this.#look(toWrite, since, timeoutMs);
      if (outcome !== undefined) return outcome;
      this.#holder.sleep(toWrite, this.#seenEvent, since + timeoutMs - this.#machine.now());
    }
  }

  async #waitAsync(toWrite: boolean, timeoutMs: number): Promise<boolean> {
    if (this.#holder.lineUp(toWrite)) return true;
    const since = this.#machine.now();
    for (;;) {
      const outcome = this.#look(toWrite, since, timeoutMs);
      if (outcome !== undefined) return outcome;
      await this.#holder.sleepAsync(toWrite, this.#seenEvent, since + timeoutMs - this.#machine.now());
    }
  }

  /**
   * One look of a waiter: true, it has the lock; false, its time is over and it waits no more; undefined, it may
   * sleep.
   */
  #look(toWrite: boolean, since: number, timeoutMs: number): boolean | undefined {
    // The order matters: an event counted up after this read, for a change not seen below, ends the sleep at once.
    this.#seenEvent = this.#holder.event(toWrite);
    for (;;) {
      if (this.#holder.enterIfLetIn(toWrite)) {
        this.#countWait(toWrite, this.#machine.now() - since);
        return true;
      }
      if (this.#machine.now() - since < timeoutMs) return undefined;
      if (this.#holder.stopWaiting(toWrite)) {
        this.#timeouts += 1;
        return false;
      }
      // It was let in between the two: then it goes in.
    }
  }

  #countWait(toWrite: boolean, waitedMs: number): void {
    if (toWrite) {
      this.#writeWaits += 1;
      this.#longestWriteWaitMs = Math.max(this.#longestWriteWaitMs, waitedMs);
    } else {
      this.#readWaits += 1;
      this.#longestReadWaitMs = Math.max(this.#longestReadWaitMs, waitedMs);
    }
  }

  #rejectAcquire(): never {
    this.#rejectDisposed();
    throw new LockError('ALREADY_HELD', 'this holder has the lock or waits for it; it is not recursive');
  }

  #rejectRelease(mode: string): never {
    this.#rejectDisposed();
    throw new LockError('NOT_HELD', `this holder does not hold the lock for ${mode}`);
  }

  #rejectDisposed(): void {
    if (this.#holder.isDisposed) throw new LockError('DISPOSED', 'this holder has been disposed of');
  }
}
