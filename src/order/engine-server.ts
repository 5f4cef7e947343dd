// engine-server.ts: the engine's thread answers the gRPC threads: bytes in, a call of the engine, bytes out. What a caller may
// ask for is checked here, so that the engine sees only orders that make sense.
//
//   gRPC thread ── call: the protobuf message as it came, not decoded ──► engine's thread
//               ◄── the protobuf answer, ready to be sent ──
//
// A thread only carries bytes: decoding a message there, cloning its objects across and reading them again would cost
// more than the one decoding that is needed. One port call for each gRPC message, however many orders it has.

import type { MessagePort } from 'node:worker_threads';
import {
  GetOrderRequest,
  GetOrderResponse,
  PlaceOrderRequest,
  PlaceOrderResponse,
  PlaceOrdersRequest,
  PlaceOrdersResponse,
} from '../../proto/gen/toystore/v1/order.js';
import type { Log } from '../log.js';
import { notify, serveCalls } from '../port-calls.js';
import { fittingRequestId, loggedRequestId } from '../request-id.js';
import { SlowRequestLog } from '../request-log.js';
import { RpcError } from '../rpc/index.js';
import { isName, isOrderKey, isOrderQuantity, KEY_CHARACTERS_MAX, NAME_BYTES_MAX, RESULT } from '../store-contract.js';
import type { OrderEngine } from './order-engine.js';
import type { OrderRequest } from './order-types.js';
import type { Answers } from './purchase.js';

/** A unary call: the message, and what its metadata say. */
export interface UnaryRequest {
  readonly bytes: Uint8Array;
  readonly requestId: string;
  /** How long the caller waits, in milliseconds; Infinity where it does not say. */
  readonly timeoutMs: number;
}

/** What a gRPC thread asks the engine's thread. Errors have the name of a gRPC status as their code. */
export type EngineCalls = {
  /** One message of a PlaceOrders stream. */
  'order:place-many': { request: Uint8Array; reply: Uint8Array };
  'order:place': { request: UnaryRequest; reply: Uint8Array };
  'order:get': { request: UnaryRequest; reply: Uint8Array };
};

/** What the engine's thread tells a gRPC thread. */
export type ThreadNotices = {
  /** Whether orders are taken from now on. */
  'order:selling': { request: boolean; reply: undefined };
};

export class EngineServer {
  readonly #engine: OrderEngine;
  readonly #logger: Log;
  readonly #slow: SlowRequestLog;
  readonly #ports = new Set<MessagePort>();
  #isSelling = false;

  constructor(engine: OrderEngine, logger: Log) {
    this.#engine = engine;
    this.#logger = logger;
    this.#slow = new SlowRequestLog(logger);
  }

