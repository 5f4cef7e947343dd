// catalog-service.ts: the calls of proto/toystore/v1/catalog.proto, answered by a seller. It checks what the wire does not,
// and gives each error its gRPC status; everything else is the seller's.

import type {
  handleUnaryCall,
  ServerDuplexStream,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type {
  FindToyRequest,
  FindToyResponse,
  FindToysRequest,
  FindToysResponse,
  ProcessOrderRequest,
  ProcessOrderResponse,
  ProcessOrdersRequest,
  ProcessOrdersResponse,
  RecoverRequest,
  RecoverResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { type RpcCode, RpcError, requestIdOf, serveBatches } from '../rpc/index.js';
import { CatalogError, type CatalogErrorCode } from './catalog-error.js';
import type { SaleMessage } from './catalog-messages.js';
import type { CatalogRequestLog } from './catalog-request-log.js';
import type { CatalogSeller, FoundToys } from './catalog-seller.js';
import { NOT_SELLING } from './purchase-outcome.js';
import type { Tag } from './unsettled-sales.js';

export interface CatalogServiceOptions {
  readonly seller: CatalogSeller;
  readonly recover: (logged: Tag) => Promise<{ readonly incarnation: number; readonly sales: readonly SaleMessage[] }>;
  /** A call failed for a reason that is ours: the main thread must look whether the catalog can go on. */
  readonly onFault: () => void;
  readonly requestLog: CatalogRequestLog;
}

/** Sales in one message of Recover: far below gRPC's limit of 4 MiB with the longest names and keys. */
const RECOVER_SALES_MAX = 8_192;

const RPC_CODES: Record<CatalogErrorCode, RpcCode> = {
  BAD_FILE: 'INTERNAL',
  BAD_JOURNAL: 'INTERNAL',
  FOREIGN_INCARNATION: 'FAILED_PRECONDITION',
  SETTLED_TAG: 'FAILED_PRECONDITION',
  TAG_WINDOW: 'RESOURCE_EXHAUSTED',
  BAD_PURCHASE: 'INVALID_ARGUMENT',
  NOT_JOURNALED: 'UNAVAILABLE',
  STOPPED: 'UNAVAILABLE',
  BROKEN: 'UNAVAILABLE',
};

/** The handlers of toystore.v1.Catalog. */
export function createCatalogService(options: CatalogServiceOptions): UntypedServiceImplementation {
  const { seller, recover, onFault, requestLog } = options;
  const explain = (error: unknown): RpcError => {
    if (!(error instanceof CatalogError) || error.code === 'BROKEN') onFault();
    return toRpcError(error);
  };

  const findToy: handleUnaryCall<FindToyRequest, FindToyResponse> = (call, callback) => {
    try {
      const request = { names: [Buffer.from(call.request.name)], requestIds: [requestIdOf(call.metadata)], holder: 0 };
      const found = seller.find(request.names);
      requestLog.found(request, found);
      callback(null, toyOf(call.request.name, found));
    } catch (error) {
      callback(explain(error).toStatus());
    }
  };

  const processOrder: handleUnaryCall<ProcessOrderRequest, ProcessOrderResponse> = (call, callback) => {
    const { name, quantity } = call.request;
    const startedAtMs = performance.now();
    const purchase = {
      name: Buffer.from(name),
      quantity,
      key: '',
      requestId: requestIdOf(call.metadata),
      transientKey: false,
    };
    seller.purchaseUntagged(purchase.name, quantity).then(
      (result) => {
        requestLog.purchased([purchase], { results: [result] }, startedAtMs);
        if (result === NOT_SELLING) callback(new RpcError('UNAVAILABLE', 'nothing is sold just now').toStatus());
        else callback(null, { result });
      },
      (error: unknown) => {
        const refusal = explain(error);
        requestLog.refused([purchase], refusal);
        callback(refusal.toStatus());
      },
    );
  };

  return {
    findToy,
    processOrder,
    findToys(call: ServerDuplexStream<FindToysRequest, FindToysResponse>) {
      serveBatches(call, (request) => {
        try {
          const found = seller.find(request.names);
          requestLog.found(request, found);
          return found;
        } catch (error) {
          throw explain(error);
        }
      });
    },
    processOrders(call: ServerDuplexStream<ProcessOrdersRequest, ProcessOrdersResponse>) {
      serveBatches(call, async (batch) => {
        const startedAtMs = performance.now();
        try {
          const response = { results: await seller.purchase(batch) };
          requestLog.purchased(batch.purchases, response, startedAtMs);
          return response;
        } catch (error) {
          const refusal = explain(error);
          requestLog.refused(batch.purchases, refusal);
          throw refusal;
        }
      });
    },
    recover(call: ServerWritableStream<RecoverRequest, RecoverResponse>) {
      const { loggedIncarnation, loggedSequence } = call.request;
      recover({ incarnation: loggedIncarnation, sequence: loggedSequence }).then(
        (recovered) => sendRecovered(call, recovered.incarnation, recovered.sales),
        // Only the message of an error comes through from the main thread; there is one reason for it: no writing.
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          call.emit('error', new RpcError('UNAVAILABLE', message).toStatus());
        },
      );
    },
  } as UntypedServiceImplementation;
}

function toyOf(name: string, { results, pricesCents, quantities }: FoundToys): FindToyResponse {
  if (results[0] !== 0) return { result: -1, toy: undefined };
  return { result: 0, toy: { name, priceCents: pricesCents[0]!, quantity: quantities[0]! } };
}

function sendRecovered(
  call: ServerWritableStream<RecoverRequest, RecoverResponse>,
  incarnation: number,
  sales: readonly SaleMessage[],
): void {
  // The first message goes out without sales too: the caller waits for its incarnation.
  for (let first = 0; first === 0 || first < sales.length; first += RECOVER_SALES_MAX) {
    const part = sales.slice(first, first + RECOVER_SALES_MAX);
    call.write({
      incarnation,
      store: '',
      lacking: undefined,
      sales: part.map((sale) => ({ ...sale, name: Buffer.from(sale.name) })),
    });
  }
  call.end();
}

function toRpcError(error: unknown): RpcError {
  if (error instanceof CatalogError) return new RpcError(RPC_CODES[error.code], error.message, { cause: error });
  return RpcError.from(error);
}
