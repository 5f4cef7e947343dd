// schedules.ts: runs threads of a model in every order of their steps. A thread is a generator; it yields each thing that
// it does to the one word of shared memory, and gets what came of it. Between two yields nobody else runs.

/** What a thread does to the word, at one stroke, as Atomics would. */
export type Step =
  | { readonly do: 'load' }
  | { readonly do: 'store'; readonly value: number }
  /** Puts `value` there if `expected` is there. Its result is what was there before. */
  | { readonly do: 'compareExchange'; readonly expected: number; readonly value: number }
  /** Falls asleep if `expected` is there, until it is woken; else goes on at once. */
  | { readonly do: 'wait'; readonly expected: number }
  /** Wakes one that sleeps, if there is one. */
  | { readonly do: 'notify' }
  /** In the section that the lock is for, or out of it again. */
  | { readonly do: 'enter' }
  | { readonly do: 'leave' };

export type Steps = Generator<Step, void, number>;

/** A schedule in which something went wrong: which thread did what. */
export interface Violation {
  readonly what: 'two are in at a time' | 'all that are left sleep for ever';
  readonly schedule: readonly string[];
}

/** Longer schedules are threads that go round and round; what is wrong shows in shorter ones. */
const STEPS_MAX = 40;

/** Tries every schedule of that many threads; undefined: nothing ever goes wrong. */
export function explore(threads: number, program: () => Steps): Violation | undefined {
  // A generator cannot be copied: each schedule begins from the start, with the choices that lead to where it branches.
  const open: number[][] = [[]];
  const seen = new Set<string>();
  for (let choices = open.pop(); choices !== undefined; choices = open.pop()) {
    const world = new World(threads, program);
    for (const thread of choices) world.step(thread);
    if (world.violation !== undefined) return { what: world.violation, schedule: world.told };
    if (choices.length >= STEPS_MAX || seen.has(world.key)) continue;
    seen.add(world.key);
    for (const thread of world.runnable) open.push([...choices, thread]);
  }
  return undefined;
}

class World {
  readonly told: string[] = [];
  #word = 0;
  #inside = 0;
  readonly #programs: Steps[];
  readonly #next: (Step | undefined)[];
  /** What each thread has seen since it last was at this place, which with the place says all about it. */
  readonly #past: string[];
  readonly #sleeping: Set<number> = new Set();

  constructor(threads: number, program: () => Steps) {
    this.#programs = Array.from({ length: threads }, program);
    this.#next = this.#programs.map((steps) => steps.next().value ?? undefined);
    this.#past = this.#programs.map(() => '');
  }

  get runnable(): number[] {
    return this.#next.flatMap((step, thread) => (step === undefined || this.#sleeping.has(thread) ? [] : [thread]));
  }

  get violation(): Violation['what'] | undefined {
    if (this.#inside > 1) return 'two are in at a time';
    return this.#sleeping.size > 0 && this.runnable.length === 0 ? 'all that are left sleep for ever' : undefined;
  }

  get key(): string {
    return JSON.stringify([this.#word, this.#inside, this.#next, this.#past, [...this.#sleeping]]);
  }

  step(thread: number): void {
    const step = this.#next[thread]!;
    this.told.push(`thread ${thread}: ${Object.values(step).join(' ')} (the word is ${this.#word})`);
    const result = this.#carryOut(thread, step);
    this.#past[thread] += `${step.do[0]}${result}`;
    this.#next[thread] = this.#programs[thread]!.next(result).value ?? undefined;
  }

  #carryOut(thread: number, step: Step): number {
    const before = this.#word;
    if (step.do === 'store') this.#word = step.value;
    if (step.do === 'compareExchange' && before === step.expected) this.#word = step.value;
    if (step.do === 'wait' && before === step.expected) this.#sleeping.add(thread);
    if (step.do === 'notify') for (const first of [...this.#sleeping].slice(0, 1)) this.#sleeping.delete(first);
    if (step.do === 'enter') this.#inside++;
    if (step.do === 'leave') this.#inside--;
    return before;
  }
}
