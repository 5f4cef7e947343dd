// frontend-thread.ts: what runs in each thread of the front end: HTTP sessions, routes and clients of both backends.
// A request is handled wholly by the thread that owns its connection.

import { AwayLine } from '../away-line.js';
import { PEER_IDENTITY } from '../certificates.js';
import { type Exchange, HttpServer } from '../http/index.js';
import { Log, type LogLevel } from '../log.js';
import { registerReadings, ThreadMetrics } from '../metrics/index.js';
import { acceptedSocketOf } from '../node-internals.js';
import type { CreateThreadService, ThreadService } from '../pool/index.js';
import { loggedRequestId } from '../request-id.js';
import { SLOW_REQUEST_MS, SlowRequestLog } from '../request-log.js';
import { PeerSecurity } from '../rpc/index.js';
import type { MetricsSource } from '../store-metrics/metrics-page.js';
import { batchStreamReadings, eventLoopReadings } from '../store-metrics/store-readings.js';
import type { TlsIdentity } from '../tls/tls-identity.js';
import { followIdentity } from '../tls/watched-identity.js';
import { openTracer, type TracingOptions, traceFields } from '../tracing/index.js';
import { AwayBoard } from './away-board.js';
import { type BackendAddresses, Backends, type OnBackendState } from './backends.js';
import { heldReadings } from './held-readings.js';
import { HeldToys, shareOf } from './held-toys.js';
import { HttpMetrics } from './http-metrics.js';
import { HttpsServer } from './https-server.js';
import { LeaseBoard, LeaseClock } from './lease-board.js';
import { LiveStreams } from './live/live-streams.js';
import { beginRequestSpan, endRequestSpan, spanOf } from './request-spans.js';
import { createRouter } from './routes.js';

/** What start-frontend.ts gives to each thread. */
export interface FrontendThreadData {
  readonly addresses: BackendAddresses;
  /** The memory of the AwayBoard that all threads share. */
  readonly board: SharedArrayBuffer;
  /** The memory of the LeaseBoard that all threads share, and how many toys they may hold; undefined: none. */
  readonly held: { readonly leases: SharedArrayBuffer; readonly toys: number; readonly threads: number } | undefined;
  readonly idleTimeoutUnderPressureMs: number;
  readonly logLevel: LogLevel;
  /** Undefined: nothing is recorded. */
  readonly tracing: TracingOptions | undefined;
  /** What to show of itself in TLS; undefined: plain HTTP. */
  readonly https: TlsIdentity | undefined;
  /** The same among the services. */
  readonly peers: TlsIdentity | undefined;
}

export const createThreadService: CreateThreadService = async (context): Promise<ThreadService> => {
  const { threadIndex, port, freePlace } = context;
  const data = context.data as FrontendThreadData;
  const { addresses, board: memory, held: heldData, idleTimeoutUnderPressureMs, logLevel, https, peers } = data;
  const log = new Log(logLevel, { service: 'frontend', thread: threadIndex });
  const tracer = await openTracer(data.tracing, log);
  const isDebug = log.isOn('debug');
  const slow = new SlowRequestLog(log);
  const metrics = new ThreadMetrics();
  metrics.shareOn(port);
  const board = new AwayBoard(memory);
  const lines = {
    catalog: new AwayLine(log, 'the catalog', { address: addresses.catalog.join() }),
    order: new AwayLine(log, 'the order service', { address: addresses.order.join() }),
  };
  const held = heldData === undefined ? undefined : createHeldToys(heldData, threadIndex);
  if (held !== undefined) registerReadings(metrics, heldReadings(held));
  const security = new PeerSecurity(peers);
  followIdentity(port, PEER_IDENTITY, (identity) => security.update(identity));
  const onBackendState: OnBackendState = (backend, isConnected, error) => {
    board.note(threadIndex, backend, !isConnected);
    // Each thread has connections of its own, which come and go at nearly the same time: in the log the first thread,
    // which is always there, speaks for all.
    if (threadIndex > 0) return;
    lines[backend].note(isConnected, error);
  };
  const backends = new Backends(addresses, board, held, onBackendState, tracer, security.credentials);
  const { catalog, orders } = backends;
  const streams = { find: () => catalog.stats(), order: () => orders.stats() };
  registerReadings(metrics, batchStreamReadings(threadIndex, streams));
  registerReadings(metrics, eventLoopReadings(threadIndex));
  const httpMetrics = new HttpMetrics(metrics);
  const scheme = https === undefined ? 'http' : 'https';
  const sources = metricsSources(metrics, backends);
  const server = new HttpServer({
    router: createRouter(backends, held, sources, new LiveStreams(port)),
    onStreamBegin: (socket) => freePlace(acceptedSocketOf(socket)),
    limits: { idleTimeoutUnderPressureMs },
    // Where every request is logged every request has a name; else only those that a customer or an order gave one.
    requestIds: isDebug ? 'all' : 'client',
    ...(tracer && { onRequest: (exchange: Exchange) => beginRequestSpan(tracer, exchange, scheme) }),
    onExchange: (route, status, durationMs, requestId, companion) => {
      httpMetrics.record(route, status, durationMs);
      const span = spanOf(companion);
      if (span !== undefined) endRequestSpan(span, status);
      if (durationMs > SLOW_REQUEST_MS) {
        slow.note(durationMs, { requestId: loggedRequestId(requestId), route, status, ...traceFields(span) });
      } else if (isDebug) {
        log.debug('request', {
          requestId: loggedRequestId(requestId),
          route,
          status,
          durationMs: Math.round(durationMs),
          ...traceFields(span),
        });
      }
    },
    onRefused: ({ code, status }, requestId) => {
      httpMetrics.recordRefusal(status);
      if (isDebug) log.debug('request refused', { code, status, requestId: loggedRequestId(requestId) });
    },
    onHandlerError: (error, route, requestId, companion) => {
      const fields = { route, error, requestId: loggedRequestId(requestId) };
      log.error('a handler failed', { ...fields, ...traceFields(spanOf(companion)) });
    },
  });
  const served = https === undefined ? server : new HttpsServer(server, { identity: https, port, log, metrics });
  return {
    serve: (socket) => served.serve(socket),
    setPressure: (connectionsWait) => server.setPressure(connectionsWait),
    drain: () => served.drain(),
    close: async () => {
      served.close();
      await Promise.all([backends.close(), metrics.close(), tracer?.flush()]);
    },
  };
};

function createHeldToys(
  { leases, toys, threads }: NonNullable<FrontendThreadData['held']>,
  threadIndex: number,
): HeldToys {
  return new HeldToys(new LeaseBoard(leases), new LeaseClock(), shareOf(toys, threadIndex, threads));
}

function metricsSources(own: ThreadMetrics, { metrics }: Backends): MetricsSource[] {
  return [
    { service: 'frontend', gather: () => own.gatherAll().catch(() => undefined) },
    { service: 'catalog', gather: () => metrics.catalog.gather() },
    { service: 'order', gather: () => metrics.order.gather() },
  ];
}
