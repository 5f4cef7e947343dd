// held-toys.ts: the toys that one thread of the front end holds: name -> the answer's body, ready to be sent.
//
//   find   held, lease not over, not invalidated: the body. No promise, no timer, no lock, no message; the catalog has
//          promised that whoever is told of a change is told after this.
//   hold   an answer that the catalog calls holdable, under what was noted before it was asked (lease-board.ts).
//
// An answer that is over stays in its place until it is replaced or thrown out: it says that somebody asks for the toy.
//
// Memory: 680 bytes for a name of 64 bytes that are all escaped in JSON, the worst there is; 290 for one like "Dolphin". So the
// default of 10,000 toys takes 7 MB at most.

import type { ReadyBody } from '../http/index.js';
import type { LeaseBoard, LeaseClock, Noted } from './lease-board.js';
import { type Shelved, SieveShelf } from './sieve-shelf.js';

interface HeldToy extends Shelved {
  body: ReadyBody;
  noted: Noted;
}

export class HeldToys {
  readonly #board: LeaseBoard;
  readonly #clock: LeaseClock;
  readonly #shelf: SieveShelf<HeldToy>;
  #hits = 0;
  #misses = 0;

  /** @param capacity toys */
  constructor(board: LeaseBoard, clock: LeaseClock, capacity: number) {
    this.#board = board;
    this.#clock = clock;
    this.#shelf = new SieveShelf(capacity);
  }

  /** Finds that needed no question, finds that did, and toys held, those that are over included. */
  get stats(): { readonly hits: number; readonly misses: number; readonly toys: number } {
    return { hits: this.#hits, misses: this.#misses, toys: this.#shelf.size };
  }

  /** The number to ask the catalog with; 0: it need not be asked for anything that may be held. */
  get holder(): number {
    return this.#board.holder;
  }

  /** The body of the answer; undefined: the catalog must be asked, after a `note`. */
  find(name: string): ReadyBody | undefined {
    const held = this.#shelf.get(name);
    if (held !== undefined) {
      held.isAskedFor = true;
      if (this.#board.isLeased(this.#clock.nowMs()) && this.#board.isCurrent(held.noted)) {
        this.#hits++;
        return held.body;
      }
    }
    this.#misses++;
    return undefined;
  }

  /** To be called before the catalog is asked. */
  note(name: string): Noted {
    return this.#board.note(name);
  }

  /** The catalog has answered, and the answer may be held. @param noted before it was asked */
  hold(name: string, body: ReadyBody, noted: Noted): void {
    const held = this.#shelf.get(name);
    if (held === undefined) {
      this.#shelf.add({ name, body, noted, isAskedFor: false, newer: undefined, older: undefined });
    } else {
      held.body = body;
      held.noted = noted;
    }
  }
}

/** How many of all toys that may be held the thread at `index` of `threads` may. */
export function shareOf(toys: number, index: number, threads: number): number {
  return Math.floor(toys / threads) + (index < toys % threads ? 1 : 0);
}
