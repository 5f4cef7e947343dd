// lock-machine.ts: what the lock needs of the machine: atomic words, sleep and wake, and a clock. The real one is
// Node's own `Atomics`; the test suite's explorer puts a model in its place and runs every schedule of it. The lock's
// code is the same.

export interface LockMachine {
  load(words: Int32Array, index: number): number;
  /** A read that may be stale: good only as the guess of a compareExchange, which checks it. */
  guess(words: Int32Array, index: number): number;
  compareExchange(words: Int32Array, index: number, expected: number, replacement: number): number;
  add(words: Int32Array, index: number, value: number): number;
  notify(words: Int32Array, index: number, count: number): number;
  /** Sleeps while the word has the value; may also return for no reason at all. */
  wait(words: Int32Array, index: number, value: number, timeoutMs: number): void;
  /** Milliseconds, monotonic, for time-outs. */
  now(): number;
  /** How often a thread looks at a taken lock again before it lines up for it. */
  readonly looksBeforeLiningUp: number;
  /** How long a waiter lets others go before it. Milliseconds. */
  readonly patienceMs: number;
  /** How often a waiter that has lined up looks whether it has been let in before it goes to sleep. */
  readonly looksBeforeSleeping: number;
}

/** About a microsecond: a section of that length is over before its waiter would have lined up. */
const LOOKS_BEFORE_LINING_UP = 100;

/**
 * Another microsecond, for a lock that is taken again and again. More gained nothing, and takes the core from the holder
 * where threads outnumber cores.
 */
const LOOKS_BEFORE_SLEEPING = 100;

/**
 * Each hand-over costs a wake-up, some 50 µs during which nobody is in, or a time slice if the next holder has been
 * preempted; so there must be many sections between two of them. About what a scheduler makes threads wait anyway where
 * they outnumber cores: with 2 ms a busy machine lost more, with 20 ms nothing was gained.
 */
const PATIENCE_MS = 5;

/** Node's own atomics. */
export const realMachine: LockMachine = {
  load: Atomics.load,
  // A plain read costs a tenth of Atomics.load, which is a call.
  guess: (words, index) => words[index]!,
  compareExchange: Atomics.compareExchange,
  add: Atomics.add,
  notify: Atomics.notify,
  wait: Atomics.wait,
  now: () => performance.now(),
  looksBeforeLiningUp: LOOKS_BEFORE_LINING_UP,
  looksBeforeSleeping: LOOKS_BEFORE_SLEEPING,
  patienceMs: PATIENCE_MS,
};
