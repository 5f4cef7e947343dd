// catalog-thread.ts: what each thread of the catalog runs, the main thread among them: a gRPC server on the connections that
// the pool gives it. It answers finds from the shared table and hands everything else to the main thread.

import { fileURLToPath } from 'node:url';
import { PEER_IDENTITY } from '../certificates.js';
import { Log } from '../log.js';
import { registerReadings, ThreadMetrics } from '../metrics/index.js';
import type { CreateThreadService, ThreadContext, ThreadService } from '../pool/index.js';
import { call as callOwner, notify, ownBytes, serveCalls } from '../port-calls.js';
import { GrpcThread, PeerSecurity } from '../rpc/index.js';
import { METRICS_PROTO_FILE, metricsService } from '../store-metrics/metrics-service.js';
import { eventLoopReadings } from '../store-metrics/store-readings.js';
import { tlsReadings } from '../store-metrics/tls-readings.js';
import { followIdentity } from '../tls/watched-identity.js';
import { openTracer } from '../tracing/index.js';
import { CatalogError } from './catalog-error.js';
import { FIND_WAIT_MS_MAX } from './catalog-limits.js';
import type { CatalogCalls, CatalogThreadCalls, CatalogThreadData } from './catalog-messages.js';
import { finderReadings } from './catalog-metrics.js';
import { CatalogRequestLog } from './catalog-request-log.js';
import { createCatalogService, RAW_CATALOG_SERVICE } from './catalog-service.js';
import { Ownership } from './ownership.js';
import { StockTable } from './stock-table.js';
import { ToyFinder } from './toy-finder.js';

/** The repository's proto directory, seen from dist/src/catalog. */
const PROTO_DIRECTORY = fileURLToPath(new URL('../../../proto', import.meta.url));
const FINDING_HEALTH_NAME = 'toystore.v1.Catalog';
/** Says, in the health service, whether toys are sold; the plain name of the service says that they can be looked at. */
const SELLING_HEALTH_NAME = 'toystore.v1.Catalog/sell';

export const createThreadService: CreateThreadService = async (context: ThreadContext): Promise<ThreadService> => {
  const { port, threadIndex } = context;
  const { table: memory, ownership, logLevel, tracing, peers } = context.data as CatalogThreadData;
  const log = new Log(logLevel, { service: 'catalog', thread: threadIndex });
  // Before the port is served: what comes meanwhile waits there.
  const tracer = await openTracer(tracing, log);
  const metrics = new ThreadMetrics();
  metrics.shareOn(port);
  const finder = new ToyFinder(new StockTable(memory));
  registerReadings(metrics, [...finderReadings(finder), ...eventLoopReadings(threadIndex)]);
  const showing = new ShowingGate(ownership === undefined ? undefined : new Ownership(ownership));
  const watches = new Map<number, (bytes: Uint8Array) => void>();
  let lastWatch = 0;
  const security = new PeerSecurity(peers);
  followIdentity(port, PEER_IDENTITY, (identity) => security.update(identity));
  const grpc = new GrpcThread({
    security,
    services: [
      {
        definition: RAW_CATALOG_SERVICE,
        implementation: createCatalogService({
          finder,
          showing: () => showing.wait(),
          ask: (name, request) => callOwner<CatalogCalls, typeof name>(port, name, request),
          watch: (send) => {
            const watch = ++lastWatch;
            watches.set(watch, send);
            return (bytes) => {
              if (bytes === undefined) watches.delete(watch);
              const own = bytes === undefined ? undefined : ownBytes(bytes);
              notify<CatalogCalls, 'watch'>(port, 'watch', { watch, bytes: own });
            };
          },
          requestLog: new CatalogRequestLog(log),
          tracer,
        }),
      },
      metricsService(metrics),
    ],
    protoFiles: ['toystore/v1/catalog.proto', METRICS_PROTO_FILE],
    protoFolders: [PROTO_DIRECTORY],
  });
  if (peers !== undefined) {
    registerReadings(
      metrics,
      tlsReadings(() => grpc.tlsStats()!),
    );
  }
  serveCalls<CatalogThreadCalls>(port, {
    watch: ({ watch, bytes }) => {
      if (bytes !== undefined) watches.get(watch)?.(bytes);
    },
    state: ({ isSelling, isShowing, isOwner }) => {
      grpc.setHealth(FINDING_HEALTH_NAME, isOwner);
      grpc.setHealth(SELLING_HEALTH_NAME, isSelling);
      if (isShowing) showing.open();
    },
  });
  return {
    serve: (socket) => grpc.serve(socket),
    drain: () => grpc.drain(),
    async close() {
      grpc.close();
      finder.table.detach();
      await tracer?.flush();
    },
  };
};

/**
 * Finds wait here while a front end may still hold what a catalog before this one has shown, and are refused while another
 * catalog may have taken over.
 */
class ShowingGate {
  readonly #ownership: Ownership | undefined;
  #isOpen = false;
  readonly #waiting = new Set<() => void>();

  constructor(ownership: Ownership | undefined) {
    this.#ownership = ownership;
  }

  open(): void {
    this.#isOpen = true;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** Undefined: there is nothing to wait for. */
  wait(): Promise<void> | undefined {
    if (this.#ownership?.isHeld === false) {
      return Promise.reject(
        new CatalogError('NOT_OWNER', 'the database has not answered for so long that another catalog may serve'),
      );
    }
    if (this.#isOpen) return undefined;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(opened);
        reject(
          new CatalogError('LEASES_OPEN', 'front ends may still show what this catalog showed before its restart'),
        );
      }, FIND_WAIT_MS_MAX);
      const opened = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.add(opened);
    });
  }
}
