// catalog-client.ts: the catalog's calls through a stock grpc-js client, as promises.

import { credentials, type ServiceError } from '@grpc/grpc-js';
import {
  CatalogClient,
  type FindToyResponse,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type RecoverResponse,
  type Sale,
} from '../../proto/gen/toystore/v1/catalog.js';
import type { PurchaseBatch } from '../../src/catalog/catalog-seller.js';

export class StockClient implements Disposable {
  readonly client: CatalogClient;

  constructor(address: string) {
    // A connection of its own for each client.
    this.client = new CatalogClient(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  }

  find(name: string): Promise<FindToyResponse> {
    return new Promise((resolve, reject) => {
      this.client.findToy({ name }, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  /** The stock of a toy; -1: there is no such toy. */
  async quantityOf(name: string): Promise<number> {
    return (await this.find(name)).toy?.quantity ?? -1;
  }

  order(name: string, quantity: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.client.processOrder({ name, quantity }, (error, answer) => (error ? reject(error) : resolve(answer.result)));
    });
  }

  recover(incarnation: number, sequence: number): Promise<{ incarnation: number; sales: Sale[]; messages: number }> {
    return new Promise((resolve, reject) => {
      const messages: RecoverResponse[] = [];
      this.client
        .recover({ loggedIncarnation: incarnation, loggedSequence: sequence, store: '', endedUncleanly: true })
        .on('data', (message: RecoverResponse) => messages.push(message))
        .on('error', reject)
        .on('end', () => {
          // It ends after an error too.
          const incarnation = messages[0]?.incarnation;
          if (incarnation === undefined) return;
          resolve({ incarnation, sales: messages.flatMap((message) => message.sales), messages: messages.length });
        });
    });
  }

  /** A stream of purchases. */
  purchases(): PurchaseStream {
    return new PurchaseStream(this.client);
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** One ProcessOrders stream: answers in the order of the requests; all open ones fail with the stream. */
export class PurchaseStream {
  readonly #stream: ReturnType<CatalogClient['processOrders']>;
  readonly #waiting: { resolve: (results: number[]) => void; reject: (error: ServiceError) => void }[] = [];

  constructor(client: CatalogClient) {
    this.#stream = client.processOrders();
    this.#stream.on('data', ({ results }: ProcessOrdersResponse) => this.#waiting.shift()?.resolve(results));
    this.#stream.on('error', (error: ServiceError) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  send(batch: PurchaseBatch): Promise<number[]> {
    const request: ProcessOrdersRequest = {
      ...batch,
      purchases: batch.purchases.map((purchase) => ({
        ...purchase,
        name: Buffer.from(purchase.name),
        requestId: '',
        transientKey: false,
      })),
    };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#stream.write(request);
    });
  }

  end(): void {
    this.#stream.end();
  }
}
