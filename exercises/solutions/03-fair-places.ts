/** Somebody who wants a place. */
export interface Guest {
  /** It has a place now. */
  seated(): void;
}

/** All is put right before anybody is told: whoever is told may call again at once. */
export class Places {
  #free: number;
  readonly #waiting: Guest[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  come(guest: Guest): void {
    if (this.#free > 0) {
      this.#free--;
      guest.seated();
    } else {
      this.#waiting.push(guest);
    }
  }

  giveUp(guest: Guest): void {
    const place = this.#waiting.indexOf(guest);
    if (place !== -1) this.#waiting.splice(place, 1);
  }

  /** The place goes straight to the one who waits: it is never free in between. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next.seated();
  }
}
