// metrics-service.ts: lets a gRPC thread answer what its service has counted; metrics-client.ts asks.

import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import {
  type FollowRequest,
  type FollowResponse,
  type GatherRequest,
  type GatherResponse,
  MetricsService,
} from '../../proto/gen/toystore/v1/metrics.js';
import type { FamilyNames, ThreadMetrics } from '../metrics/index.js';
import { type GrpcService, RpcError, serveBatches } from '../rpc/index.js';

/** Where reflection finds it, relative to the folder of the .proto files. */
export const METRICS_PROTO_FILE = 'toystore/v1/metrics.proto';

/** The Metrics service on one thread; whichever thread is asked, the hub gathers from all. */
export function metricsService(metrics: ThreadMetrics): GrpcService {
  const gather = async (names?: FamilyNames): Promise<{ snapshot: Buffer }> => {
    try {
      return { snapshot: Buffer.from(JSON.stringify(await metrics.gatherAll(names))) };
    } catch (error) {
      throw new RpcError('UNAVAILABLE', 'the metrics were not gathered in time', { cause: error });
    }
  };
  return {
    definition: MetricsService,
    implementation: {
      gather: (_call: ServerUnaryCall<GatherRequest, GatherResponse>, reply: sendUnaryData<GatherResponse>) => {
        gather().then(
          (response) => reply(null, response),
          (error: unknown) => reply(RpcError.from(error).toStatus()),
        );
      },
      follow: (call: ServerDuplexStream<FollowRequest, FollowResponse>) => {
        serveBatches(call, ({ names }) => gather(names));
      },
    },
  };
}
