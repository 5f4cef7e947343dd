// order-types.ts: the words of this package: an order as asked for, as sold, and the tag that ties it to a sale.
//
//   asked for (PlaceOrder) --tag--> sold by the catalog --number--> one record of the journal, one row of orders.csv
//
// A tag is a pair (incarnation, sequence). Incarnations are given by the catalog, one for each start of this service;
// sequences count from 1 within each. Tags are compared incarnation first. Nothing here does any work.

/** Longest name of a toy, bytes of UTF-8 (contract). */
export const NAME_BYTES_MAX = 64;
/** Longest idempotency key, visible ASCII characters (contract). */
export const KEY_CHARACTERS_MAX = 64;
/** Largest quantity of one order (contract: whole numbers to 4294967295). */
export const QUANTITY_MAX = 0xffff_ffff;

/** What one caller wants. `key` is '' where there is none; `transient` keys were made up by a program for its retries. */
export interface OrderRequest {
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly transient: boolean;
  readonly requestId: string;
}

export interface Tag {
  readonly incarnation: number;
  readonly sequence: number;
}

/** The tag before all tags: what an empty log says it holds. */
export const NO_TAG: Tag = { incarnation: 0, sequence: 0 };

/** A sale that is to become an order: its number is its place in the log. */
export interface SoldOrder {
  readonly tag: Tag;
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly transient: boolean;
}

/** An order of the log. */
export interface LoggedOrder {
  readonly number: number;
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
}

/**
 * What became of an order that was asked for. The values down to -4 are those of proto/toystore/v1/order.proto.
 * OPEN never travels as a result: the purchase was sent, and whether it sold will be known later under its key.
 */
export const RESULT = {
  SOLD: 0,
  UNKNOWN_TOY: -1,
  NOT_ENOUGH_STOCK: -2,
  KEY_TAKEN: -3,
  NOT_SELLING: -4,
  OPEN: -5,
} as const;

/** Less than, equal, greater than zero: as `left` is before, the same as, or after `right`. */
export function compareTags(left: Tag, right: Tag): number {
  return left.incarnation - right.incarnation || left.sequence - right.sequence;
}
