// order-types.ts: the words of this package: an order as asked for, as sold, and as it stands in the log.
//
//   asked for (PlaceOrder) --tag--> sold by the catalog --number--> one row of orders.csv
//
// Tags, results and bounds are the contract's: src/store-contract.ts.

import type { Tag } from '../store-contract.js';
import type { Span } from '../tracing/index.js';

export interface OrderRequest {
  readonly name: string;
  readonly quantity: number;
  /** '' where there is none. */
  readonly key: string;
  readonly requestId: string;
  /** Undefined where the request is not recorded. */
  span?: Span | undefined;
}

/** A sale that is to become an order: its number is its place in the log. */
export interface SoldOrder {
  readonly tag: Tag;
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
}

export interface LoggedOrder extends SoldOrder {
  readonly number: number;
}
