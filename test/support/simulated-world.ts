// simulated-world.ts: one seed, one order of events. Time stands still while code runs and jumps to the next event.
//
//   world ── events by time ──> callback, then everything that follows from it, then the next event
//     └── processes: each with a clock of its own that dies with it
//
// What runs in the world must take its time from the process's clock and do its waiting on promises that the world
// settles; then a run depends on nothing but the seed. A world that has nothing left to do although its story has not
// ended is stuck, which is an error: a promise was forgotten.

import type { Clock, Timer } from '../../src/clock.js';
import { SeededRandom } from './simulated-random.js';

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** A story that takes more events than this goes round in circles: the longest of 4,000 lives took 3,533. */
const EVENTS_MAX = 20_000;

export class SimulatedWorld {
  readonly random: SeededRandom;
  nowMs = 0;
  /** Events that have happened: the "step" at which a crash may be planned. */
  steps = 0;
  /** Called before each event. */
  onStep: (step: number) => void = () => undefined;
  readonly #queue: Event[] = [];
  #order = 0;

  constructor(readonly seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** Calls `callback` after that time. */
  after(delayMs: number, callback: () => void): Timer {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, run: callback };
    push(this.#queue, event);
    return { cancel: () => (event.run = undefined) };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets events happen until `story` has ended; returns what it returned. */
  async run<T>(story: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    story.then(over, over);
    while (true) {
      await everythingThatFollows();
      if (isOver) return story;
      const event = pop(this.#queue);
      if (event === undefined)
        throw new Error('the simulated world is stuck: its story waits for something that never comes');
      if (event.run === undefined) continue;
      this.nowMs = event.atMs;
      this.steps++;
      if (this.steps > EVENTS_MAX) throw new Error('the simulated world goes round in circles');
      this.onStep(this.steps);
      event.run?.();
    }
  }
}

/** A process in the world: what it has waiting dies with it. */
export class SimulatedProcess {
  isAlive = true;
  readonly clock: Clock;
  readonly #onKill: (() => void)[] = [];

  constructor(readonly world: SimulatedWorld) {
    this.clock = {
      wallMs: () => world.nowMs,
      monotonicMs: () => world.nowMs,
      after: (delayMs, callback) => this.after(delayMs, callback),
    };
  }

  /** As the world's, but never called once the process is dead. */
  after(delayMs: number, callback: () => void): Timer {
    return this.world.after(delayMs, () => {
      if (this.isAlive) callback();
    });
  }

  /** Never resolves if the process dies meanwhile. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  onKill(callback: () => void): void {
    this.#onKill.push(callback);
  }

  /** Ends the process between two instructions: nothing of it runs any more, nobody is told. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const callback of this.#onKill) callback();
  }
}

/** All promise callbacks that are due, and those that become due through them, run before the next macrotask. */
function everythingThatFollows(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** A binary heap: the earliest event is the first element. */
function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (isBefore(heap[parent]!, event)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  while (true) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (isBefore(last, heap[child]!)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
  return first;
}
