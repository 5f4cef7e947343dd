// catalog-service.ts: the calls of proto/toystore/v1/catalog.proto, as a thread answers them: finds by itself, from the
// shared table; everything else is the main thread's, who gets the messages as they came (catalog-desk.ts).

import {
  type handleUnaryCall,
  Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  CatalogService,
  type FindToyRequest,
  type FindToyResponse,
  type FindToysRequest,
  type FindToysResponse,
  type ListToysRequest,
  type ListToysResponse,
  type RecallRequest,
  type RecallResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { ownBytes } from '../port-calls.js';
import { RpcError, requestIdOf, serveBatches, traceparentOf } from '../rpc/index.js';
import { RESULT, resultName } from '../store-contract.js';
import type { Tracer } from '../tracing/index.js';
import type { CatalogCalls } from './catalog-messages.js';
import type { CatalogRequestLog } from './catalog-request-log.js';
import { toRpcError } from './catalog-status.js';
import type { FoundToys, ToyFinder } from './toy-finder.js';

export interface CatalogServiceOptions {
  readonly finder: ToyFinder;
  /** Resolves when finds may be answered; undefined: they may. Rejects with a CatalogError when that takes too long. */
  readonly showing: () => Promise<void> | undefined;
  /** Asks the main thread; rejects with an error whose code is the name of a gRPC status. */
  readonly ask: <Name extends keyof CatalogCalls>(
    name: Name,
    request: CatalogCalls[Name]['request'],
  ) => Promise<CatalogCalls[Name]['reply']>;
  /** A Watch stream has begun. @returns where its messages go; called without bytes when it has ended */
  readonly watch: (send: (bytes: Uint8Array) => void) => (bytes: Uint8Array | undefined) => void;
  readonly requestLog: CatalogRequestLog;
  /** Undefined: nothing is recorded. */
  readonly tracer: Tracer | undefined;
}

/** Messages go through as bytes. */
const RAW = {
  requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
  responseSerialize: (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
};

/** toystore.v1.Catalog, with the calls of the main thread undecoded. */
export const RAW_CATALOG_SERVICE: ServiceDefinition = {
  ...CatalogService,
  processOrder: { ...CatalogService.processOrder, ...RAW },
  processOrders: { ...CatalogService.processOrders, ...RAW },
  recover: { ...CatalogService.recover, ...RAW },
  restore: { ...CatalogService.restore, ...RAW },
  watch: { ...CatalogService.watch, ...RAW },
};

type RawReply = sendUnaryData<Uint8Array>;

/** The handlers of toystore.v1.Catalog. */
export function createCatalogService(options: CatalogServiceOptions): UntypedServiceImplementation {
  const { finder, showing, ask, requestLog, tracer } = options;

  /** Takes toys back from whom they are delegated to; what was found is looked for again then. */
  const recalled = (toys: readonly number[]): Promise<void> => ask('recall', toys).then(() => undefined);

  const findNow = (request: FindToysRequest): FoundToys | Promise<FoundToys> => {
    try {
      const found = finder.find(request.names, request.holder);
      if (found.delegated.length > 0) return recalled(found.delegated).then(() => findNow(request));
      const spans = tracer && request.traceparents.map((traceparent) => tracer.join(traceparent, 'find'));
      for (const [index, span] of (spans ?? []).entries()) {
        span?.set({ 'find.result': resultName(found.results[index]!) });
        span?.end();
      }
      requestLog.found(request, found, spans);
      return found;
    } catch (error) {
      throw toRpcError(error);
    }
  };
  const find = (request: FindToysRequest): FoundToys | Promise<FoundToys> =>
    showing()?.then(
      () => findNow(request),
      (error: unknown) => Promise.reject(toRpcError(error)),
    ) ?? findNow(request);

  const findToy: handleUnaryCall<FindToyRequest, FindToyResponse> = async (call, callback) => {
    const { name } = call.request;
    try {
      const requestIds = [requestIdOf(call.metadata)];
      const traceparents = [traceparentOf(call.metadata) ?? ''];
      callback(null, toyOf(name, await find({ names: [Buffer.from(name)], requestIds, holder: 0, traceparents })));
    } catch (error) {
      callback(RpcError.from(error).toStatus());
    }
  };

  const listToys: handleUnaryCall<ListToysRequest, ListToysResponse> = async (call, callback) => {
    try {
      await showing();
      const { limit } = call.request;
      let listed = finder.list(limit);
      while (listed.delegated.length > 0) {
        await recalled(listed.delegated);
        listed = finder.list(limit);
      }
      callback(null, { toys: listed.toys, total: finder.table.toys });
    } catch (error) {
      callback(toRpcError(error).toStatus());
    }
  };

  const recall: handleUnaryCall<RecallRequest, RecallResponse> = async (_, callback) => {
    try {
      await ask('recallAll', undefined);
      callback(null, {});
    } catch (error) {
      callback(RpcError.from(error).toStatus());
    }
  };

  return {
    findToy,
    listToys,
    recall,
    findToys(call: ServerDuplexStream<FindToysRequest, FindToysResponse>) {
      serveBatches(call, find);
    },
    async processOrder(call: ServerUnaryCall<Uint8Array, Uint8Array>, reply: RawReply) {
      try {
        const bytes = ownBytes(call.request);
        const { metadata } = call;
        const asked = { bytes, requestId: requestIdOf(metadata), traceparent: traceparentOf(metadata) };
        reply(null, await ask('processOrder', asked));
      } catch (error) {
        reply(RpcError.from(error).toStatus());
      }
    },
    processOrders(call: ServerDuplexStream<Uint8Array, Uint8Array>) {
      serveBatches(call, (bytes) => ask('processOrders', bytes));
    },
    async recover(call: ServerWritableStream<Uint8Array, Uint8Array>) {
      try {
        for (const message of await ask('recover', call.request)) call.write(message);
        call.end();
      } catch (error) {
        call.emit('error', RpcError.from(error).toStatus());
      }
    },
    restore(call: ServerReadableStream<Uint8Array, Uint8Array>, reply: RawReply) {
      const messages: Uint8Array[] = [];
      call.on('data', (bytes: Uint8Array) => messages.push(ownBytes(bytes)));
      call.on('end', async () => {
        try {
          reply(null, await ask('restore', messages));
        } catch (error) {
          reply(RpcError.from(error).toStatus());
        }
      });
    },
    watch(call: ServerDuplexStream<Uint8Array, Uint8Array>) {
      const receive = options.watch((bytes) => {
        if (!call.cancelled) call.write(bytes);
      });
      call.sendMetadata(new Metadata());
      call.on('data', receive);
      call.on('end', () => call.end());
      // After every stream, also one that ended well.
      call.on('cancelled', () => receive(undefined));
    },
  } as UntypedServiceImplementation;
}

function toyOf(name: string, { results, pricesCents, quantities }: FoundToys): FindToyResponse {
  if (results[0] !== RESULT.DONE) return { result: RESULT.UNKNOWN_TOY, toy: undefined };
  return { result: RESULT.DONE, toy: { name, priceCents: pricesCents[0]!, quantity: quantities[0]! } };
}
