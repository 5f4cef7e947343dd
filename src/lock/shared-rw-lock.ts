// shared-rw-lock.ts: a reader-writer lock in shared memory, for threads that share data in a SharedArrayBuffer.
//
//   free ── acquireWrite ──► writer ── release ──► free, and one that waits is woken to try: a reader, else a writer
//   free ── acquireRead ──► readers ── the last one releases ──► the same, a writer first
//
// As long as everybody is patient, whoever comes first takes the lock: a thread that runs need not wait for one that
// has yet to wake up. A waiter loses patience after PATIENCE_MS, and from then on the lock is handed over:
//
//   writer releases           all readers that wait go in, if one of them is impatient; else an impatient writer
//   the last reader releases  an impatient writer goes in; else all readers that wait, if one of them is impatient
//   somebody comes along      waits, until nobody is impatient any more
//
// So neither side starves: an impatient reader waits for at most one more writer; an impatient writer for at most one
// crowd of readers after each writer, and of writers only for those that lost patience too. (Impatient writers are woken
// in the order in which they fell asleep.) A waiter that is handed the lock holds it before it is awake.
//
// Nobody sleeps through a change: a waiter reads the event word, then looks at the state, then sleeps only while the
// event word is still the same; whoever changes the state in its favour counts the event word up first and wakes
// after that. And no crowd is woken for a lock that only one can have: while a waiter is awake and has yet to look, a
// mark in the state says so, and nobody else is woken. The test suite runs every schedule of small numbers of threads
// to show it.
//
// One SharedRwLock object is one holder: it can hold the lock once, and has a word of its own in shared memory that
// says what it does. After the death of a thread, its owner calls repair(threadId), which ends all that the dead
// thread's holders did.
//
// One state word with a notify counter is the idea of the futex lock in Rust's standard library; handing over only to
// those who have waited too long, that of Go's sync.Mutex and WebKit's locks; phase-fair locks are described by
// Brandenburg and Anderson, "Spin-based reader-writer synchronization for multiprocessor real-time systems", 2010.

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
   * @param words `SharedRwLock.WORDS` of them on a SharedArrayBuffer, all 0 before the lock's first holder is made
   * @param machine atomics and clock; tests bring a model
   * @param ownerId the thread that repair() knows this holder by
   * Throws LockError BAD_WORDS or TOO_MANY_HOLDERS.
   */
  constructor(words: Int32Array, machine: LockMachine = realMachine, ownerId: number = currentThreadId) {
    if (!(words.buffer instanceof SharedArrayBuffer)) {
      throw new LockError('BAD_WORDS', 'the words of a lock must be on a SharedArrayBuffer');
    }
    if (words.length < LOCK_WORDS) {
      throw new LockError('BAD_WORDS', `a lock needs ${LOCK_WORDS} words, and there are ${words.length}`);
    }
    this.#words = words;
    this.#machine = machine;
    this.#holder = new LockHolder(machine, words, ownerId);
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

  /** Gives the lock back. Throws LockError NOT_HELD. */
  releaseWrite(): void {
    if (!this.#holder.isWriting) this.#rejectRelease('writing');
    this.#holder.stopWriting();
  }

  /**
   * Ends whatever the holders of a thread were doing. Call it once for every thread that has ended (a Worker's
   * 'exit', a pool's 'exit'), whether or not it is known to have held the lock: it may have died on the point of
   * waking somebody.
   * @param restore called while the lock is still held in a dead writer's place, to put half-written data right. What
   *   it throws is thrown on, when all the rest is done: the lock is free then, and the data as it was left.
   */
  repair(deadThreadId: number, restore: () => void = () => {}): LockRepair {
    const { restoreFailure, ...repaired } = repairHolders(this.#machine, this.#words, deadThreadId, restore);
    this.#holder.wakeAll();
    if (restoreFailure !== undefined) throw restoreFailure.error;
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
      this.#holder.sleep(this.#seenEvent, this.#sleepMs(since, timeoutMs));
      if (this.#isPatienceOver(since)) this.#holder.losePatience(toWrite);
    }
  }

  /** How long a waiter may sleep unless it is woken. */
  #sleepMs(since: number, timeoutMs: number): number {
    const limitMs = this.#holder.isPatient ? Math.min(timeoutMs, this.#machine.patienceMs) : timeoutMs;
    return since + limitMs - this.#machine.now();
  }

  #isPatienceOver(since: number): boolean {
    return this.#holder.isPatient && this.#machine.now() - since >= this.#machine.patienceMs;
  }

  /**
   * One look of a waiter: true, it has the lock; false, its time is over and it waits no more; undefined, it may
   * sleep.
   */
  #look(toWrite: boolean, since: number, timeoutMs: number): boolean | undefined {
    for (;;) {
      // The order matters: an event counted up after this read, for a change not seen below, ends the sleep at once.
      this.#seenEvent = this.#holder.event();
      if (this.#holder.enterIfPossible(toWrite)) {
        this.#countWait(toWrite, this.#machine.now() - since);
        return true;
      }
      if (this.#machine.now() - since < timeoutMs) {
        if (this.#holder.rest()) return undefined;
      } else if (this.#holder.stopWaiting(toWrite)) {
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
