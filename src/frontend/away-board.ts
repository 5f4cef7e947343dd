// away-board.ts: which threads of the front end have lost which backend. Each has connections of its own, which come back
// one by one; `/readyz` is asked of one thread and answers for all.
//
//   | lately | thread 0 | thread 1 | …       one word each, in shared memory: a bit for every backend that is away
//
// lately: by any thread at any time, until somebody takes note of it; one that is back at once was away, too.
//
// A thread that has not been refused yet is not away: while it connects for the first time its requests wait, so a pool
// that grows under load stays ready.

/** What the front end's threads talk to. */
export type Backend = 'catalog' | 'order';

const AWAY = { catalog: 1, order: 2 } as const;
const BACKENDS = ['catalog', 'order'] as const;

const LATELY = 0;
const FIRST_THREAD = 1;

export class AwayBoard {
  /** To be handed to each thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory another board's, which then is the same board */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** A board on which nothing is away. @param threadCount how many threads there may be at a time */
  static create(threadCount: number): AwayBoard {
    return new AwayBoard(new SharedArrayBuffer((FIRST_THREAD + threadCount) * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Of one thread: whether a backend is away. */
  note(threadIndex: number, backend: Backend, isAway: boolean): void {
    const word = FIRST_THREAD + threadIndex;
    if (isAway) {
      Atomics.or(this.#words, word, AWAY[backend]);
      Atomics.or(this.#words, LATELY, AWAY[backend]);
    } else {
      Atomics.and(this.#words, word, ~AWAY[backend]);
    }
  }

  /** The thread is no more: what it noted must not stay for good. */
  forget(threadIndex: number): void {
    Atomics.store(this.#words, FIRST_THREAD + threadIndex, 0);
  }

  /** Whether any thread misses that backend. */
  isAway(backend: Backend): boolean {
    for (let index = FIRST_THREAD; index < this.#words.length; index++) {
      if ((Atomics.load(this.#words, index) & AWAY[backend]) !== 0) return true;
    }
    return false;
  }

  /** What any thread missed at any time since this was asked last. */
  takeAway(): ReadonlySet<Backend> {
    const away = Atomics.exchange(this.#words, LATELY, 0);
    return new Set(BACKENDS.filter((backend) => (away & AWAY[backend]) !== 0));
  }
}
