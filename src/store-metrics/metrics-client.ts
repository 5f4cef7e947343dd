// metrics-client.ts: asks another service of the store what it has counted.

import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { MetricsClient as MetricsStub } from '../../proto/gen/toystore/v1/metrics.js';
import type { MetricsSnapshot } from '../metrics/index.js';
import { createChannelOptions } from '../rpc/index.js';

/** Longer than a service waits for its slowest thread, shorter than a scrape: Prometheus gives up after 10 s. */
const GATHER_TIMEOUT_MS = 2_000;

export class MetricsClient {
  readonly #address: () => string;
  readonly #credentials: ChannelCredentials;
  readonly #stubs = new Map<string, MetricsStub>();

  /** @param address host:port of the process that serves, at this moment */
  constructor(address: () => string, channelCredentials: ChannelCredentials = credentials.createInsecure()) {
    this.#address = address;
    this.#credentials = channelCredentials;
  }

  /** All that the service has counted; undefined when it does not answer in time. Never rejects. */
  gather(timeoutMs = GATHER_TIMEOUT_MS): Promise<MetricsSnapshot | undefined> {
    const deadline = Date.now() + timeoutMs;
    return new Promise((resolve) => {
      this.#stub().gather({}, new Metadata(), { deadline }, (error, response) => {
        resolve(error === null ? JSON.parse(Buffer.from(response.snapshot).toString()) : undefined);
      });
    });
  }

  close(): void {
    for (const stub of this.#stubs.values()) stub.close();
  }

  #stub(): MetricsStub {
    const address = this.#address();
    let stub = this.#stubs.get(address);
    if (stub === undefined) {
      stub = new MetricsStub(address, this.#credentials, createChannelOptions());
      this.#stubs.set(address, stub);
    }
    return stub;
  }
}
