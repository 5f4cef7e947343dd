// key-generation.ts: a compact set of (fingerprint, order number) pairs: keys bound within one stretch of time.
//
//   slots  | fingerprint u32 | number - base u32 | …        open addressing, linear probing; fingerprint 0 = empty
//
// 8 bytes a slot, at most three quarters of them used: 11 bytes a key, where a Map of strings takes over 100. A
// fingerprint is not the key: whoever finds one must compare the key in the order's row. The place of a pair follows from
// its fingerprint alone, so that a small table can grow without the keys. Source: Knuth, TAOCP vol. 3, 6.4, algorithm L.

const SLOT_WORDS = 2;
const FILL_LIMIT = 0.75;
/** Spreads fingerprints over the slots: 2^32 divided by the golden ratio (Fibonacci hashing). */
const SPREAD = 0x9e37_79b1;

export class KeyGeneration {
  /** When the newest pair was ordered, ms since 1970. */
  newestAtMs = 0;
  count = 0;
  readonly #base: number;
  #slotBits: number;
  #slots: Uint32Array;

  /**
   * @param base no number added may be less, nor more than 2^32 - 1 above
   * @param slotBits the table begins with 2^slotBits slots
   */
  constructor(base: number, slotBits: number) {
    this.#base = base;
    this.#slotBits = slotBits;
    this.#slots = new Uint32Array(SLOT_WORDS << slotBits);
  }

  get slotBits(): number {
    return this.#slotBits;
  }

  get isFull(): boolean {
    return this.count >= (FILL_LIMIT / SLOT_WORDS) * this.#slots.length;
  }

  /** Whether `number` lies where this generation can keep it. */
  covers(number: number): boolean {
    return number - this.#base <= 0xffff_ffff;
  }

  /** Adds a pair; the table must not be full. */
  add(fingerprint: number, number: number, atMs: number): void {
    this.#put(fingerprint, number - this.#base);
    this.count++;
    this.newestAtMs = atMs;
  }

  /** Twice as many slots. */
  grow(): void {
    const old = this.#slots;
    this.#slotBits++;
    this.#slots = new Uint32Array(SLOT_WORDS << this.#slotBits);
    for (let word = 0; word < old.length; word += SLOT_WORDS) {
      if (old[word] !== 0) this.#put(old[word]!, old[word + 1]!);
    }
  }

  /** Appends to `found` the numbers of all pairs with that fingerprint. */
  find(fingerprint: number, found: number[]): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let word = this.#home(fingerprint); slots[word] !== 0; word = (word + SLOT_WORDS) & mask) {
      if (slots[word] === fingerprint) found.push(this.#base + slots[word + 1]!);
    }
  }

  #put(fingerprint: number, offset: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let word = this.#home(fingerprint);
    while (slots[word] !== 0) word = (word + SLOT_WORDS) & mask;
    slots[word] = fingerprint;
    slots[word + 1] = offset;
  }

  #home(fingerprint: number): number {
    return (Math.imul(fingerprint, SPREAD) >>> (32 - this.#slotBits)) * SLOT_WORDS;
  }
}
