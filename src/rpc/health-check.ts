// health-check.ts: asks a peer's standard health service.
//
// Protocol: https://github.com/grpc/grpc/blob/master/doc/health-checking.md

import {
  type Client,
  type ClientUnaryCall,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import { createChannelOptions } from './grpc-channel.js';

interface HealthStub extends Client {
  check(
    request: { service: string },
    options: { deadline: number },
    callback: (error: ServiceError | null, response?: { status: string | number }) => void,
  ): ClientUnaryCall;
}

const HealthStub = makeGenericClientConstructor(service, 'grpc.health.v1.Health') as unknown as {
  new (...args: ConstructorParameters<typeof Client>): HealthStub;
};

/** ServingStatus.SERVING of grpc.health.v1, by name and by number. */
const SERVING: readonly (string | number | undefined)[] = ['SERVING', 1];

/** One peer's health, over a channel of its own. */
export class HealthCheck {
  readonly #stub: HealthStub;

  /** @param address host:port */
  constructor(address: string) {
    this.#stub = new HealthStub(address, credentials.createInsecure(), createChannelOptions());
  }

  /**
   * Whether the peer says, within `timeoutMs`, that `serviceName` is served. No answer is a no; never rejects.
   *
   * @param serviceName as `toystore.v1.Catalog`; empty: the whole server
   */
  isServing(serviceName: string, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#stub.check({ service: serviceName }, { deadline: Date.now() + timeoutMs }, (error, response) => {
        resolve(error === null && SERVING.includes(response?.status));
      });
    });
  }

  close(): void {
    this.#stub.close();
  }
}
