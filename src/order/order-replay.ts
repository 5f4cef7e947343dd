// order-replay.ts: the records of an order journal as they come back at the start, checked against each other: one head
// first, then numbers without a gap and tags that rise.

import { OrderError } from './order-error.js';
import { decodeRecord, type LogHead, type OrderGroup } from './order-record.js';
import { compareTags, NO_TAG, type Tag } from './order-types.js';

export class OrderReplay {
  head: LogHead | undefined;
  lastTag: Tag = NO_TAG;
  /** Records of orders, as they were: decoded, a million of them would take five times the memory. */
  readonly #payloads: Buffer[] = [];
  #nextNumber = 0;

  take(payload: Uint8Array): void {
    const record = decodeRecord(payload);
    if (record.kind === 'head') {
      if (this.head !== undefined) throw new OrderError('CORRUPT', 'the order journal has two heads');
      this.head = record.head;
      this.lastTag = record.head.lastTag;
      this.#nextNumber = record.head.orderCount;
      return;
    }
    const { group } = record;
    if (this.head === undefined || group.firstNumber !== this.#nextNumber) {
      throw new OrderError(
        'CORRUPT',
        `the order journal goes on with order ${group.firstNumber}, not ${this.#nextNumber}`,
      );
    }
    for (const { tag } of group.orders) {
      if (compareTags(tag, this.lastTag) <= 0) throw new OrderError('CORRUPT', 'the order journal has a sale twice');
      this.lastTag = tag;
    }
    this.#nextNumber += group.orders.length;
    this.#payloads.push(Buffer.from(payload));
  }

  *groups(): Iterable<OrderGroup> {
    for (const payload of this.#payloads) {
      const record = decodeRecord(payload);
      if (record.kind === 'orders') yield record.group;
    }
  }
}