  /** Answers what comes over a thread's port, until it closes. */
  attach(port: MessagePort): void {
    this.#ports.add(port);
    port.on('close', () => this.#ports.delete(port));
    serveCalls<EngineCalls>(port, {
      'order:place-many': (bytes) => this.#orFail(this.#placeMany(bytes)),
      'order:place': (request) => this.#orFail(this.#place(request)),
      'order:get': (request) => this.#orFail(this.#get(request)),
    });
    notify<ThreadNotices, 'order:selling'>(port, 'order:selling', this.#isSelling);
  }

  /** Tells every thread whether orders are taken: their health service says so. */
  setSelling(isSelling: boolean): void {
    // Who watches the health service is told of changes only.
    if (isSelling === this.#isSelling) return;
    this.#isSelling = isSelling;
    for (const port of this.#ports) notify<ThreadNotices, 'order:selling'>(port, 'order:selling', isSelling);
  }

  async #orFail(answered: Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      return await answered;
    } catch (error) {
      if (error instanceof RpcError) throw error;
      this.#logger.error('a call failed', { error });
      throw new RpcError('INTERNAL', 'the order service failed');
    }
  }

  async #placeMany(bytes: Uint8Array): Promise<Uint8Array> {
    const { orders } = decode(PlaceOrdersRequest, bytes);
    const sound = orders.map(orderRequest).filter((order) => order !== undefined);
    const startedAtMs = performance.now();
    const answers = await this.#engine.place(sound);
    this.#note('PlaceOrders', sound, answers, startedAtMs);
    if (answers.results.includes(RESULT.OPEN)) throw new RpcError('UNAVAILABLE', 'the outcome of an order is open');
    const all = sound.length === orders.length ? answers : withInvalid(orders, answers);
    return PlaceOrdersResponse.encode({ results: all.results, orderNumbers: all.numbers }).finish();
  }

  async #place({ bytes, requestId, timeoutMs }: UnaryRequest): Promise<Uint8Array> {
    const order = decode(PlaceOrderRequest, bytes);
    const request = orderRequest(order.requestId === '' ? { ...order, requestId } : order);
    if (request === undefined) {
      const name = `a name of 1 to ${NAME_BYTES_MAX} bytes`;
      const key = `a key of at most ${KEY_CHARACTERS_MAX} visible characters`;
      throw new RpcError('INVALID_ARGUMENT', `an order has ${name}, a quantity of at least 1 and ${key}`);
    }
    const startedAtMs = performance.now();
    const answers = await this.#engine.place([request], timeoutMs);
    this.#note('PlaceOrder', [request], answers, startedAtMs);
    const result = answers.results[0]!;
    if (result === RESULT.NOT_SELLING) throw new RpcError('UNAVAILABLE', 'not selling now; nothing was sold');
    if (result === RESULT.OPEN) throw new RpcError('UNAVAILABLE', 'the outcome of the order is open');
    return PlaceOrderResponse.encode({ result, orderNumber: answers.numbers[0]! }).finish();
  }

  async #get({ bytes, requestId }: UnaryRequest): Promise<Uint8Array> {
    const { number } = decode(GetOrderRequest, bytes);
    const startedAtMs = performance.now();
    const order = await this.#engine.get(number);
    const { name, quantity } = order ?? { name: '', quantity: 0 };
    const result = order === undefined ? -1 : 0;
    this.#slow.look('GetOrder', startedAtMs, () => [requestId]);
    this.#logger.debug('order asked for', { requestId: loggedRequestId(requestId), number, result });
    return GetOrderResponse.encode({ result, name, quantity }).finish();
  }

  /** Writes what is to be known of orders that were answered, refused ones too. */
  #note(call: string, requests: readonly OrderRequest[], { results, numbers }: Answers, startedAtMs: number): void {
    this.#slow.look(call, startedAtMs, () => requests.map(({ requestId }) => requestId));
    if (!this.#logger.isOn('debug')) return;
    for (const [index, { requestId, name, quantity }] of requests.entries()) {
      const [result, number] = [results[index], numbers[index]];
      this.#logger.debug('order', { requestId: loggedRequestId(requestId), name, quantity, result, number });
    }
  }
}

/** The order as the engine takes it, or undefined where a field is out of bounds. */
function orderRequest(order: PlaceOrderRequest): OrderRequest | undefined {
  const { name, quantity, key, requestId } = order;
  if (!isName(name) || !isOrderQuantity(quantity) || !isOrderKey(key)) return undefined;
  return { name, quantity, key, requestId: fittingRequestId(requestId) };
}

/** The answers to all orders of a message, where some of them went no further than here. */
function withInvalid(orders: readonly PlaceOrderRequest[], sound: Answers): Answers {
  const all: Answers = { results: [], numbers: [] };
  let at = 0;
  for (const order of orders) {
    const isSound = orderRequest(order) !== undefined;
    all.results.push(isSound ? sound.results[at]! : RESULT.INVALID);
    all.numbers.push(isSound ? sound.numbers[at]! : 0);
    if (isSound) at++;
  }
  return all;
}

function decode<T>(message: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return message.decode(bytes);
  } catch {
    throw new RpcError('INVALID_ARGUMENT', 'the message cannot be decoded');
  }
}
