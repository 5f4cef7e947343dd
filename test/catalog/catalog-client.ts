// catalog-client.ts: the catalog's calls through a stock grpc-js client, as promises.

import { credentials, type ServiceError } from '@grpc/grpc-js';
import {
  CatalogClient,
  type FindToyResponse,
  type FindToysResponse,
  type ListToysResponse,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type RecoverResponse,
  type Sale,
  type WatchResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import type { Purchase } from '../../src/catalog/catalog-seller.js';
import type { PurchaseBatch } from '../../src/store-contract.js';

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

  list(limit: number): Promise<ListToysResponse> {
    return new Promise((resolve, reject) => {
      this.client.listToys({ limit }, (error, answer) => (error ? reject(error) : resolve(answer)));
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

  /** Registers as a front end that holds toys; resolves with its first answer. */
  async watch(): Promise<WatchStream> {
    const stream = new WatchStream(this.client);
    stream.send();
    await stream.next();
    return stream;
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

  send(batch: PurchaseBatch<Purchase>): Promise<number[]> {
    const request: ProcessOrdersRequest = {
      holder: 0,
      recall: false,
      ...batch,
      purchases: batch.purchases.map((purchase) => ({
        ...purchase,
        name: Buffer.from(purchase.name),
        requestId: '',
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

/** One Watch stream, and finds under the number that it was given. */
export class WatchStream {
  readonly messages: WatchResponse[] = [];
  readonly #client: CatalogClient;
  readonly #stream: ReturnType<CatalogClient['watch']>;
  #onMessage: () => void = () => undefined;
  #read = 0;
  #renewal = 0;

  constructor(client: CatalogClient) {
    this.#client = client;
    this.#stream = client.watch();
    this.#stream.on('error', () => undefined);
    this.#stream.on('data', (message: WatchResponse) => {
      this.messages.push(message);
      this.#onMessage();
    });
  }

  get holder(): number {
    return this.messages.at(-1)?.holder ?? 0;
  }

  send(confirmed = 0, goodbye = false): void {
    this.#stream.write({ renewal: ++this.#renewal, confirmed, goodbye });
  }

  /** The next message that was not read yet. */
  async next(): Promise<WatchResponse> {
    while (this.messages.length <= this.#read) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
    return this.messages[this.#read++]!;
  }

  find(...names: string[]): Promise<FindToysResponse> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.findToys();
      stream.on('data', (answer: FindToysResponse) => {
        resolve(answer);
        stream.end();
      });
      stream.on('error', reject);
      stream.write({
        names: names.map((name) => Buffer.from(name)),
        requestIds: [],
        holder: this.holder,
        traceparents: [],
      });
    });
  }

  cut(): void {
    this.#stream.cancel();
  }
}
