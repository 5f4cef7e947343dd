// catalog-desk.ts: the main thread answers the gRPC threads for the engine: bytes in, a call of the engine, bytes out.

import type { MessagePort } from 'node:worker_threads';
import {
  ProcessOrderRequest,
  ProcessOrderResponse,
  ProcessOrdersRequest,
  ProcessOrdersResponse,
  type Purchase,
  RecoverRequest,
  RecoverResponse,
  RestoreRequest,
  RestoreResponse,
  WatchRequest,
  WatchResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import type { Log } from '../log.js';
import { notify, ownBytes, serveCalls } from '../port-calls.js';
import { RpcError } from '../rpc/index.js';
import { RESULT, type Result, resultName } from '../store-contract.js';
import type { Tracer } from '../tracing/index.js';
import type { CatalogEngine } from './catalog-engine.js';
import { RECORD_SALES_MAX } from './catalog-limits.js';
import type { CatalogCalls, CatalogThreadCalls, StateMessage, WatchMessage } from './catalog-messages.js';
import { CatalogRequestLog } from './catalog-request-log.js';
import { toRpcError } from './catalog-status.js';
import type { Watch } from './holder.js';
import type { OnStoring } from './open-batches.js';

export class CatalogDesk {
  readonly #engine: CatalogEngine;
  readonly #log: Log;
  readonly #requestLog: CatalogRequestLog;
  readonly #tracer: Tracer | undefined;
  readonly #ports = new Set<MessagePort>();

  constructor(engine: CatalogEngine, log: Log, tracer?: Tracer) {
    this.#engine = engine;
    this.#tracer = tracer;
    this.#log = log;
    this.#requestLog = new CatalogRequestLog(log);
    if (!engine.holders.isEarlierOver) void engine.holders.earlierOver.then(() => this.tellState());
  }

  /** Answers what comes over a thread's port, until it closes. */
  attach(port: MessagePort): void {
    this.#ports.add(port);
    const watches = new Watches(this.#engine, port);
    port.on('close', () => {
      this.#ports.delete(port);
      watches.end();
    });
    serveCalls<CatalogCalls>(port, {
      processOrder: ({ bytes, requestId, traceparent }) =>
        this.#answer(() => this.#processOrder(decode(ProcessOrderRequest, bytes), requestId, traceparent)),
      processOrders: (bytes) => this.#answer(() => this.#processOrders(decode(ProcessOrdersRequest, bytes))),
      recover: (bytes) => this.#answer(() => this.#recover(decode(RecoverRequest, bytes))),
      restore: (messages) => this.#answer(() => this.#restore(messages.map((bytes) => decode(RestoreRequest, bytes)))),
      watch: (message) => watches.receive(message),
      recall: (toys) => this.#engine.recall(toys),
      recallAll: () => this.#engine.recallAll(),
    });
    this.#tellState(port);
  }

  /** Tells every thread what its health service says, and whether it may answer finds. */
  tellState(): void {
    for (const port of this.#ports) this.#tellState(port);
  }

  #tellState(port: MessagePort): void {
    const { state: selling, isOwner, holders } = this.#engine;
    const state: StateMessage = {
      isSelling: selling === 'selling' && isOwner,
      isShowing: holders.isEarlierOver,
      isOwner,
    };
    notify<CatalogThreadCalls, 'state'>(port, 'state', state);
  }

  async #answer<T>(carryOut: () => Promise<T>): Promise<T> {
    try {
      return await carryOut();
    } catch (error) {
      const refusal = toRpcError(error);
      if (refusal.code === 'INTERNAL') this.#log.error('a call failed', { error });
      throw refusal;
    }
  }

  async #processOrder(
    { name, quantity }: ProcessOrderRequest,
    requestId: string,
    traceparent: string | undefined,
  ): Promise<Uint8Array> {
    const purchase = { name: Buffer.from(name), quantity, key: '', requestId, traceparent };
    const [result] = await this.#purchase([purchase], async (onStoring) => [
      await this.#engine.purchaseUntagged(purchase.name, quantity, onStoring),
    ]);
    if (result === RESULT.NOT_SELLING) throw new RpcError('UNAVAILABLE', 'nothing is sold just now');
    return ProcessOrderResponse.encode({ result: result! }).finish();
  }

  async #processOrders(batch: ProcessOrdersRequest): Promise<Uint8Array> {
    const results = await this.#purchase(batch.purchases, (onStoring) => this.#engine.purchase(batch, onStoring));
    return ProcessOrdersResponse.encode({ results }).finish();
  }

  /** Executes purchases, and tells logs and traces of them. */
  async #purchase(
    purchases: readonly Purchase[],
    execute: (onStoring: OnStoring | undefined) => Promise<Result[]>,
  ): Promise<Result[]> {
    const startedAtMs = performance.now();
    const tracer = this.#tracer;
    const spans = tracer && purchases.map(({ traceparent }) => tracer.join(traceparent, 'purchase'));
    try {
      const results = await execute(spans && (() => tracer.batch('journal sync', 'internal', spans, (span) => span)));
      for (const [index, span] of (spans ?? []).entries()) {
        span?.set({ 'purchase.result': resultName(results[index]!) });
      }
      this.#requestLog.purchased(purchases, { results }, startedAtMs, spans);
      return results;
    } catch (error) {
      const refusal = toRpcError(error);
      this.#requestLog.refused(purchases, refusal);
      for (const span of spans ?? []) span?.fail(refusal.message);
      throw error;
    } finally {
      for (const span of spans ?? []) span?.end();
    }
  }

  async #recover(request: RecoverRequest): Promise<Uint8Array[]> {
    const { loggedIncarnation, loggedSequence, store, endedUncleanly, seatEpoch } = request;
    const logged = { incarnation: loggedIncarnation, sequence: loggedSequence };
    const recovered = await this.#engine.recover({ logged, store, endedUncleanly, seatEpoch });
    const head = { incarnation: 0, lacking: undefined, store: recovered.storeId, sales: [] };
    if ('lacking' in recovered) {
      this.#log.warn('sales were lost in a crash; the order service is asked for them', { newest: recovered.lacking });
      return [ownBytes(RecoverResponse.encode({ ...head, lacking: recovered.lacking }).finish())];
    }
    const { incarnation, sales } = recovered;
    this.#log.info('the order service has begun', { incarnation, sales: sales.length });
    const messages: Uint8Array[] = [];
    // The first message goes out without sales too: the caller waits for its incarnation.
    for (let start = 0; start === 0 || start < sales.length; start += RECORD_SALES_MAX) {
      const part = sales.slice(start, start + RECORD_SALES_MAX);
      messages.push(ownBytes(RecoverResponse.encode({ ...head, incarnation, sales: part }).finish()));
    }
    return messages;
  }

  async #restore(requests: RestoreRequest[]): Promise<Uint8Array> {
    let count = 0;
    for (const { store, sales } of requests) {
      await this.#engine.restore(store, sales);
      count += sales.length;
    }
    this.#log.warn('sales that were lost in a crash are restored from the order log', { sales: count });
    return RestoreResponse.encode({}).finish();
  }
}

