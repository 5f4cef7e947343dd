// name-index.ts: finds a name that was there before, among a known number of names. For reading large files: a Set of a
// million strings takes twice the time of all the rest of the reading, growing again and again on the way.

/** Names by hash: open addressing with linear probing, at most half full. */
export class NameIndex {
  readonly #names: string[] = [];
  /** Index of the name plus one; 0: free. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /** @param namesMax how many names will be added at most */
  constructor(namesMax: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(8, namesMax * 2)));
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
  }

  /** All names, in the order in which they were added. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Adds a name; false if it is there already. */
  add(name: string): boolean {
    let slot = hashOf(name) & this.#mask;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#names[this.#slots[slot]! - 1] === name) return false;
    }
    this.#slots[slot] = this.#names.push(name);
    return true;
  }
}

/** FNV-1a over the UTF-16 units, its high half folded into the low one. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}
