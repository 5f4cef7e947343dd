// in-flight-batches.ts: the batches that were sent and are not answered, oldest first. No I/O and no clock.
//
//   [a b c] [d e] ──► answers come in the same order: the next one is for the head
//      ·      ·
//      └──────┴ an entry becomes undefined once nobody waits for it any more; its place stays, to match the answer

import { forEachCall, type PendingCall } from './batch-queue.js';

export interface InFlightBatch<Item, Outcome> {
  entries: (PendingCall<Item, Outcome> | undefined)[];
  /** What was sent: one item for each entry. */
  items: Item[];
  /** On the clock of performance.now(), in milliseconds; 0: not sent yet. */
  sentAt: number;
}

/** A batch of these entries that has not been sent yet. */
export function batchOf<Item, Outcome>(entries: PendingCall<Item, Outcome>[]): InFlightBatch<Item, Outcome> {
  const items = new Array<Item>(entries.length);
  for (let index = 0; index < entries.length; index++) items[index] = entries[index]!.item;
  return { entries, items, sentAt: 0 };
}

/** Calls every caller that waits for a batch. */
export function forEachCallOf<Item, Outcome>(
  batch: InFlightBatch<Item, Outcome>,
  visit: (call: PendingCall<Item, Outcome>) => void,
): void {
  for (const entry of batch.entries) if (entry !== undefined) forEachCall(entry, visit);
}

export class InFlightBatches<Item, Outcome> {
  #batches: InFlightBatch<Item, Outcome>[] = [];

  get count(): number {
    return this.#batches.length;
  }

  get itemCount(): number {
    let count = 0;
    for (const { items } of this.#batches) count += items.length;
    return count;
  }

  push(batch: InFlightBatch<Item, Outcome>): void {
    this.#batches.push(batch);
  }

  /** Takes the batch that the next answer is for. */
  shift(): InFlightBatch<Item, Outcome> | undefined {
    return this.#batches.shift();
  }

  /** Takes all batches. */
  takeAll(): InFlightBatch<Item, Outcome>[] {
    const batches = this.#batches;
    this.#batches = [];
    return batches;
  }

  /** Takes what is to be sent again: the same batches in the same order, without what nobody waits for any more. */
  takeAwaited(): InFlightBatch<Item, Outcome>[] {
    const awaited: InFlightBatch<Item, Outcome>[] = [];
    for (const { entries, sentAt } of this.takeAll()) {
      const left = entries.filter((entry) => entry !== undefined);
      if (left.length > 0) awaited.push({ ...batchOf(left), sentAt });
    }
    return awaited;
  }

  /** Takes out every call whose time has come, and hands each to `onExpired`. Whether anybody waits for any batch still. */
  expire(now: number, onExpired: (call: PendingCall<Item, Outcome>) => void): boolean {
    let isAwaited = false;
    for (const { entries } of this.#batches) {
      for (let index = 0; index < entries.length; index++) {
        const entry = entries[index];
        if (entry === undefined) continue;
        if (entry.expiresAt <= now) {
          forEachCall(entry, onExpired);
          entries[index] = undefined;
        } else isAwaited = true;
      }
    }
    return isAwaited;
  }
}
