// engine-options.ts: what an order engine is made of, what bounds it, and what can be read off it.

import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { Tracer } from '../tracing/index.js';
import type { CatalogLink } from './catalog-link.js';
import type { OrderLog } from './order-log.js';

export interface OrderEngineOptions {
  readonly link: CatalogLink;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Log;
  /** Undefined: nothing is recorded. */
  readonly tracer?: Tracer | undefined;
  readonly limits?: Partial<EngineLimits>;
  /** Told whenever selling begins or ends. */
  readonly onSelling?: (isSelling: boolean) => void;
}

export interface EngineLimits {
  /** Batches in flight: while one waits for the disk, the next one travels; more only made each batch smaller. */
  readonly windowMax: number;
  /** Purchases in one batch: bounds how long one write-locked section of the catalog lasts. */
  readonly batchOrdersMax: number;
  /** Purchases that wait unsent; past it the answer is NOT_SELLING at once. About 300 bytes each. */
  readonly queueMax: number;
  /** Tags sent and not yet settled. Outcomes that wait for a slow disk are among them; the catalog keeps twice as many. */
  readonly unsettledMax: number;
  /** How long a caller waits, where it does not say: below the front end's 10 s, so that our answer gets there. */
  readonly timeoutMs: number;
}

export const ENGINE_LIMITS: EngineLimits = {
  windowMax: 2,
  batchOrdersMax: 1024,
  queueMax: 65_536,
  unsettledMax: 32_768,
  timeoutMs: 8000,
};

export interface EngineStats {
  readonly isSelling: boolean;
  /** Orders that wait unsent; that are at the catalog; that are sold and not yet in the log. */
  readonly waiting: number;
  readonly inFlight: number;
  readonly unlogged: number;
  /** Tags sent whose outcome is not on disk yet. */
  readonly unsettled: number;
  /** Batches sent, and the purchases in them. */
  readonly batches: number;
  readonly purchases: number;
  /** Groups written to the log, and the orders in them. */
  readonly groups: number;
  readonly orders: number;
}
