// lease-board.ts: what the threads of one front end share about the toys that they hold: whether it may still be shown. The
// main thread writes here what the catalog tells it (catalog-watch.ts); the others look, at every find (held-toys.ts).
//
//   | holder number | valid until | epoch | generation | generation | …      one generation for each group of names
//
//   generation   counts the invalidations of a group; a toy's group is a hash of its name. Toys that share one are
//                invalidated together, which costs a question and is never wrong.
//   epoch        counts what invalidates everything: a new registration; and a generation that has come full circle.
//   valid until  when the lease is over, in milliseconds of the system's monotonic clock, modulo 2^32; 0: there is none.
//
// The order of steps is the proof of it, and each other order has a schedule in which somebody is shown a stock that is
// over (test/held-finds). Who looks: first the lease, then generation and epoch. Who asks the catalog: first notes
// generation and epoch, then reads the holder number. Who registers: takes the number away, counts up the epoch, sets the
// number, sets the lease. Who is told of an own sale: counts up the generation, then shows the new stock, then tells of it.

import { monotonicUs } from '../clock.js';

/** 256 KiB: with 10,000 toys held, one sale of fifteen takes a toy with it that it need not. */
const GROUPS = 65_536;

const HOLDER = 0;
/** Words of 32 bits, behind the number's 64. */
const VALID_UNTIL = 2;
const EPOCH = 3;
const FIRST_GROUP = 4;
const WORDS = FIRST_GROUP + GROUPS;

const US_PER_MS = 1_000;
/** A pause between the two readings that fix a clock would put it wrong: the least of several differences is taken. */
const CLOCK_READINGS = 5;
/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/), over the units of UTF-16. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What a thread notes before it asks the catalog. */
export interface Noted {
  readonly group: number;
  readonly generation: number;
  readonly epoch: number;
}

export class LeaseBoard {
  /** To be handed to each thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #holder: BigInt64Array;

  /** @param memory another board's, which then is the same board */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#holder = new BigInt64Array(memory, 0, 1);
  }

  static create(): LeaseBoard {
    return new LeaseBoard(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
  }

  // ---- any thread ----------------------------------------------------------------------------------------------------

  /** Whether what is current (see `isCurrent`, to be asked after this) may be shown. @param nowMs of a LeaseClock */
  isLeased(nowMs: number): boolean {
    const validUntil = Atomics.load(this.#words, VALID_UNTIL);
    return validUntil !== 0 && (validUntil - nowMs) >> 0 > 0;
  }

  /** Whether nothing has invalidated what was noted. */
  isCurrent({ group, generation, epoch }: Noted): boolean {
    return Atomics.load(this.#words, group) === generation && Atomics.load(this.#words, EPOCH) === epoch;
  }

  /** To be kept with the answer, and taken before the holder number is read. */
  note(name: string): Noted {
    const group = groupOf(name);
    return { group, generation: Atomics.load(this.#words, group), epoch: Atomics.load(this.#words, EPOCH) };
  }

  /**
   * Invalidates what was noted, in all threads. Where nothing else has since, what this thread knows better may be shown.
   *
   * @returns what to keep it under; undefined: something else has invalidated it meanwhile, and nothing of it may be shown
   */
  replace(noted: Noted): Noted | undefined {
    const { group, generation, epoch } = noted;
    const next = (generation + 1) | 0;
    const isOnly = next !== 0 && Atomics.compareExchange(this.#words, group, generation, next) === generation;
    if (isOnly) return { group, generation: next, epoch };
    this.#countUp(group);
    return undefined;
  }

  /** The number to ask with; 0: nothing may be held. */
  get holder(): number {
    return Number(Atomics.load(this.#holder, HOLDER));
  }

  // ---- the main thread -----------------------------------------------------------------------------------------------

  /** The catalog has given this front end a number: everything held under another one is over. The lease is set after it. */
  register(holder: number): void {
    this.forgetHolder();
    this.invalidateAll();
    Atomics.store(this.#holder, HOLDER, BigInt(holder));
  }

  /** Nothing new may be held. */
  forgetHolder(): void {
    Atomics.store(this.#holder, HOLDER, 0n);
  }

  invalidate(name: string): void {
    this.#countUp(groupOf(name));
  }

  invalidateAll(): void {
    Atomics.add(this.#words, EPOCH, 1);
  }

  /** @param untilMs milliseconds of the system's monotonic clock, whole */
  lease(untilMs: number): void {
    // 0 says that there is none; a millisecond less does no harm.
    Atomics.store(this.#words, VALID_UNTIL, untilMs >> 0 || -1);
  }

  #countUp(group: number): void {
    for (;;) {
      const generation = Atomics.load(this.#words, group);
      // Having come full circle it would find the answers of its first days current.
      if (generation === -1) this.invalidateAll();
      if (Atomics.compareExchange(this.#words, group, generation, (generation + 1) | 0) === generation) return;
    }
  }

  /** Nothing that is held may be shown from now on. @returns whether there was a lease */
  endLease(): boolean {
    return Atomics.exchange(this.#words, VALID_UNTIL, 0) !== 0;
  }
}

/** The system's monotonic clock for one thread, in milliseconds, without an object for each look. Never behind. */
export class LeaseClock {
  readonly #offsetMs: number;

  constructor() {
    let offsetMs = Number.POSITIVE_INFINITY;
    for (let reading = 0; reading < CLOCK_READINGS; reading++) {
      // In this order a pause between the two makes the clock fast, and a lease end early.
      const own = performance.now();
      offsetMs = Math.min(offsetMs, monotonicUs() / US_PER_MS - own + 1 / US_PER_MS);
    }
    this.#offsetMs = offsetMs;
  }

  nowMs(): number {
    return performance.now() + this.#offsetMs;
  }
}

function groupOf(name: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME);
  return FIRST_GROUP + ((hash ^ (hash >>> 16)) & (GROUPS - 1));
}
