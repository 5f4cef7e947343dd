// batch-queue.ts: the calls that wait for a place in a batch. No I/O and no clock: a call comes in, a batch goes out.
//
//   call Tux ─┐                    entries:  [Tux]──►[Whale]──►[Fox]        one entry, one item in the message
//   call Tux ─┤   add()                        │
//   call Fox ─┘                             followers: Tux ► Tux            calls that share the entry and its outcome
//
// With `keyOf`, calls of one key that come soon after another while they wait share an entry, and expire with its first.
// An entry that has been taken is never joined: its batch may have been answered from a state older than the new call.
//
// All calls of a stream have the same time, so they expire in the order in which they came: whoever looks for expired
// ones looks at the head alone, however many wait.

/** Calls that come this much later than the first of their key get an entry of their own: so much too early, at most, does
 *  a call expire. In milliseconds. */
export const SHARE_MS = 20;

/** One caller's wait for an outcome. Calls of one entry form a chain through `follower`. */
export class PendingCall<Item, Outcome> {
  follower: PendingCall<Item, Outcome> | undefined = undefined;

  constructor(
    readonly item: Item,
    /** On the clock of performance.now(), in milliseconds; Infinity: never. In an entry that of its first call counts. */
    public expiresAt: number,
    readonly resolve: (outcome: Outcome) => void,
    readonly reject: (error: Error) => void,
  ) {}
}

/** Calls every caller of an entry. */
export function forEachCall<Item, Outcome>(
  entry: PendingCall<Item, Outcome>,
  visit: (call: PendingCall<Item, Outcome>) => void,
): void {
  for (let call: PendingCall<Item, Outcome> | undefined = entry; call !== undefined; call = call.follower) visit(call);
}

export interface BatchQueueOptions<Item> {
  /** Calls that may wait, those that share an entry counted singly. */
  queueItemsMax: number;
  batchItemsMax: number;
  keyOf?: ((item: Item) => string | number) | undefined;
}

export class BatchQueue<Item, Outcome> {
  readonly #queueItemsMax: number;
  readonly #batchItemsMax: number;
  readonly #keyOf: ((item: Item) => string | number) | undefined;
  #entries: PendingCall<Item, Outcome>[] = [];
  /** Where the entries not yet taken begin: taking from the front moves this mark, not the array. */
  #head = 0;
  #callCount = 0;
  /** The last call of the newest waiting entry, by key. Never cleared but made anew: see `#empty`. */
  #lastOfKey = new Map<string | number, PendingCall<Item, Outcome>>();

  constructor(options: BatchQueueOptions<Item>) {
    this.#queueItemsMax = options.queueItemsMax;
    this.#batchItemsMax = options.batchItemsMax;
    this.#keyOf = options.keyOf;
  }

  get isEmpty(): boolean {
    return this.#callCount === 0;
  }

  /** How many calls wait. */
  get callCount(): number {
    return this.#callCount;
  }

  /** Whether the call was taken in: false when the queue is full. It expires no earlier than any that came before. */
  add(call: PendingCall<Item, Outcome>): boolean {
    if (this.#callCount >= this.#queueItemsMax) return false;
    this.#callCount++;
    if (this.#keyOf !== undefined) {
      const key = this.#keyOf(call.item);
      const last = this.#lastOfKey.get(key);
      this.#lastOfKey.set(key, call);
      if (last !== undefined && call.expiresAt <= last.expiresAt + SHARE_MS) {
        call.expiresAt = last.expiresAt;
        last.follower = call;
        return true;
      }
    }
    this.#entries.push(call);
    return true;
  }

  /** The next batch: the oldest entries, at most `batchItemsMax`; empty when nothing waits. */
  take(): PendingCall<Item, Outcome>[] {
    if (this.#entries.length - this.#head > this.#batchItemsMax) {
      const batch = this.#entries.slice(this.#head, this.#head + this.#batchItemsMax);
      for (const entry of batch) this.#forget(entry, () => {});
      this.#moveHead(this.#head + batch.length);
      return batch;
    }
    const batch = this.#head === 0 ? this.#entries : this.#entries.slice(this.#head);
    this.#empty();
    return batch;
  }

  /** Takes out every call whose time has come, and hands each to `onExpired`. */
  expire(now: number, onExpired: (call: PendingCall<Item, Outcome>) => void): void {
    let head = this.#head;
    while (head < this.#entries.length && this.#entries[head]!.expiresAt <= now) {
      this.#forget(this.#entries[head]!, onExpired);
      head++;
    }
    if (head === this.#entries.length) this.#empty();
    else this.#moveHead(head);
  }

  /** An entry waits no more. */
  #forget(entry: PendingCall<Item, Outcome>, visit: (call: PendingCall<Item, Outcome>) => void): void {
    let last = entry;
    forEachCall(entry, (call) => {
      this.#callCount--;
      last = call;
      visit(call);
    });
    if (this.#keyOf === undefined) return;
    const key = this.#keyOf(entry.item);
    // Calls that came too late to share this entry have begun another one.
    if (this.#lastOfKey.get(key) === last) this.#lastOfKey.delete(key);
  }

  #moveHead(head: number): void {
    this.#head = head;
    // Under a lasting overload the queue is never empty: give the taken half back, at a cost of one move per entry.
    if (head * 2 <= this.#entries.length) return;
    this.#entries = this.#entries.slice(head);
    this.#head = 0;
  }

  #empty(): void {
    this.#entries = [];
    this.#head = 0;
    this.#callCount = 0;
    // Map.clear() leaves the old table in place and links it to the new one. Once one of them has been promoted to V8's
    // old generation, each after it counts as reachable, with all its calls: every scavenge then copied 1.5 MB.
    this.#lastOfKey = new Map();
  }
}
