// catalog-thread.ts: what a thread of the catalog runs: a gRPC server on the connections that the pool gives it, and a
// seller of its own on the shared memory. The pool loads it; start-catalog.ts is at the other end of the port.

import { fileURLToPath } from 'node:url';
import { CatalogService } from '../../proto/gen/toystore/v1/catalog.js';
import { Log } from '../log.js';
import { ThreadMetrics } from '../metrics/index.js';
import { type CreateThreadService, call as callOwner, type ThreadContext, type ThreadService } from '../pool/index.js';
import { GrpcThread } from '../rpc/index.js';
import { METRICS_PROTO_FILE, metricsService } from '../store-metrics/metrics-service.js';
import { CatalogMemory } from './catalog-memory.js';
import { BELL, type CatalogCalls, type CatalogThreadData, isSellingMessage, sellerOf } from './catalog-messages.js';
import { CatalogRequestLog } from './catalog-request-log.js';
import { CatalogSeller } from './catalog-seller.js';
import { createCatalogService } from './catalog-service.js';

/** The repository's proto directory, seen from dist/src/catalog. */
const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url));
/** Says, in the health service, whether toys are sold; the plain name of the service says that they can be looked at. */
const SELLING_HEALTH_NAME = 'toystore.v1.Catalog/sell';

export const createThreadService: CreateThreadService = (context: ThreadContext): ThreadService => {
  const { port, threadIndex } = context;
  const { memory: parts, logLevel } = context.data as CatalogThreadData;
  const log = new Log(logLevel, { service: 'catalog', thread: threadIndex });
  const metrics = new ThreadMetrics();
  metrics.shareOn(port);
  const memory = new CatalogMemory(parts);
  const ringKeeper = (): void => port.postMessage(BELL);
  const seller = new CatalogSeller(memory, sellerOf(threadIndex), ringKeeper);
  const grpc = new GrpcThread({
    services: [
      {
        definition: CatalogService,
        implementation: createCatalogService({
          seller,
          recover: (logged) => callOwner<CatalogCalls, 'recover'>(port, 'recover', logged),
          onFault: ringKeeper,
          requestLog: new CatalogRequestLog(log),
        }),
      },
      metricsService(metrics),
    ],
    protoFiles: ['toystore/v1/catalog.proto', METRICS_PROTO_FILE],
    protoFolders: [PROTO_DIRECTORY],
  });
  port.on('message', (message: unknown) => {
    if (message === BELL) seller.ring();
    else if (isSellingMessage(message)) grpc.setHealth(SELLING_HEALTH_NAME, message.selling);
  });
  return {
    serve: (socket) => grpc.serve(socket),
    drain: () => grpc.drain(),
    close() {
      grpc.close();
      memory.detach();
    },
  };
};
