// churn-map.ts: a Map for entries that come and go fast: calls under way, by number or by key.
//
//   Map        table ─► table ─► table ─► table        each table that V8 gives up points to the next one
//   ChurnMap   table ─► table   table ─► table         a new Map now and then: nothing points to it
//
// V8's Map moves to a new table after some deletions, and the old one, with the entries of that moment, points to the new
// one for the sake of running iterators. A scavenge takes whatever the old generation points to as alive, dead or not. So
// once one table has grown old all after it grow old too, with entries that are long gone, until the next full collection:
// the order service's engine promoted every purchase that way.

/** Deletions before a new Map is made, at least; more when there are more entries, so that copying stays cheap. */
const RENEWAL_DELETIONS_MIN = 256;

export class ChurnMap<Key, Value> {
  #map = new Map<Key, Value>();
  #deletions = 0;

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map.set(key, value);
  }

  /** All that are there now; who walks them may delete them. */
  entries(): [Key, Value][] {
    return [...this.#map];
  }

  /** Whether the key was there. */
  delete(key: Key): boolean {
    if (!this.#map.delete(key)) return false;
    if (++this.#deletions >= Math.max(RENEWAL_DELETIONS_MIN, this.#map.size)) {
      this.#map = new Map(this.#map);
      this.#deletions = 0;
    }
    return true;
  }
}
