// sieve-shelf.ts: a bounded map that throws out what nobody asks for.
//
//   oldest ─ … ─ [asked] ─ [not] ─ [asked] ─ … ─ newest ◄── what is new comes here
//                           ▲ hand: goes from old to new, and round again. Asked for since it last came by: it stays, the
//                           mark is taken off. Not asked for: it goes.
//
// SIEVE: Zhang et al., "SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web caches", NSDI 2024. To
// find something sets a mark and moves nothing. What is asked for once goes soon: the hand takes the new one by one as they
// come, and does not get round to the old ones, so a scan over any number of toys leaves the popular ones alone.

/** What is on the shelf. Its user makes it; the links are the shelf's. */
export interface Shelved {
  readonly name: string;
  /** Set by the user when it is asked for. */
  isAskedFor: boolean;
  newer: Shelved | undefined;
  older: Shelved | undefined;
}

export class SieveShelf<Entry extends Shelved> {
  readonly #capacity: number;
  readonly #byName = new Map<string, Entry>();
  #newest: Shelved | undefined;
  #oldest: Shelved | undefined;
  #hand: Shelved | undefined;

  /** @param capacity entries; with 0 nothing is ever kept */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Entry | undefined {
    return this.#byName.get(name);
  }

  /** Puts up something new, in place of another if the shelf is full. There must be nothing of its name. */
  add(entry: Entry): void {
    if (this.#capacity === 0) return;
    if (this.#byName.size >= this.#capacity) this.#throwOut();
    this.#byName.set(entry.name, entry);
    entry.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #throwOut(): void {
    let entry = this.#hand ?? this.#oldest!;
    while (entry.isAskedFor) {
      entry.isAskedFor = false;
      entry = entry.newer ?? this.#oldest!;
    }
    this.#hand = entry.newer;
    this.#byName.delete(entry.name);
    const { newer, older } = entry;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    // One that has grown old would keep its neighbours alive until the next full collection.
    entry.newer = undefined;
    entry.older = undefined;
  }
}
