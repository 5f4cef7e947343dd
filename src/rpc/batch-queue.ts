// batch-queue.ts: the calls that wait for a place in a batch. No I/O and no clock: a call comes in, a batch goes out.
//
//   call Tux ─┐                    entries:  [Tux]──►[Whale]──►[Fox]        one entry, one item in the message
//   call Tux ─┤   add()                        │
//   call Fox ─┘                             followers: Tux ► Tux            calls that share the entry and its outcome
//
// With `keyOf`, calls of one key that wait at the same time share an entry. An entry that has been taken is never joined:
// its batch may have been answered from a state older than the new call.

/** One caller's wait for an outcome. Calls of one entry form a chain through `follower`. */
export class PendingCall<Item, Outcome> {
  follower: PendingCall<Item, Outcome> | undefined = undefined;

  constructor(
    readonly item: Item,
    /** On the clock of performance.now(), in milliseconds; Infinity: never. */
    readonly expiresAt: number,
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

/**
 * Takes the calls out of an entry whose time has come, and hands each to `onExpired`.
 * Returns the entry that is left (another call of it may lead now), or undefined when nobody waits for it any more.
 */
export function expireCalls<Item, Outcome>(
  entry: PendingCall<Item, Outcome>,
  now: number,
  onExpired: (call: PendingCall<Item, Outcome>) => void,
): PendingCall<Item, Outcome> | undefined {
  let first: PendingCall<Item, Outcome> | undefined;
  let last: PendingCall<Item, Outcome> | undefined;
  let call: PendingCall<Item, Outcome> | undefined = entry;
  while (call !== undefined) {
    const next: PendingCall<Item, Outcome> | undefined = call.follower;
    if (call.expiresAt <= now) {
      call.follower = undefined;
      onExpired(call);
    } else {
      if (last === undefined) first = call;
      else last.follower = call;
      last = call;
    }
    call = next;
  }
  if (last !== undefined) last.follower = undefined;
  return first;
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
  /** The last call of each waiting entry, by key. Never cleared but made anew: see `take`. */
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

  /** Whether the call was taken in: false when the queue is full. */
  add(call: PendingCall<Item, Outcome>): boolean {
    if (this.#callCount >= this.#queueItemsMax) return false;
    this.#callCount++;
    if (this.#keyOf !== undefined) {
      const key = this.#keyOf(call.item);
      const last = this.#lastOfKey.get(key);
      this.#lastOfKey.set(key, call);
      if (last !== undefined) {
        last.follower = call;
        return true;
      }
    }
    this.#entries.push(call);
    return true;
  }

  /** The next batch: the oldest entries, at most `batchItemsMax`; empty when nothing waits. */
  take(): PendingCall<Item, Outcome>[] {
    const waiting = this.#entries.length - this.#head;
    let batch: PendingCall<Item, Outcome>[];
    if (waiting <= this.#batchItemsMax) {
      batch = this.#head === 0 ? this.#entries : this.#entries.slice(this.#head);
      this.#entries = [];
      this.#head = 0;
      this.#callCount = 0;
      // Map.clear() leaves the old table in place and links it to the new one. Once one of them has been promoted to V8's
      // old generation, each after it counts as reachable, with all its calls: every scavenge then copied 1.5 MB.
      this.#lastOfKey = new Map();
      return batch;
    }
    batch = this.#entries.slice(this.#head, this.#head + this.#batchItemsMax);
    this.#head += this.#batchItemsMax;
    // Under a lasting overload the queue is never empty: give the taken half back, at a cost of one move per entry.
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    for (const entry of batch) {
      if (this.#keyOf !== undefined) this.#lastOfKey.delete(this.#keyOf(entry.item));
      forEachCall(entry, () => this.#callCount--);
    }
    return batch;
  }

  /** Takes out every call whose time has come, and hands each to `onExpired`. */
  expire(now: number, onExpired: (call: PendingCall<Item, Outcome>) => void): void {
    if (this.#callCount === 0) return;
    const entries = this.#entries;
    let kept = 0;
    this.#callCount = 0;
    this.#lastOfKey = new Map();
    for (let index = this.#head; index < entries.length; index++) {
      const entry = expireCalls(entries[index]!, now, onExpired);
      if (entry === undefined) continue;
      entries[kept++] = entry;
      let last = entry;
      forEachCall(entry, (call) => {
        this.#callCount++;
        last = call;
      });
      if (this.#keyOf !== undefined) this.#lastOfKey.set(this.#keyOf(entry.item), last);
    }
    entries.length = kept;
    this.#head = 0;
  }
}
