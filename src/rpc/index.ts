// The face of src/rpc: gRPC between the services. It knows streams, batches and threads, and nothing of toys.

export type { GrpcService } from './active-calls.js';
export { serveBatches } from './batch-server.js';
export type { BatchStreamStats } from './batch-statistics.js';
export { BatchStream } from './batch-stream.js';
export type { BatchStreamOptions } from './batch-stream-options.js';
export { createChannelOptions } from './grpc-channel.js';
export { GrpcThread, type GrpcThreadOptions, type GrpcThreadStats } from './grpc-thread.js';
export { HealthCheck } from './health-check.js';
export { PeerSecurity } from './peer-security.js';
export { ReopeningStream, type ReopeningStreamOptions } from './reopening-stream.js';
export { requestIdOf, requestMetadata, traceparentOf } from './request-metadata.js';
export { type RpcCode, RpcError } from './rpc-error.js';
export { ServingPeer, type ServingPeerOptions } from './serving-peer.js';
export { type StandbyOptions, StandbyServer } from './standby-server.js';
