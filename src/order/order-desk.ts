// order-desk.ts: the engine's thread answers the gRPC threads: bytes in, a call of the engine, bytes out. What a caller may
// ask for is checked here, so that the engine sees only orders that make sense.

import type { MessagePort } from 'node:worker_threads';
import {
  GetOrderRequest,
  GetOrderResponse,
  PlaceOrderRequest,
  PlaceOrderResponse,
  PlaceOrdersRequest,
  PlaceOrdersResponse,
} from '../../proto/gen/toystore/v1/order.js';
import { unreachable } from '../assert.js';
import type { Log } from '../log.js';
import { fittingRequestId, loggedRequestId } from '../request-id.js';
import { SlowRequestLog } from '../request-log.js';
import type { OrderEngine } from './order-engine.js';
import { KEY_CHARACTERS_MAX, NAME_BYTES_MAX, type OrderRequest, RESULT } from './order-types.js';
import type { Answers } from './purchase.js';
import { type DeskAnswer, type DeskErrorCode, type DeskRequest, ownBytes } from './thread-messages.js';

const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

/** An error that the caller gets as a gRPC status. */
class DeskError extends Error {
  constructor(
    readonly code: DeskErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export class OrderDesk {
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
    port.on('message', (request: DeskRequest) => {
      // The metrics of the thread come over this port too.
      if (request.kind !== undefined) void this.#serve(port, request);
    });
    port.postMessage({ kind: 'selling', isSelling: this.#isSelling } satisfies DeskAnswer);
  }

  /** Tells every thread whether orders are taken: their health service says so. */
  setSelling(isSelling: boolean): void {
    // Who watches the health service is told of changes only.
    if (isSelling === this.#isSelling) return;
    this.#isSelling = isSelling;
    for (const port of this.#ports) port.postMessage({ kind: 'selling', isSelling } satisfies DeskAnswer);
  }

  async #serve(port: MessagePort, request: DeskRequest): Promise<void> {
    const { id } = request;
    try {
      const bytes = ownBytes(await this.#answer(request));
      port.postMessage({ kind: 'answer', id, bytes } satisfies DeskAnswer);
    } catch (error) {
      const isOurs = error instanceof DeskError;
      if (!isOurs) this.#logger.error('a call failed', { call: request.kind, error });
      const code = isOurs ? error.code : 'INTERNAL';
      const message = isOurs ? error.message : 'the order service failed';
      port.postMessage({ kind: 'error', id, code, message } satisfies DeskAnswer);
    }
  }

  #answer(request: DeskRequest): Promise<Uint8Array> {
    switch (request.kind) {
      case 'orders':
        return this.#placeMany(decode(PlaceOrdersRequest, request.bytes).orders);
      case 'order':
        return this.#place(decode(PlaceOrderRequest, request.bytes), request);
      case 'get':
        return this.#get(decode(GetOrderRequest, request.bytes).number, request.requestId);
      default:
        return unreachable(request.kind);
    }
  }

  async #placeMany(orders: readonly PlaceOrderRequest[]): Promise<Uint8Array> {
    const sound = orders.map(orderRequest).filter((order) => order !== undefined);
    const startedAtMs = performance.now();
    const answers = await this.#engine.place(sound);
    this.#note('PlaceOrders', sound, answers, startedAtMs);
    if (answers.results.includes(RESULT.OPEN)) throw new DeskError('UNAVAILABLE', 'the outcome of an order is open');
    const all = sound.length === orders.length ? answers : withUnsound(orders, answers);
    return PlaceOrdersResponse.encode({ results: all.results, orderNumbers: all.numbers }).finish();
  }

  async #place(order: PlaceOrderRequest, { requestId, patienceMs }: DeskRequest): Promise<Uint8Array> {
    const request = orderRequest(order.requestId === '' ? { ...order, requestId } : order);
    if (request === undefined) {
      const name = `a name of 1 to ${NAME_BYTES_MAX} bytes`;
      const key = `a key of at most ${KEY_CHARACTERS_MAX} visible characters`;
      throw new DeskError('INVALID_ARGUMENT', `an order has ${name}, a quantity of at least 1 and ${key}`);
    }
    const startedAtMs = performance.now();
    const answers = await this.#engine.place([request], patienceMs);
    this.#note('PlaceOrder', [request], answers, startedAtMs);
    const result = answers.results[0]!;
    if (result === RESULT.NOT_SELLING) throw new DeskError('UNAVAILABLE', 'not selling now; nothing was sold');
    if (result === RESULT.OPEN) throw new DeskError('UNAVAILABLE', 'the outcome of the order is open');
    return PlaceOrderResponse.encode({ result, orderNumber: answers.numbers[0]! }).finish();
  }

  async #get(number: number, requestId: string): Promise<Uint8Array> {
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
  const { name, quantity, key, transientKey, requestId } = order;
  const isName = name !== '' && (name.length * 3 <= NAME_BYTES_MAX || Buffer.byteLength(name) <= NAME_BYTES_MAX);
  const isKey = key.length <= KEY_CHARACTERS_MAX && VISIBLE_ASCII.test(key);
  if (!isName || quantity === 0 || !isKey) return undefined;
  return { name, quantity, key, transient: transientKey, requestId: fittingRequestId(requestId) };
}

/** Our own services send no order that is out of bounds. One that came is answered as a toy that nobody has: nothing sold. */
function withUnsound(orders: readonly PlaceOrderRequest[], sound: Answers): Answers {
  const all: Answers = { results: [], numbers: [] };
  let at = 0;
  for (const order of orders) {
    const isSound = orderRequest(order) !== undefined;
    all.results.push(isSound ? sound.results[at]! : RESULT.UNKNOWN_TOY);
    all.numbers.push(isSound ? sound.numbers[at]! : 0);
    if (isSound) at++;
  }
  return all;
}

function decode<T>(message: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return message.decode(bytes);
  } catch {
    throw new DeskError('INVALID_ARGUMENT', 'the message cannot be decoded');
  }
}
