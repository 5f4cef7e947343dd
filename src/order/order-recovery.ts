// order-recovery.ts: after a crash: ask the catalog what it sold beyond our log, and finish those orders first.
//
//   our log        … 3:41  3:42                      the newest logged tag goes out with Recover
//   catalog              … 3:42  3:44  3:45          it fences incarnation 3, and answers: now 4; sold: 3:44, 3:45
//   our log then   … 3:41  3:42  3:44  3:45          durable; only now do tags 4:1, 4:2, … begin
//
// Fencing comes first: a batch of incarnation 3 that is still under way somewhere is refused from then on, so the list
// is complete. A crash within recovery is a crash before it: the list is asked for again, from the newest logged tag on.

import type { Log } from '../log.js';
import type { CatalogLink } from './catalog-link.js';
import type { FileOrderLog } from './file-order-log.js';
import { OrderError } from './order-error.js';
import { compareTags, type SoldOrder, type Tag } from './order-types.js';

/** Orders appended at once during recovery. */
const GROUP_ORDERS_MAX = 4096;

/**
 * Completes what the catalog sold beyond the log; returns the incarnation to sell under.
 *
 * @throws OrderError PROTOCOL when the list cannot be right; else whatever stood in the way of call or append
 */
export async function recoverSales(options: { link: CatalogLink; log: FileOrderLog; logger: Log }): Promise<number> {
  const { link, log, logger } = options;
  const { incarnation, sales } = await link.recover(log.lastTag);
  check(log.lastTag, sales, incarnation);
  for (let from = 0; from < sales.length; from += GROUP_ORDERS_MAX) {
    const { durable } = await log.append(sales.slice(from, from + GROUP_ORDERS_MAX));
    // With the first batch of the new incarnation the catalog forgets these sales.
    await durable;
  }
  if (sales.length > 0) logger.info('completed orders of sales before the restart', { orders: sales.length });
  return incarnation;
}

function check(logged: Tag, sales: readonly SoldOrder[], incarnation: number): void {
  let last = logged;
  for (const { tag } of sales) {
    if (compareTags(tag, last) <= 0) throw new OrderError('PROTOCOL', 'the catalog tells of a sale that is logged');
    last = tag;
  }
  if (incarnation <= last.incarnation) throw new OrderError('PROTOCOL', 'the catalog gave an incarnation twice');
}
