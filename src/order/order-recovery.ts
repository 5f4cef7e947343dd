// order-recovery.ts: before anything is sold, the two books are compared, and the one that a crash has left behind is completed
// from the other one.
//
//   our log        … 3:41  3:42                      what the log holds goes out with Recover
//   catalog              … 3:42  3:44  3:45          it fences incarnation 3, and answers: now 4; sold: 3:44, 3:45
//   our log then   … 3:41  3:42  3:44  3:45          durable; only now do tags 4:1, 4:2, … begin
//
//   our log        … 3:41  3:42                      the other way round, where the power took the catalog's newest sales:
//   catalog        … 3:41                            it answers that it lacks all after 3:41; Restore sends 3:42; once more
//
// Fencing comes first: a batch of incarnation 3 that is still under way somewhere is refused from then on, so the list
// is complete. A crash within recovery is a crash before it: the list is asked for again, from the newest logged tag on.
//
// Where a book is behind and no crash explains it, somebody has put an older one in its place. The catalog refuses then
// (OrderError REFUSED), and nothing is sold before a person has looked.

import { type Clock, pause } from '../clock.js';
import type { Log } from '../log.js';
import { compareTags, type Tag } from '../store-contract.js';
import type { CatalogLink } from './catalog-link.js';
import { OrderError } from './order-error.js';
import type { OrderLog } from './order-log.js';
import type { SoldOrder } from './order-types.js';

/** Orders appended at once during recovery. */
const GROUP_ORDERS_MAX = 4096;
/** Between two tries: doubled each time up to the last. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

interface RecoveryOptions {
  readonly link: CatalogLink;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Log;
}

/**
 * Compares and completes the books, however long the catalog is away or refuses. It says why nothing is sold, and says it
 * again only where that has changed.
 *
 * @param isWanted asked before each try
 * @returns the incarnation to sell under; undefined if that is not wanted any more
 * @throws OrderError where trying again is of no use
 */
export async function recoverBooks(options: RecoveryOptions, isWanted: () => boolean): Promise<number | undefined> {
  const { clock, log, logger } = options;
  let told = '';
  for (let delayMs = RETRY_MS_MIN; isWanted(); delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
    try {
      return await recoverSales(options);
    } catch (error) {
      const isRefusal = error instanceof OrderError && error.code === 'REFUSED';
      if (error instanceof OrderError && !isRefusal) throw error;
      const reason =
        isRefusal && log.damage !== undefined ? `${log.damage}; ${error.message}` : (error as Error).message;
      if (isRefusal && reason !== told) logger.error(`not selling: ${reason}`);
      else if (!isRefusal && told === '') logger.warn('cannot recover yet, trying on', { error });
      told = isRefusal || told === '' ? reason : told;
    }
    await pause(clock, delayMs);
  }
  return undefined;
}

/**
 * Completes whichever book is behind; returns the incarnation to sell under.
 *
 * @throws OrderError REFUSED where the books differ otherwise, FENCED when another one has taken over, PROTOCOL when the
 *   catalog's answer cannot be right; else whatever stood in the way
 */
async function recoverSales({ link, log, logger }: RecoveryOptions): Promise<number> {
  const { lastTag: logged, store, endedUncleanly, seatEpoch } = log;
  const position = { logged, store, endedUncleanly, seatEpoch };
  const first = await link.recover(position);
  if ('lacking' in first) {
    await link.restore(store, log.ordersAfter(first.lacking));
    logger.info('gave the catalog the sales that it had lost', { after: first.lacking });
  }
  const recovery = 'lacking' in first ? await link.recover(position) : first;
  // It may have crashed once more.
  if ('lacking' in recovery) throw new Error('the catalog lacks the sales that it was given');
  const { incarnation, sales } = recovery;
  check(logged, sales, incarnation);
  await log.begin(recovery.store);
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
