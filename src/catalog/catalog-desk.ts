// catalog-desk.ts: the main thread answers the gRPC threads for the engine: bytes in, a call of the engine, bytes out.

import type { MessagePort } from 'node:worker_threads';
import {
  ProcessOrderRequest,
  ProcessOrderResponse,
  ProcessOrdersRequest,
  ProcessOrdersResponse,
  RecoverRequest,
  RecoverResponse,
  RestoreRequest,
  RestoreResponse,
  WatchRequest,
  WatchResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { unreachable } from '../assert.js';
import type { Log } from '../log.js';
import { serveCalls } from '../pool/index.js';
import { RpcError } from '../rpc/index.js';
import { RESULT } from '../store-contract.js';
import type { CatalogEngine } from './catalog-engine.js';
import { RECORD_SALES_MAX } from './catalog-limits.js';
import {
  type CatalogCalls,
  type DeskReply,
  type DeskRequest,
  isWatchMessage,
  ownBytes,
  type StateMessage,
  type WatchMessage,
} from './catalog-messages.js';
import { CatalogRequestLog } from './catalog-request-log.js';
import { toRpcError } from './catalog-status.js';
import type { Watch } from './holders.js';

export class CatalogDesk {
  readonly #engine: CatalogEngine;
  readonly #log: Log;
  readonly #requestLog: CatalogRequestLog;
  readonly #ports = new Set<MessagePort>();

  constructor(engine: CatalogEngine, log: Log) {
    this.#engine = engine;
    this.#log = log;
    this.#requestLog = new CatalogRequestLog(log);
    if (!engine.holders.isEarlierOver) void engine.holders.earlierOver.then(() => this.tellState());
  }

  /** Answers what comes over a thread's port, until it closes. */
  attach(port: MessagePort): void {
    this.#ports.add(port);
    serveCalls<CatalogCalls>(port, { ask: (request) => this.#answer(request) });
    this.#serveWatches(port);
    port.postMessage(this.#state());
  }

  /** Tells every thread what its health service says, and whether it may answer finds. */
  tellState(): void {
    for (const port of this.#ports) port.postMessage(this.#state());
  }

  #state(): StateMessage {
    return { isSelling: this.#engine.state === 'selling', isShowing: this.#engine.holders.isEarlierOver };
  }

  async #answer(request: DeskRequest): Promise<DeskReply> {
    try {
      const messages = await this.#carryOut(request);
      return { messages: messages.map(ownBytes) };
    } catch (error) {
      const { code, message } = toRpcError(error);
      if (code === 'INTERNAL') this.#log.error('a call failed', { call: request.kind, error });
      return { code, message };
    }
  }

  #carryOut({ kind, messages, requestId }: DeskRequest): Promise<Uint8Array[]> {
    const first = messages[0]!;
    switch (kind) {
      case 'processOrder':
        return this.#processOrder(decode(ProcessOrderRequest, first), requestId);
      case 'processOrders':
        return this.#processOrders(decode(ProcessOrdersRequest, first));
      case 'recover':
        return this.#recover(decode(RecoverRequest, first));
      case 'restore':
        return this.#restore(messages.map((bytes) => decode(RestoreRequest, bytes)));
      default:
        return unreachable(kind);
    }
  }

  async #processOrder({ name, quantity }: ProcessOrderRequest, requestId: string): Promise<Uint8Array[]> {
    const startedAtMs = performance.now();
    const purchase = { name: Buffer.from(name), quantity, key: '', requestId, transientKey: false };
    const result = await this.#logged([purchase], this.#engine.purchaseUntagged(purchase.name, quantity));
    this.#requestLog.purchased([purchase], { results: [result] }, startedAtMs);
    if (result === RESULT.NOT_SELLING) throw new RpcError('UNAVAILABLE', 'nothing is sold just now');
    return [ProcessOrderResponse.encode({ result }).finish()];
  }

  async #processOrders(batch: ProcessOrdersRequest): Promise<Uint8Array[]> {
    const startedAtMs = performance.now();
    const response = { results: await this.#logged(batch.purchases, this.#engine.purchase(batch)) };
    this.#requestLog.purchased(batch.purchases, response, startedAtMs);
    return [ProcessOrdersResponse.encode(response).finish()];
  }

  async #logged<T>(purchases: ProcessOrdersRequest['purchases'], outcome: Promise<T>): Promise<T> {
    try {
      return await outcome;
    } catch (error) {
      this.#requestLog.refused(purchases, toRpcError(error));
      throw error;
    }
  }

  async #recover(request: RecoverRequest): Promise<Uint8Array[]> {
    const { loggedIncarnation, loggedSequence, store, endedUncleanly } = request;
    const logged = { incarnation: loggedIncarnation, sequence: loggedSequence };
    const recovered = await this.#engine.recover({ logged, store, endedUncleanly });
    const head = { incarnation: 0, lacking: undefined, store: recovered.storeId, sales: [] };
    if ('lacking' in recovered) {
      this.#log.warn('sales were lost in a crash; the order service is asked for them', { newest: recovered.lacking });
      return [RecoverResponse.encode({ ...head, lacking: recovered.lacking }).finish()];
    }
    const { incarnation, sales } = recovered;
    this.#log.info('the order service has begun', { incarnation, sales: sales.length });
    const messages: Uint8Array[] = [];
    // The first message goes out without sales too: the caller waits for its incarnation.
    for (let start = 0; start === 0 || start < sales.length; start += RECORD_SALES_MAX) {
      const part = sales.slice(start, start + RECORD_SALES_MAX).map((sale) => ({ ...sale, transientKey: false }));
      messages.push(RecoverResponse.encode({ ...head, incarnation, sales: part }).finish());
    }
    return messages;
  }

  async #restore(requests: RestoreRequest[]): Promise<Uint8Array[]> {
    let count = 0;
    for (const { store, sales } of requests) {
      await this.#engine.restore(store, sales);
      count += sales.length;
    }
    this.#log.warn('sales that were lost in a crash are restored from the order log', { sales: count });
    return [RestoreResponse.encode({}).finish()];
  }

  /** The Watch streams of one thread. Those of a thread that dies are silent from then on, as those of a dead front end are. */
  #serveWatches(port: MessagePort): void {
    const watches = new Map<number, Watch>();
    const end = (watch: number): void => {
      watches.get(watch)?.end();
      watches.delete(watch);
    };
    port.on('message', (message: unknown) => {
      if (!isWatchMessage(message)) return;
      const { watch, bytes } = message;
      if (bytes === undefined) return end(watch);
      let stream = watches.get(watch);
      if (stream === undefined) {
        stream = this.#engine.watch((response) => {
          const answer = WatchResponse.encode({ ...response, names: [...response.names] }).finish();
          port.postMessage({ watch, bytes: ownBytes(answer) } satisfies WatchMessage);
        });
        watches.set(watch, stream);
      }
      void stream.receive(WatchRequest.decode(bytes)).catch((error: unknown) => this.#engine.break(error as Error));
    });
    port.on('close', () => {
      this.#ports.delete(port);
      for (const watch of watches.keys()) end(watch);
    });
  }
}

function decode<T>(message: { decode(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return message.decode(bytes);
  } catch {
    throw new RpcError('INVALID_ARGUMENT', 'the message cannot be decoded');
  }
}
