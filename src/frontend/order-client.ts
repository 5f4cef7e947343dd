// order-client.ts: one thread's way to the order service: all orders of a moment in one message of one long-lived stream.

import { randomBytes } from 'node:crypto';
import type { ChannelCredentials } from '@grpc/grpc-js';
import {
  type GetOrderResponse,
  OrderClient as OrderStub,
  type PlaceOrderRequest,
  type PlaceOrdersRequest,
  type PlaceOrdersResponse,
} from '../../proto/gen/toystore/v1/order.js';
import {
  BatchStream,
  type BatchStreamStats,
  createChannelOptions,
  RpcError,
  requestMetadata,
  ServingPeer,
} from '../rpc/index.js';
import { isSold, MADE_UP_KEY_MARK, RESULT } from '../store-contract.js';
import { BatchSpans, type Span, type Tracer } from '../tracing/index.js';
import type { HeldToys } from './held-toys.js';
import type { Noted } from './lease-board.js';

/** How an order ended; the numbers are those of PlaceOrderResponse in proto/toystore/v1/order.proto. */
export type OrderOutcome =
  | { readonly kind: 'sold'; readonly orderNumber: number }
  | { readonly kind: 'unknown-toy' | 'not-enough-stock' | 'key-conflict' | 'not-selling' | 'invalid' };

/** An order on its way; encoding passes by what the message has no field for. */
type Placing = PlaceOrderRequest & {
  readonly span: Span | undefined;
  /** Of the toy: see HeldToys. */
  noted: Noted | undefined;
};

const REFUSALS: Readonly<Record<number, OrderOutcome>> = {
  [RESULT.UNKNOWN_TOY]: { kind: 'unknown-toy' },
  [RESULT.NOT_ENOUGH_STOCK]: { kind: 'not-enough-stock' },
  [RESULT.KEY_TAKEN]: { kind: 'key-conflict' },
  [RESULT.NOT_SELLING]: { kind: 'not-selling' },
  [RESULT.INVALID]: { kind: 'invalid' },
};

/** Messages under way at a time. What an order costs is mostly what its message costs at each of its ten stops, so all
 *  orders of a thread that come while one is under way share the next; other threads' messages overlap with it. The order
 *  service relies on it: the next message says that the answer to the one before was carried out (order.proto, `holder`). */
const ORDER_WINDOW_MAX = 1;
const ORDER_BATCH_ITEMS_MAX = 1_024;
/** Orders that may wait in a thread before more are refused with 503. */
const ORDER_QUEUE_ITEMS_MAX = 16_384;
/** An order is answered within 10 s, if only by 503 or 504. */
const ORDER_DEADLINE_MS = 9_000;
/** How long orders ride out an order service that is away: it is back within 2 s when it is started again at once. */
const ORDER_FAIL_FAST_MS = 3_000;
/** Random bytes that no other thread, now or later, will draw. */
const KEY_PREFIX_BYTES = 12;
/** For one order by its number. */
const LOOKUP_DEADLINE_MS = 1_500;

export class OrderClient {
  readonly #service: ServingPeer<OrderStub>;
  readonly #orders: BatchStream<Placing, OrderOutcome, PlaceOrdersRequest, PlaceOrdersResponse>;
  // Keys of this thread: marked as no customer's, random once, counted from there. Short, for a key is written and compared at every step of an order.
  readonly #keyPrefix = `${MADE_UP_KEY_MARK}${randomBytes(KEY_PREFIX_BYTES).toString('base64url')}-`;
  #keyCount = 0;

  /**
   * @param addresses host:port of each order service; the one that serves is asked
   * @param held the toys that this thread holds: own orders may take from them
   * @param onState told when the service answers, and when it does not or no longer, with the reason
   */
  constructor(
    addresses: readonly string[],
    held: HeldToys | undefined,
    onState: (isConnected: boolean, reason?: Error) => void,
    tracer: Tracer | undefined,
    channelCredentials?: ChannelCredentials,
  ) {
    const spans = tracer && new BatchSpans<Placing>(tracer, 'order batch', 'client', ({ span }) => span);
    this.#service = new ServingPeer({
      addresses,
      service: 'toystore.v1.Order',
      channelCredentials,
      createStub: (address, secured) => new OrderStub(address, secured, createChannelOptions()),
    });
    this.#orders = new BatchStream({
      open: () => this.#service.stub.placeOrders(),
      pack: (orders): PlaceOrdersRequest => {
        spans?.begin(orders);
        return { orders, holder: held?.prepare(orders) ?? 0 };
      },
      unpack: (response, orders) => {
        spans?.end(orders);
        // Before any customer of the message is told of anything.
        held?.sell(response.results, orders);
        return outcomesOf(response);
      },
      windowMax: ORDER_WINDOW_MAX,
      batchItemsMax: ORDER_BATCH_ITEMS_MAX,
      queueItemsMax: ORDER_QUEUE_ITEMS_MAX,
      deadlineMs: ORDER_DEADLINE_MS,
      failFastMs: ORDER_FAIL_FAST_MS,
      onStateChange: onState,
    });
    this.#service.onMove(() => this.#orders.reopen('another order service serves'));
  }

  /** Of several, the one that is asked. */
  get address(): string {
    return this.#service.address;
  }

  /** What the health service of that one says; see HealthCheck. */
  isServing(service: string, timeoutMs: number): Promise<boolean> {
    return this.#service.isServing(service, timeoutMs);
  }

  get isConnected(): boolean {
    return this.#orders.isConnected;
  }

  /**
   * Places an order. Without a key it gets one of its own, so that sending it again after a break is safe.
   *
   * @throws RpcError when there is no answer in time: the outcome is open where its `sent` is true
   */
  place(
    name: string,
    quantity: number,
    key: string | undefined,
    requestId: string,
    span: Span | undefined,
  ): Promise<OrderOutcome> {
    return this.#orders.call({
      name,
      quantity,
      key: key ?? `${this.#keyPrefix}${this.#keyCount++}`,
      requestId,
      traceparent: span?.traceparent,
      span,
      noted: undefined,
    });
  }

  /** The order of that number, undefined if there is none. Rejects with an RpcError. */
  get(number: number, requestId: string, span: Span | undefined): Promise<GetOrderResponse | undefined> {
    return new Promise((resolve, reject) => {
      this.#service.stub.getOrder(
        { number },
        requestMetadata(requestId, span?.traceparent),
        { deadline: Date.now() + LOOKUP_DEADLINE_MS },
        (error, response) => {
          if (error !== null) reject(RpcError.from(error));
          else resolve(response.result === RESULT.DONE ? response : undefined);
        },
      );
    });
  }

  stats(): BatchStreamStats {
    return this.#orders.stats();
  }

  async close(): Promise<void> {
    await this.#orders.close();
    this.#service.close();
  }
}

function outcomesOf({ results, orderNumbers }: PlaceOrdersResponse): OrderOutcome[] {
  return results.map((result, index) => {
    const orderNumber = orderNumbers[index];
    if (isSold(result) && orderNumber !== undefined) return { kind: 'sold', orderNumber };
    const refusal = REFUSALS[result];
    if (refusal === undefined) throw new RpcError('INTERNAL', `no such result of an order: ${result}`);
    return refusal;
  });
}
