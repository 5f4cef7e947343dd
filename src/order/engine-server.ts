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
import {
  isName,
  isOrderKey,
  isOrderQuantity,
  KEY_CHARACTERS_MAX,
  NAME_BYTES_MAX,
  RESULT,
  resultName,
} from '../store-contract.js';
import { type Span, type Tracer, traceFields, traceIdsOf } from '../tracing/index.js';
import type { OrderEngine } from './order-engine.js';
import { OrderError } from './order-error.js';
import type { OrderRequest } from './order-types.js';
import type { Answers, Origin } from './pending-order.js';

/** A unary call: the message, and what its metadata say. */
export interface UnaryRequest {
  readonly bytes: Uint8Array;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** How long the caller waits, in milliseconds; Infinity where it does not say. */
  readonly timeoutMs: number;
}

/** One message of a PlaceOrders stream. */
export interface StreamMessage {
  readonly bytes: Uint8Array;
  /** Number of the stream, given by the thread: from 1. Its answers leave in the order of its messages. */
  readonly stream: number;
}

/** Streams of one thread: numbers of threads stand above it. */
const STREAMS_MAX = 2 ** 32;

/** What a gRPC thread asks the engine's thread. Errors have the name of a gRPC status as their code. */
export type EngineCalls = {
  'order:place-many': { request: StreamMessage; reply: Uint8Array };
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
  readonly #tracer: Tracer | undefined;
  readonly #ports = new Set<MessagePort>();
  #isSelling = false;
  #attached = 0;

  constructor(engine: OrderEngine, logger: Log, tracer?: Tracer) {
    this.#engine = engine;
    this.#tracer = tracer;
    this.#logger = logger;
    this.#slow = new SlowRequestLog(logger);
  }

  /** Answers what comes over a thread's port, until it closes. */
  attach(port: MessagePort): void {
    this.#ports.add(port);
    // A thread that takes the place of another one counts its streams anew.
    const firstStream = ++this.#attached * STREAMS_MAX;
    port.on('close', () => this.#ports.delete(port));
    serveCalls<EngineCalls>(port, {
      'order:place-many': ({ bytes, stream }) => this.#orFail(this.#placeMany(bytes, firstStream + stream)),
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
      if (error instanceof OrderError && error.code === 'CATALOG_AWAY') {
        throw new RpcError('UNAVAILABLE', error.message);
      }
      this.#logger.error('a call failed', { error });
      throw new RpcError('INTERNAL', 'the order service failed');
    }
  }

  async #placeMany(bytes: Uint8Array, stream: number): Promise<Uint8Array> {
    const { orders, holder } = decode(PlaceOrdersRequest, bytes);
    const sound = orders.map(orderRequest).filter((order) => order !== undefined);
    const answers = await this.#placeSound('PlaceOrders', sound, undefined, { stream, holder });
    if (answers.results.includes(RESULT.OPEN)) throw new RpcError('UNAVAILABLE', 'the outcome of an order is open');
    const all = sound.length === orders.length ? answers : withInvalid(orders, answers);
    return PlaceOrdersResponse.encode({ results: all.results, orderNumbers: all.numbers }).finish();
  }

  async #place({ bytes, requestId, traceparent, timeoutMs }: UnaryRequest): Promise<Uint8Array> {
    const order = decode(PlaceOrderRequest, bytes);
    const request = orderRequest({
      ...order,
      requestId: order.requestId === '' ? requestId : order.requestId,
      traceparent: order.traceparent ?? traceparent,
    });
    if (request === undefined) {
      const name = `a name of 1 to ${NAME_BYTES_MAX} bytes`;
      const key = `a key of at most ${KEY_CHARACTERS_MAX} visible characters`;
      throw new RpcError('INVALID_ARGUMENT', `an order has ${name}, a quantity of at least 1 and ${key}`);
    }
    const answers = await this.#placeSound('PlaceOrder', [request], timeoutMs);
    const result = answers.results[0]!;
    if (result === RESULT.NOT_SELLING) throw new RpcError('UNAVAILABLE', 'not selling now; this call has sold nothing');
    if (result === RESULT.OPEN) throw new RpcError('UNAVAILABLE', 'the outcome of the order is open');
    return PlaceOrderResponse.encode({ result, orderNumber: answers.numbers[0]! }).finish();
  }

  async #placeSound(
    call: string,
    requests: readonly TracedRequest[],
    timeoutMs?: number,
    origin?: Origin,
  ): Promise<Answers> {
    const startedAtMs = performance.now();
    if (this.#tracer !== undefined) {
      for (const request of requests) request.span = this.#tracer.join(request.traceparent, 'order');
    }
    const answers = await this.#engine.place(requests, timeoutMs, origin);
    this.#note(call, requests, answers, startedAtMs);
    return answers;
  }

  async #get({ bytes, requestId, traceparent }: UnaryRequest): Promise<Uint8Array> {
    const { number } = decode(GetOrderRequest, bytes);
    const startedAtMs = performance.now();
    const span = this.#tracer?.join(traceparent, 'find order');
    const order = await this.#engine.get(number);
    const { name, quantity } = order ?? { name: '', quantity: 0 };
    const result = order === undefined ? -1 : 0;
    span?.set({ 'order.number': number, 'order.result': resultName(result) });
    span?.end();
    this.#slow.look(
      'GetOrder',
      startedAtMs,
      () => [requestId],
      () => traceIdsOf([span]),
    );
    const trace = traceFields(span);
    this.#logger.debug('order asked for', { requestId: loggedRequestId(requestId), number, result, ...trace });
    return GetOrderResponse.encode({ result, name, quantity }).finish();
  }

  /** Writes what is to be known of orders that were answered, refused ones too. */
  #note(call: string, requests: readonly OrderRequest[], { results, numbers }: Answers, startedAtMs: number): void {
    for (const [index, { span }] of this.#tracer === undefined ? [] : requests.entries()) {
      span?.set({ 'order.result': resultName(results[index]!), 'order.number': numbers[index]! });
      span?.end();
    }
    const spans = (): (Span | undefined)[] => requests.map(({ span }) => span);
    this.#slow.look(
      call,
      startedAtMs,
      () => requests.map(({ requestId }) => requestId),
      () => traceIdsOf(spans()),
    );
    if (!this.#logger.isOn('debug')) return;
    for (const [index, { requestId, name, quantity, span }] of requests.entries()) {
      const answered = { name, quantity, result: results[index], number: numbers[index] };
      this.#logger.debug('order', { requestId: loggedRequestId(requestId), ...answered, ...traceFields(span) });
    }
  }
}

interface TracedRequest extends OrderRequest {
  readonly traceparent: string | undefined;
}

/** The order as the engine takes it, or undefined where a field is out of bounds. */
function orderRequest(order: PlaceOrderRequest): TracedRequest | undefined {
  const { name, quantity, key, requestId, traceparent } = order;
  if (!isName(name) || !isOrderQuantity(quantity) || !isOrderKey(key)) return undefined;
  return { name, quantity, key, requestId: fittingRequestId(requestId), traceparent, span: undefined };
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
