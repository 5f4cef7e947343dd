// health-check.ts: asks a peer's standard health service.
//
// Protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md

import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { HealthCheckResponse_ServingStatus, HealthClient } from '../../proto/gen/grpc/health/v1/health.js';
import { createChannelOptions } from './grpc-channel.js';

/** One peer's health, over a channel of its own. */
export class HealthCheck {
  readonly #stub: HealthClient;

  /** @param address host:port */
  constructor(address: string, channelCredentials: ChannelCredentials = credentials.createInsecure()) {
    this.#stub = new HealthClient(address, channelCredentials, createChannelOptions());
  }

  /**
   * Whether the peer says, within `timeoutMs`, that `serviceName` is served. No answer is a no; never rejects.
   *
   * @param serviceName as `toystore.v1.Catalog`; empty: the whole server
   */
  isServing(serviceName: string, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#stub.check(
        { service: serviceName },
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          resolve(error === null && response.status === HealthCheckResponse_ServingStatus.SERVING);
        },
      );
    });
  }

  close(): void {
    this.#stub.close();
  }
}
