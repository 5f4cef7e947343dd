// session-counters.ts: how many sessions a thread has, kept in shared memory. The thread counts arrivals and ends; the
// pool compares them with what it has sent. So placing a connection on the least busy thread needs no message, and
// the pool's figures are never older than one memory read.
//
//   word 0  received   sockets that reached the thread
//   word 1  ended      of those, sessions whose socket has closed
//   word 2  lost       handoffs that arrived without a socket (the process was out of descriptors)
//   word 3  notice     1: the pool waits for a place; the thread answers its next change with one message and resets it
//
// Counters run free and wrap at 32 bits; only differences are used, as unsigned numbers.

import type { Socket } from 'node:net';

const RECEIVED = 0;
const ENDED = 1;
const LOST = 2;
const NOTICE = 3;
const COUNTER_WORDS = 4;

/** The shared words of one thread, all 0. */
function createCounterWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(COUNTER_WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** The thread's side: it counts, and tells the pool when the pool asked to be told. */
export class SessionCounter {
  readonly #words: Int32Array;
  readonly #notify: () => void;
  readonly #placed = new Set<Socket>();

  constructor(words: Int32Array, notify: () => void) {
    this.#words = words;
    this.#notify = notify;
  }

  countReceived(): void {
    this.#count(RECEIVED);
  }

  countEnded(): void {
    this.#count(ENDED);
  }

  /** A session takes a place until its socket closes, or until freePlace(). */
  countUntilClosed(socket: Socket): void {
    this.countReceived();
    this.#placed.add(socket);
    socket.once('close', () => this.freePlace(socket));
  }

  /** The session of this socket takes no place any more. */
  freePlace(socket: Socket): void {
    if (this.#placed.delete(socket)) this.countEnded();
  }

  countLost(): void {
    this.#count(LOST);
  }

  /** Sockets arrived so far, with or without their descriptor. */
  get arrived(): number {
    return (Atomics.load(this.#words, RECEIVED) + Atomics.load(this.#words, LOST)) >>> 0;
  }

  #count(word: number): void {
    Atomics.add(this.#words, word, 1);
    // The count goes first, the look at the notice after it; the pool sets the notice first and then counts again.
    // So one of the two sees the other, and no wish for a place is slept through.
    if (Atomics.load(this.#words, NOTICE) === 1 && Atomics.exchange(this.#words, NOTICE, 0) === 1) this.#notify();
  }
}

/** The pool's side: what it sent, against what the thread counted. */
export class SessionLedger {
  readonly words = createCounterWords();
  #sent = 0;

  countSent(): void {
    this.#sent = (this.#sent + 1) >>> 0;
  }

  /** A send that failed after it was counted: the socket is ours again. */
  takeBack(): void {
    this.#sent = (this.#sent - 1) >>> 0;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Sessions that the thread has, those on their way included. */
  get sessions(): number {
    return (this.#sent - this.ended - this.lost) >>> 0;
  }

  /** Sockets sent and not yet arrived. */
  get onTheWay(): number {
    return (this.#sent - Atomics.load(this.words, RECEIVED) - this.lost) >>> 0;
  }

  get ended(): number {
    return Atomics.load(this.words, ENDED) >>> 0;
  }

  get lost(): number {
    return Atomics.load(this.words, LOST) >>> 0;
  }

  /** Asks for a message at the next change. Read the counts again after this: the change may just have happened. */
  requestNotice(): void {
    Atomics.store(this.words, NOTICE, 1);
  }
}
