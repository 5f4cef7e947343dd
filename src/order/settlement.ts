// settlement.ts: how far the tags of an incarnation have come: given out, with an outcome, on disk.
//
//   1 … settled … completed … next - 1 | next
//       on disk    outcome     sent
//
// "Settled" is what the catalog is told: it forgets tags up to there, so all their outcomes must be on our disk. A refusal
// needs no record; it is settled once no sale before it is on its way to the disk.

export class Settlement {
  #next = 1;
  #completed = 0;
  #settled = 0;
  /** Groups of sales that are written and not yet on disk. */
  #unsyncedGroups = 0;

  /** All outcomes up to this tag are on disk, or need not be. */
  get settled(): number {
    return this.#settled;
  }

  /** The newest tag with an outcome. */
  get completed(): number {
    return this.#completed;
  }

  /** Tags given out that are not settled. */
  get unsettled(): number {
    return this.#next - 1 - this.#settled;
  }

  get isSyncing(): boolean {
    return this.#unsyncedGroups > 0;
  }

  /** Gives out that many tags; returns the first. */
  take(count: number): number {
    const first = this.#next;
    this.#next += count;
    return first;
  }

  /** All tags up to this one have an outcome. */
  complete(sequence: number): void {
    this.#completed = sequence;
  }

  /** A group of sales is written, and not yet on disk. */
  written(): void {
    this.#unsyncedGroups++;
  }

  /** The oldest such group is on disk, and with it all outcomes up to this tag. */
  synced(sequence: number): void {
    this.#unsyncedGroups--;
    this.#settled = sequence;
  }

  /** No sale waits to be written: refusals behind the last sale are settled, if that is on disk. */
  rest(): void {
    if (this.#unsyncedGroups === 0) this.#settled = this.#completed;
  }
}