/** The Watch streams of one thread. When it dies they are silent from then on, as those of a dead front end are. */
class Watches {
  readonly #engine: CatalogEngine;
  readonly #port: MessagePort;
  readonly #watches = new Map<number, Watch>();

  constructor(engine: CatalogEngine, port: MessagePort) {
    this.#engine = engine;
    this.#port = port;
  }

  receive({ watch, bytes }: WatchMessage): void {
    let stream = this.#watches.get(watch);
    if (bytes === undefined) {
      stream?.end();
      this.#watches.delete(watch);
      return;
    }
    if (stream === undefined) {
      stream = this.#engine.watch((response) => {
        const answer = ownBytes(WatchResponse.encode({ ...response, names: [...response.names] }).finish());
        notify<CatalogThreadCalls, 'watch'>(this.#port, 'watch', { watch, bytes: answer });
      });
      this.#watches.set(watch, stream);
    }
    stream.receive(WatchRequest.decode(bytes)).catch((error: unknown) => this.#engine.break(error as Error));
  }

  end(): void {
    for (const stream of this.#watches.values()) stream.end();
    this.#watches.clear();
  }
}

function decode<T>(message: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return message.decode(bytes);
  } catch {
    throw new RpcError('INVALID_ARGUMENT', 'the message cannot be decoded');
  }
}
