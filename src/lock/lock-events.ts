// lock-events.ts: the sleeping and waking of those who wait for a lock. Each kind of waiter has an event word, which
// is counted up before any of them is woken; so a waiter that read it before looking at the state, and finds it unchanged
// when going to sleep, has missed nothing.
//
//   readers            one is woken to try, all when all were let in
//   patient writers    one is woken to try
//   impatient writers  one is woken to take what was granted: nobody else may

import {
  AWAITING_WRITE,
  canReadersEnter,
  canWriterEnter,
  GRANTED,
  IMPATIENT,
  IMPATIENT_EVENT_WORD,
  PHASE,
  READER_EVENT_WORD,
  WAITING_READERS,
  WAITING_WRITERS,
  WOKEN,
  WRITER_EVENT_WORD,
} from './lock-layout.js';
import type { LockMachine } from './lock-machine.js';

export class LockEvents {
  readonly #machine: LockMachine;
  readonly #words: Int32Array;

  constructor(machine: LockMachine, words: Int32Array) {
    this.#machine = machine;
    this.#words = words;
  }

  /** @param doing what the waiter's word says */
  count(doing: number): number {
    return this.#machine.load(this.#words, eventOf(doing));
  }

  sleep(doing: number, seenCount: number, timeoutMs: number): void {
    this.#machine.wait(this.#words, eventOf(doing), seenCount, timeoutMs);
  }

  /** Wakes those to whom a release has handed the lock; or one that can take it, readers and writers by turns. */
  wakeAfterRelease(state: number, next: number, wasWriting: boolean): void {
    if ((next & GRANTED) !== 0) {
      this.#wake(IMPATIENT_EVENT_WORD, 1);
    } else if (((next ^ state) & PHASE) !== 0) {
      this.#wake(READER_EVENT_WORD, Number.POSITIVE_INFINITY);
    } else if ((next & ~state & WOKEN) !== 0) {
      const isReadersTurn = wasWriting ? (next & WAITING_READERS) !== 0 : (next & WAITING_WRITERS) === 0;
      this.#wake(isReadersTurn ? READER_EVENT_WORD : WRITER_EVENT_WORD, 1);
    }
  }

  /** Wakes all readers that can enter; else one writer, if it can. */
  wakeThoseWhoCanEnter(state: number): void {
    if (canReadersEnter(state)) this.#wake(READER_EVENT_WORD, Number.POSITIVE_INFINITY);
    else if (canWriterEnter(state)) this.#wake(WRITER_EVENT_WORD, 1);
  }

  wakeOneReader(): void {
    this.#wake(READER_EVENT_WORD, 1);
  }

  wakeAll(): void {
    for (const event of [READER_EVENT_WORD, WRITER_EVENT_WORD, IMPATIENT_EVENT_WORD]) {
      this.#wake(event, Number.POSITIVE_INFINITY);
    }
  }

  #wake(event: number, count: number): void {
    this.#machine.add(this.#words, event, 1);
    this.#machine.notify(this.#words, event, count);
  }
}

function eventOf(doing: number): number {
  if (doing === AWAITING_WRITE) return WRITER_EVENT_WORD;
  return doing === (AWAITING_WRITE | IMPATIENT) ? IMPATIENT_EVENT_WORD : READER_EVENT_WORD;
}
