// grpc-catalog.ts: the catalog of shop.ts behind real gRPC, which can break a stream between sale and answer.

import { once } from 'node:events';
import net from 'node:net';
import {
  type ConnectionInjector,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import {
  CatalogService,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type RecoverRequest,
  type RecoverResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { OrderError } from '../../src/order/order-error.js';
import type { TestCatalog } from './shop.js';

type PurchaseStream = ServerDuplexStream<ProcessOrdersRequest, ProcessOrdersResponse>;

export class GrpcCatalog {
  /** Batches that are still to be sold and not answered: the stream ends in their place. */
  breaksLeft = 0;
  readonly requestIds: string[] = [];
  readonly #catalog: TestCatalog;
  readonly #listener = net.createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<net.Socket>();
  readonly #injector: ConnectionInjector;
  /** Connections are ended at once. The port stays taken: a free one could become another test's. */
  #isAway = false;

  constructor(catalog: TestCatalog) {
    this.#catalog = catalog;
    const server = new Server();
    const unused = () => {};
    server.addService(CatalogService, {
      findToy: unused,
      findToys: unused,
      processOrder: unused,
      processOrders: (stream: PurchaseStream) => this.#serve(stream),
      recover: (call: { request: RecoverRequest; write(response: RecoverResponse): void; end(): void }) =>
        void this.#recover(call),
    });
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as net.AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#listener.listen(0, '127.0.0.1');
    await once(this.#listener, 'listening');
  }

  /** Gone, without a farewell, until it comes back. */
  leave(): void {
    this.#isAway = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  comeBack(): void {
    this.#isAway = false;
  }

  close(): void {
    this.leave();
    this.#listener.close();
  }

  #accept(socket: net.Socket): void {
    if (this.#isAway) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    this.#injector.injectConnection(socket);
  }

  #serve(stream: PurchaseStream): void {
    stream.sendMetadata(new Metadata());
    // One batch after the other: the next is read when the one before is answered.
    void (async () => {
      for await (const request of stream as AsyncIterable<ProcessOrdersRequest>) {
        const { results, error } = await this.#process(request);
        if (this.breaksLeft > 0) {
          this.breaksLeft--;
          stream.emit('error', { code: status.UNAVAILABLE, details: 'broken by the test' });
          return;
        }
        if (error !== undefined) stream.emit('error', { code: status.FAILED_PRECONDITION, details: error.message });
        else if (!stream.write({ results })) await once(stream, 'drain');
      }
      stream.end();
    })().catch(() => {});
  }

  async #process(request: ProcessOrdersRequest): Promise<{ results: number[]; error?: OrderError }> {
    const purchases = request.purchases.map(({ name, quantity, key, requestId, transientKey }) => {
      this.requestIds.push(requestId);
      return { name: Buffer.from(name).toString(), quantity, key, requestId, transient: transientKey };
    });
    try {
      return { results: [...(await this.#catalog.link().processOrders({ ...request, purchases }))] };
    } catch (error) {
      if (error instanceof OrderError) return { results: [], error };
      throw error;
    }
  }

  async #recover(call: {
    request: RecoverRequest;
    write(response: RecoverResponse): void;
    end(): void;
  }): Promise<void> {
    const { loggedIncarnation: incarnation, loggedSequence: sequence } = call.request;
    const recovery = await this.#catalog.link().recover({ incarnation, sequence });
    const sales = recovery.sales.map(({ tag, name, quantity, key, transient }) => ({
      ...tag,
      name: Buffer.from(name),
      quantity,
      key,
      transientKey: transient,
    }));
    // The incarnation first, then a sale in each message: as many messages as it takes.
    call.write({ incarnation: recovery.incarnation, sales: [], store: '', lacking: undefined });
    for (const sale of sales)
      call.write({ incarnation: recovery.incarnation, sales: [sale], store: '', lacking: undefined });
    call.end();
  }
}
