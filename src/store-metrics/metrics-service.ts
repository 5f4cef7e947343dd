// metrics-service.ts: lets a gRPC thread answer what its service has counted; metrics-client.ts asks.

import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { type GatherRequest, type GatherResponse, MetricsService } from '../../proto/gen/toystore/v1/metrics.js';
import type { ThreadMetrics } from '../metrics/index.js';
import { type GrpcService, RpcError } from '../rpc/index.js';

/** Where reflection finds it, relative to the folder of the .proto files. */
export const METRICS_PROTO_FILE = 'toystore/v1/metrics.proto';

/** The Metrics service on one thread; whichever thread is asked, the hub gathers from all. */
export function metricsService(metrics: ThreadMetrics): GrpcService {
  return {
    definition: MetricsService,
    implementation: {
      gather: (call: ServerUnaryCall<GatherRequest, GatherResponse>, reply: sendUnaryData<GatherResponse>) => {
        const { names } = call.request;
        metrics.gatherAll(names.length === 0 ? undefined : names).then(
          (snapshot) => reply(null, { snapshot: Buffer.from(JSON.stringify(snapshot)) }),
          (error: unknown) =>
            reply(new RpcError('UNAVAILABLE', 'the metrics were not gathered in time', { cause: error }).toStatus()),
        );
      },
    },
  };
}
