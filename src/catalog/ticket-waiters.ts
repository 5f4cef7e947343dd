// ticket-waiters.ts: the purchases of one thread that wait until they are on disk, first come first served.

import type { CatalogMemory, Fate } from './catalog-memory.js';

interface Waiter {
  readonly ticket: number;
  readonly undoCount: number;
  readonly resolve: (fate: Fate) => void;
}

export class TicketWaiters {
  readonly #memory: CatalogMemory;
  readonly #seller: number;
  #waiters: Waiter[] = [];

  constructor(memory: CatalogMemory, seller: number) {
    this.#memory = memory;
    this.#seller = seller;
  }

  /**
   * Resolves with what became of everything up to `ticket`; never with `open`.
   *
   * @param ticket given by a section that has just ended, that has found it open, and that has requested the bell
   * @param undoCount as that section saw it
   */
  wait(ticket: number, undoCount: number): Promise<Fate> {
    return new Promise((resolve) => this.#waiters.push({ ticket, undoCount, resolve }));
  }

  /** Looks whether what is waited for has come; to be called when this seller's bell rings. */
  look(): void {
    if (this.#waiters.length === 0) return;
    this.#memory.requestBell(this.#seller);
    // Tickets only grow, so those that are decided are the first ones.
    const fates = this.#memory.read(() => {
      const decided: Fate[] = [];
      for (const { ticket, undoCount } of this.#waiters) {
        const fate = this.#memory.fateOf(ticket, undoCount);
        if (fate === 'open') break;
        decided.push(fate);
      }
      return decided;
    });
    const decided = this.#waiters.splice(0, fates.length);
    for (const [index, waiter] of decided.entries()) waiter.resolve(fates[index]!);
  }
}
