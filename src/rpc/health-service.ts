// health-service.ts: the standard health service of one server, from its generated code: a package that brings it reads its
// .proto file again in every thread.
//
// Protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md

import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthListRequest,
  type HealthListResponse,
  type HealthServer,
  HealthService as healthDefinition,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../proto/gen/grpc/health/v1/health.js';

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

export class HealthService {
  readonly definition = healthDefinition;
  readonly implementation: HealthServer;
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watchers = new Set<Watcher>();

  constructor() {
    this.implementation = {
      check: (call, callback) => this.#check(call, callback),
      watch: (call) => this.#watch(call),
      list: (_call: ServerUnaryCall<HealthListRequest, HealthListResponse>, callback) =>
        callback(null, {
          statuses: Object.fromEntries(Array.from(this.#statuses, ([name, status]) => [name, { status }])),
        }),
    };
  }

  /** All names that a status was set for. */
  get names(): Iterable<string> {
    return this.#statuses.keys();
  }

  set(name: string, isServing: boolean): void {
    const status = isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    if (this.#statuses.get(name) === status) return;
    this.#statuses.set(name, status);
    for (const watcher of this.#watchers) if (watcher.request.service === name) watcher.write({ status });
  }

  #check(
    { request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
    callback: sendUnaryData<HealthCheckResponse>,
  ): void {
    const known = this.#statuses.get(request.service);
    if (known !== undefined) callback(null, { status: known });
    else callback({ code: status.NOT_FOUND, details: `this server has no service ${JSON.stringify(request.service)}` });
  }

  #watch(call: Watcher): void {
    this.#watchers.add(call);
    call.on('cancelled', () => this.#watchers.delete(call));
    call.on('close', () => this.#watchers.delete(call));
    call.write({ status: this.#statuses.get(call.request.service) ?? ServingStatus.SERVICE_UNKNOWN });
  }
}
