// model-thread.ts: one thread of the lock explorer. It runs the lock's real code, with a machine in place of Atomics
// that stops it at every atomic step.
//
// JavaScript cannot suspend a function in the middle, so a thread is not suspended but run again: from its start,
// each step answered from the record of answers so far, until it asks for one more. That one is its next step. Which
// step comes next depends only on what the thread has been told, so that runs are kept in a table and the code runs a
// few hundred times in all, however many million schedules there are:
//
//   place 7, told "compareExchange gave 64"  ──►  place 9, about to: wait(readerEvent, 3)
//
// Two histories lead to the same place if the thread can never tell them apart again. After a sleep, and in a
// section, the lock's code remembers nothing of what it read before, beyond its own holder word; so histories are cut
// off there (see `path` below).

import { FIRST_HOLDER_WORD, LOCK_WORDS, STATE_WORD } from '../../../src/lock/lock-layout.js';
import type { LockMachine } from '../../../src/lock/lock-machine.js';
import type { SharedRwLock } from '../../../src/lock/shared-rw-lock.js';

export type LockClass = typeof SharedRwLock;

/** An atomic step that a thread is about to take. */
export type Step =
  | { readonly kind: 'read'; readonly word: number }
  | { readonly kind: 'compareExchange'; readonly word: number; readonly expected: number; readonly replacement: number }
  | { readonly kind: 'add'; readonly word: number; readonly value: number }
  | { readonly kind: 'notify'; readonly word: number; readonly count: number }
  | { readonly kind: 'wait'; readonly word: number; readonly value: number; readonly timeoutMs: number }
  /** The thread is inside; the lock held in this mode. */
  | { readonly kind: 'section'; readonly mode: 'read' | 'write' }
  /** The thread begins to acquire. */
  | { readonly kind: 'begin' }
  /** Repair looks at what a thread was doing. */
  | { readonly kind: 'peek'; readonly thread: number }
  /** Repair gives the data back in order. */
  | { readonly kind: 'restore' }
  /** Goes on when a thread has died; answered with its index. */
  | { readonly kind: 'awaitDeath' }
  | { readonly kind: 'end' };

/** What a model thread does: the lock's calls, and marks in between. */
export interface ScriptTools {
  begin(): void;
  section(mode: 'read' | 'write'): void;
  awaitDeath(): number;
  restore(): void;
}
export type Script = (lock: SharedRwLock, tools: ScriptTools) => void;

/** The answer to a `wait` step. */
export const WOKEN = 0;
export const TIMED_OUT = 1;

/** Where a thread is: what it is about to do, and its own word of the lock's memory. */
export interface Place {
  readonly id: number;
  readonly next: Step;
  readonly holderWord: number;
  readonly history: readonly number[];
  /** By the answer to its next step, the place where that takes a thread: those that were asked for. */
  readonly moves: Map<number, number>;
}

const PAUSE = new Error('paused');
/** Below any time-out of a script: a waiter loses patience before its time is over. */
const PATIENCE_MS = 1;

export class ModelThread {
  readonly index: number;
  readonly #script: Script;
  readonly #lockClass: LockClass;
  readonly #threadCount: number;
  readonly #places: Place[] = [];
  readonly #idByKey = new Map<string, number>();

  constructor(index: number, threadCount: number, script: Script, lockClass: LockClass) {
    this.index = index;
    this.#threadCount = threadCount;
    this.#script = script;
    this.#lockClass = lockClass;
    this.#reach([]);
  }

  /** The id of the place a thread starts from is 0. */
  place(id: number): Place {
    return this.#places[id]!;
  }

  /** Where the answer to its next step takes a thread. */
  advance(id: number, answer: number): number {
    const { moves, history } = this.place(id);
    let to = moves.get(answer);
    if (to === undefined) {
      to = this.#reach([...history, answer]);
      moves.set(answer, to);
    }
    return to;
  }

  #reach(history: readonly number[]): number {
    const { next, holderWord, path } = this.#run(history);
    const key = `${path.join(' ')} > ${JSON.stringify(next)} @${holderWord}`;
    let id = this.#idByKey.get(key);
    if (id === undefined) {
      id = this.#places.length;
      this.#places.push({ id, next, holderWord, history, moves: new Map() });
      this.#idByKey.set(key, id);
    }
    return id;
  }

  /** Runs the script, telling it the history, up to the step after it. */
  #run(history: readonly number[]): { next: Step; holderWord: number; path: string[] } {
    const words = new Int32Array(new SharedArrayBuffer(LOCK_WORDS * Int32Array.BYTES_PER_ELEMENT));
    const holderIndex = FIRST_HOLDER_WORD + this.index;
    let told = 0;
    let next: Step = { kind: 'end' };
    let nowMs = 0;
    let path: string[] = [];
    let mark = 0;
    const take = (step: Step): number => {
      if (told === history.length) {
        next = step;
        throw PAUSE;
      }
      const answer = history[told]!;
      told += 1;
      // What follows is the key of a place: everything that the code may still remember.
      switch (step.kind) {
        case 'begin':
          mark += 1;
          nowMs = 0;
          path = [`begin${mark}`];
          break;
        case 'section':
          path = [`section${mark}`];
          break;
        case 'wait':
          if (answer === TIMED_OUT) nowMs += step.timeoutMs;
          path = [`woken${mark} at ${nowMs}`];
          break;
        case 'read':
          // It decides the next step and is then forgotten.
          path.push(step.word === STATE_WORD ? 'r' : 'e');
          break;
        case 'compareExchange':
          path.push(answer === step.expected ? 'c' : 'f');
          break;
        case 'peek':
        case 'awaitDeath':
          path.push(`${step.kind}${answer}`);
          break;
        default:
          path.push(step.kind);
      }
      return answer;
    };
    const isHolder = (word: number) => word >= FIRST_HOLDER_WORD;
    let isConstructed = false;
    const machine: LockMachine = {
      load: (_, word) => {
        if (!isHolder(word)) return take({ kind: 'read', word });
        const thread = word - FIRST_HOLDER_WORD;
        return thread < this.#threadCount ? take({ kind: 'peek', thread }) : 0;
      },
      guess: (_, word) => take({ kind: 'read', word }),
      compareExchange: (_, word, expected, replacement) => {
        if (!isHolder(word)) return take({ kind: 'compareExchange', word, expected, replacement });
        if (isConstructed) return expected; // repair frees a dead holder's word
        if (word !== holderIndex) return -1;
        words[word] = replacement;
        return 0;
      },
      add: (_, word, value) => take({ kind: 'add', word, value }),
      notify: (_, word, count) => take({ kind: 'notify', word, count }),
      wait: (_, word, value, timeoutMs) => {
        take({ kind: 'wait', word, value, timeoutMs });
      },
      now: () => nowMs,
      patienceMs: PATIENCE_MS,
      // More looks are more of the same steps.
      looksBeforeLiningUp: 0,
      looksBeforeSleeping: 0,
    };
    try {
      const lock = new this.#lockClass(words, machine, this.index);
      isConstructed = true;
      this.#script(lock, {
        begin: () => void take({ kind: 'begin' }),
        section: (mode) => void take({ kind: 'section', mode }),
        awaitDeath: () => take({ kind: 'awaitDeath' }),
        restore: () => void take({ kind: 'restore' }),
      });
    } catch (error) {
      if (error !== PAUSE) throw error;
    }
    return { next, holderWord: words[holderIndex]!, path };
  }
}
