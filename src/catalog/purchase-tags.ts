// purchase-tags.ts: which purchases have been answered, so that one that is sent again gets the same answer.
//
//   slot of sequence s: s mod TAG_WINDOW
//
//     settled                newest
//   …────┤■■■■■■■■■■■■■■■■■■■■■■├─ ─ ─ ─ ─ ─ ─ ┤ settled + TAG_WINDOW
//   forgotten   remembered          free
//
// A tag is an incarnation (which start of the order service) and a sequence, counted from 1 in each. Sequences are
// consecutive, so the memory is a ring. The order service tells with each batch up to where it has everything on disk:
// those may be forgotten and are never executed again. All outcomes are remembered, refusals too: a stale copy of a
// refused purchase, left in a broken connection, must not sell what its caller has been told it did not get.
//
// In shared memory, read and written under the catalog's lock alone: a stream that broke may come back on another thread.

import { TAG_WINDOW } from './catalog-limits.js';
import { NOT_SELLING, type PurchaseOutcome } from './purchase-outcome.js';

const HEAD_WORDS = 4;
const HEAD_INCARNATION = 0;
const HEAD_SETTLED = 1;
const HEAD_SELLING_INCARNATION = 2;
const MASK = TAG_WINDOW - 1;

export class PurchaseTags {
  static readonly BYTES = (HEAD_WORDS + 2 * TAG_WINDOW) * 8 + TAG_WINDOW * 4;

  readonly #head: Float64Array;
  readonly #sequences: Float64Array;
  readonly #tickets: Float64Array;
  readonly #outcomes: Int32Array;

  /** @param memory BYTES long; zeros for new tags */
  constructor(memory: SharedArrayBuffer) {
    this.#head = new Float64Array(memory, 0, HEAD_WORDS);
    this.#sequences = new Float64Array(memory, HEAD_WORDS * 8, TAG_WINDOW);
    this.#tickets = new Float64Array(memory, (HEAD_WORDS + TAG_WINDOW) * 8, TAG_WINDOW);
    this.#outcomes = new Int32Array(memory, (HEAD_WORDS + 2 * TAG_WINDOW) * 8, TAG_WINDOW);
  }

  /** The newest incarnation: purchases of others are refused. 0: the order service has never called. */
  get incarnation(): number {
    return this.#head[HEAD_INCARNATION]!;
  }

  /** All sequences of the incarnation up to this one are forgotten. */
  get settled(): number {
    return this.#head[HEAD_SETTLED]!;
  }

  /** The newest incarnation that has sent a purchase: by then, all sales of those before it are in the order log. */
  get sellingIncarnation(): number {
    return this.#head[HEAD_SELLING_INCARNATION]!;
  }

  /** Begins an incarnation; nothing of those before is remembered here (their sales are: see unsettled-sales.ts). */
  begin(incarnation: number, settled: number): void {
    this.#sequences.fill(0);
    this.#head[HEAD_INCARNATION] = incarnation;
    this.#head[HEAD_SETTLED] = settled;
  }

  /** Takes note that the incarnation sells, and of how far it has settled; a mark that falls behind is an old one. */
  settle(sequence: number): void {
    this.#head[HEAD_SELLING_INCARNATION] = this.incarnation;
    if (sequence > this.settled) this.#head[HEAD_SETTLED] = sequence;
  }

  /** Whether sequences up to and including this one have a slot of their own. */
  hasRoomFor(sequence: number): boolean {
    return sequence <= this.settled + TAG_WINDOW;
  }

  /** The outcome remembered for a sequence above `settled`, or undefined. */
  recall(sequence: number): PurchaseOutcome | undefined {
    const slot = sequence & MASK;
    return this.#sequences[slot] === sequence ? (this.#outcomes[slot] as PurchaseOutcome) : undefined;
  }

  /**
   * @param sequence above `settled`, with room for it
   * @param ticket position in the ring that must be on disk before the outcome may be told
   */
  remember(sequence: number, outcome: PurchaseOutcome, ticket: number): void {
    const slot = sequence & MASK;
    this.#sequences[slot] = sequence;
    this.#outcomes[slot] = outcome;
    this.#tickets[slot] = ticket;
  }

  /** What depended on ring positions after `ticket` did not come about: those purchases found the store not selling. */
  undoAfter(ticket: number): void {
    for (let slot = 0; slot < TAG_WINDOW; slot++) {
      if (this.#sequences[slot] !== 0 && this.#tickets[slot]! > ticket) this.#outcomes[slot] = NOT_SELLING;
    }
  }
}
