// order-thread.ts: what each thread of the order service runs, the engine's own among them: a gRPC server that hands every
// message on to the engine, undecoded, and sends what comes back.

import { fileURLToPath } from 'node:url';
import type { Deadline, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { OrderService } from '../../proto/gen/toystore/v1/order.js';
import { PEER_IDENTITY } from '../certificates.js';
import { registerReadings, ThreadMetrics } from '../metrics/index.js';
import type { CreateThreadService } from '../pool/index.js';
import { call as callPort, ownBytes, serveCalls } from '../port-calls.js';
import { GrpcThread, PeerSecurity, RpcError, requestIdOf, serveBatches, traceparentOf } from '../rpc/index.js';
import { METRICS_PROTO_FILE, metricsService } from '../store-metrics/metrics-service.js';
import { eventLoopReadings } from '../store-metrics/store-readings.js';
import { tlsReadings } from '../store-metrics/tls-readings.js';
import type { TlsIdentity } from '../tls/tls-identity.js';
import { followIdentity } from '../tls/watched-identity.js';
import type { EngineCalls, ThreadNotices } from './engine-server.js';

/** Says, in the health service, whether orders are taken; the plain name of the service says that it is there at all. */
const SELL_HEALTH_NAME = 'toystore.v1.Order/sell';
const PROTO_FOLDER = fileURLToPath(new URL('../../../proto', import.meta.url));

/** Messages go through as bytes. */
const RAW = {
  requestDeserialize: (bytes: Buffer): Uint8Array => bytes,
  responseSerialize: (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
};

const RAW_SERVICE = {
  placeOrder: { ...OrderService.placeOrder, ...RAW },
  getOrder: { ...OrderService.getOrder, ...RAW },
  placeOrders: { ...OrderService.placeOrders, ...RAW },
};

type Unary = ServerUnaryCall<Uint8Array, Uint8Array>;
type Reply = sendUnaryData<Uint8Array>;

/** What start-order.ts gives to each thread. */
export interface OrderThreadData {
  /** What to show of itself in TLS; undefined: no TLS. */
  readonly peers: TlsIdentity | undefined;
}

export const createThreadService: CreateThreadService = ({ port, threadIndex, data }) => {
  const metrics = new ThreadMetrics();
  metrics.shareOn(port);
  registerReadings(metrics, eventLoopReadings(threadIndex));
  serveCalls<ThreadNotices>(port, {
    'order:selling': (isSelling) => {
      thread.setHealth(SELL_HEALTH_NAME, isSelling);
      return undefined;
    },
  });
  const ask = <Name extends 'order:place' | 'order:get'>(name: Name, call: Unary): Promise<Uint8Array> =>
    callPort<EngineCalls, Name>(port, name, {
      bytes: ownBytes(call.request),
      requestId: requestIdOf(call.metadata),
      traceparent: traceparentOf(call.metadata),
      timeoutMs: timeoutOf(call.getDeadline()),
    });
  let lastStream = 0;
  const { peers } = data as OrderThreadData;
  const security = new PeerSecurity(peers);
  followIdentity(port, PEER_IDENTITY, (identity) => security.update(identity));
  const thread = new GrpcThread({
    security,
    services: [
      {
        definition: RAW_SERVICE,
        implementation: {
          placeOrder: (call: Unary, reply: Reply) => answer(ask('order:place', call), reply),
          getOrder: (call: Unary, reply: Reply) => answer(ask('order:get', call), reply),
          placeOrders: (call: ServerDuplexStream<Uint8Array, Uint8Array>) => {
            const stream = ++lastStream;
            serveBatches(call, (bytes) => {
              const message = { bytes: ownBytes(bytes), stream };
              return callPort<EngineCalls, 'order:place-many'>(port, 'order:place-many', message);
            });
          },
        },
      },
      metricsService(metrics),
    ],
    protoFiles: ['toystore/v1/order.proto', METRICS_PROTO_FILE],
    protoFolders: [PROTO_FOLDER],
  });
  if (peers !== undefined) {
    registerReadings(
      metrics,
      tlsReadings(() => thread.tlsStats()!),
    );
  }
  return thread;
};

function answer(asked: Promise<Uint8Array>, reply: Reply): void {
  asked.then(
    (bytes) => reply(null, bytes),
    (error: unknown) => reply(RpcError.from(error).toStatus()),
  );
}

/** Milliseconds until a call's deadline; Infinity where it has none. */
function timeoutOf(deadline: Deadline): number {
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  return at === Number.POSITIVE_INFINITY ? at : Math.max(0, at - Date.now());
}
