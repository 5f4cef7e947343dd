// grpc-catalog.ts: the catalog of shop.ts behind real gRPC, which can break a stream between sale and answer.

import { once } from 'node:events';
import net from 'node:net';
import {
  type ConnectionInjector,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import {
  CatalogService,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type RecoverRequest,
  type RecoverResponse,
  type RestoreRequest,
} from '../../proto/gen/toystore/v1/catalog.js';
import { OrderError } from '../../src/order/order-error.js';
import type { TestCatalog } from './shop.js';

type PurchaseStream = ServerDuplexStream<ProcessOrdersRequest, ProcessOrdersResponse>;

export class GrpcCatalog {
  /** Batches that are still to be sold and not answered: the stream ends in their place. */
  breaksLeft = 0;
  readonly requestIds: string[] = [];
  restoredMessages = 0;
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
      recall: (_: object, reply: (error: null, response: object) => void) => reply(null, {}),
      recover: (call: ServerWritableStream<RecoverRequest, RecoverResponse>) => void this.#recover(call),
      restore: (call: AsyncIterable<RestoreRequest>, reply: (error: null, response: object) => void) =>
        void this.#restore(call, reply),
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
    const purchases = request.purchases.map(({ name, quantity, key, requestId }) => {
      this.requestIds.push(requestId);
      return { name: Buffer.from(name).toString(), quantity, key, requestId };
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
    emit(event: string, error: object): void;
  }): Promise<void> {
    const { loggedIncarnation: incarnation, loggedSequence: sequence, store, endedUncleanly } = call.request;
    try {
      const position = { logged: { incarnation, sequence }, store, endedUncleanly };
      const recovery = await this.#catalog.link().recover(position);
      if ('lacking' in recovery) {
        call.write({ incarnation: 0, sales: [], store: recovery.store, lacking: recovery.lacking });
        return call.end();
      }
      // The incarnation first, then a sale in each message: as many messages as it takes.
      const answer = { incarnation: recovery.incarnation, store: recovery.store, lacking: undefined };
      call.write({ ...answer, sales: [] });
      for (const { tag, name, quantity, key } of recovery.sales) {
        call.write({ ...answer, sales: [{ ...tag, name: Buffer.from(name), quantity, key }] });
      }
      call.end();
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      call.emit('error', { code: status.FAILED_PRECONDITION, details: error.message });
    }
  }

  async #restore(call: AsyncIterable<RestoreRequest>, reply: (error: null, response: object) => void): Promise<void> {
    for await (const { store, sales } of call) {
      this.restoredMessages++;
      const sold = sales.map(({ incarnation, sequence, name, quantity, key }) => ({
        tag: { incarnation, sequence },
        name: Buffer.from(name).toString(),
        quantity,
        key,
      }));
      await this.#catalog.link().restore(
        store,
        (async function* () {
          yield sold;
        })(),
      );
    }
    reply(null, {});
  }
}
