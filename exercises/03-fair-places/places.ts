/** Somebody who wants a place. */
export interface Guest {
  /** It has a place now. */
  seated(): void;
}

/** So many places, and guests who wait for one: first come, first served. */
export class Places {
  #free: number;
  readonly #waiting: Guest[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Takes a place, or waits for one. */
  come(guest: Guest): void {
    if (this.#free > 0) {
      this.#free--;
      guest.seated();
    } else {
      this.#waiting.push(guest);
    }
  }

  /** A guest who waits goes away; one who has a place, or is unknown, does not. */
  giveUp(guest: Guest): void {
    this.#waiting.splice(this.#waiting.indexOf(guest), 1);
  }

  /** A guest who had a place has left. What it does then may come back here at once. */
  leave(): void {
    this.#free++;
    const next = this.#waiting[0];
    if (next === undefined) return;
    next.seated();
    this.#waiting.shift();
    this.#free--;
  }
}
