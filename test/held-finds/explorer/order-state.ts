// order-state.ts: orders, and the order service, in the model of the protocol. The rules D1 to D6, O1 to O3, H1 to H3 are in
// protocol-state.ts.

/**
 * What has become of an order. `sent` is on its way to the order service or waits there, `batched` is with the catalog,
 * `answered` is on its way back; `gone` is `batched`, with nobody left who waits for it.
 */
export type OrderPlace =
  | 'new'
  | 'noted'
  | 'sent'
  | 'batched'
  | 'gone'
  | 'answered'
  | 'counted'
  | 'held'
  | 'told'
  | 'done';

/** An order that goes through the order service, by the stream of a front end's thread or by a unary call. */
export interface Order {
  /** -1: a unary call. */
  readonly front: number;
  readonly thread: number;
  readonly toy: number;
  /** Which stream; each unary call counts as one. */
  stream: number;
  place: OrderPlace;
  /** Noted with the message (H1). After the count (H2): that under which the quantity may be held, -1 if it may not. */
  generation: number;
  /** The holder that the message names. */
  number: number;
  outcome: 'open' | 'sold' | 'delegated' | 'refused';
  /** The quantity of the answer, and what a refusal is based on. */
  version: number;
  /** Somebody else waits for the same order, by a unary call with its key. */
  isJoined: boolean;
}

/** Somebody asks the order service about an order, by a unary call. */
export interface Ask {
  readonly kind: 'look-up' | 'repeat';
  /** The number of the order; for a repeat of its key, which of State.orders. */
  readonly about: number;
  place: 'new' | 'waiting' | 'done';
}

/** From the order service to the catalog. Sending and deciding are one step: that the first takes long shows nothing new. */
export interface Batch {
  /** Indices of State.orders and State.asks. */
  readonly orders: number[];
  readonly asks: number[];
  readonly namesHolder: boolean;
  readonly isRecall: boolean;
  /** False again when the link broke, or the catalog ended: it is sent once more. */
  isDecided: boolean;
  /** Toys whose recalls it awaits. */
  recalls: number[];
}

/** A sale under a tag. Its place in the catalog's book is its order number. */
export interface Booked {
  readonly order: number;
  readonly toy: number;
  readonly version: number;
}

export interface OrderService {
  run: 'up' | 'recovering';
  /** The only stream whose front end may have toys delegated to it; -1: none. */
  outstanding: number;
  /** The first order number that may be delegated still; -1: none. */
  first: number;
  /** How many sales of the book it knows. */
  numbered: number;
  /** In flight, in order. */
  batches: Batch[];
}
