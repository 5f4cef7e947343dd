// grpc-catalog-link.ts: the engine's link to the catalog over gRPC: one ordered stream for all purchases.
//
//   engine ── batch (tags 17..25) ──► BatchStream of src/rpc ── one message ──► Catalog.ProcessOrders
//
// To the BatchStream a whole batch of the engine is one item without a deadline: it sends items in order, and after a break
// sends what is unanswered again, in order and before anything new. That is all that tags need. The catalog answers a
// tag that it has seen before with the outcome it gave before.

import { once } from 'node:events';
import { type ChannelCredentials, type ClientWritableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  CatalogClient,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type Purchase,
  type RecoverResponse,
  type RestoreRequest,
  type Sale,
} from '../../proto/gen/toystore/v1/catalog.js';
import { AwayLine } from '../away-line.js';
import type { Log } from '../log.js';
import { BatchStream, type BatchStreamStats, createChannelOptions, RpcError, ServingPeer } from '../rpc/index.js';
import type { PurchaseBatch, Tag } from '../store-contract.js';
import type { CatalogLink, LogPosition, Recovery } from './catalog-link.js';
import { OrderError } from './order-error.js';
import type { OrderRequest, SoldOrder } from './order-types.js';

/** More than the engine ever has in flight: the engine's own window is the one that counts. */
const BATCHES_MAX = 64;
/** For the whole list of sales. It is short: what was in flight when this service ended. */
const RECOVER_TIMEOUT_MS = 10_000;
/** Whoever asks for an order is answered within 2 s, if only by 503. */
const RECALL_TIMEOUT_MS = 1_200;
/** For all sales that the catalog lost, which may be many. */
const RESTORE_TIMEOUT_MS = 60_000;
/** Names whose bytes are kept: a store has few toys that sell, and encoding a name costs more than looking it up. */
const NAMES_MAX = 4096;

export class GrpcCatalogLink implements CatalogLink {
  readonly #catalog: ServingPeer<CatalogClient>;
  readonly #batches: BatchStream<
    PurchaseBatch<OrderRequest>,
    readonly number[],
    ProcessOrdersRequest,
    ProcessOrdersResponse
  >;
  readonly #names = new Map<string, Buffer>();

  /**
   * @param addresses host:port of each catalog; the one that serves is connected to from now on, again and again
   * @param logger told when the catalog goes away and when it is back
   * @param onStateChange called then
   */
  constructor(
    addresses: readonly string[],
    logger: Log,
    onStateChange: () => void,
    channelCredentials?: ChannelCredentials,
  ) {
    this.#catalog = new ServingPeer({
      addresses,
      service: 'toystore.v1.Catalog',
      channelCredentials,
      createStub: (address, secured) => new CatalogClient(address, secured, createChannelOptions()),
    });
    const line = new AwayLine(logger, 'the catalog', { address: addresses.join() });
    this.#batches = new BatchStream({
      open: () => this.#catalog.stub.processOrders(),
      pack: (batches) => this.#pack(batches[0]!),
      unpack: ({ results }): (readonly number[])[] => [results],
      windowMax: BATCHES_MAX,
      batchItemsMax: 1,
      queueItemsMax: BATCHES_MAX,
      onStateChange: (isConnected, reason) => {
        line.note(isConnected, reason);
        onStateChange();
      },
    });
    this.#catalog.onMove(() => this.#batches.reopen('another catalog serves'));
  }

  async processOrders(batch: PurchaseBatch<OrderRequest>): Promise<readonly number[]> {
    try {
      return await this.#batches.call(batch);
    } catch (error) {
      const cause = RpcError.from(error);
      if (cause.code === 'CANCELLED') throw new OrderError('CLOSED', 'the link to the catalog is closed', { cause });
      if (cause.code === 'FAILED_PRECONDITION') {
        throw new OrderError('FENCED', 'the catalog sells to another order service, or to a later start', { cause });
      }
      throw new OrderError('PROTOCOL', 'the catalog refuses to process orders', { cause });
    }
  }

  recover({ logged, store, endedUncleanly, seatEpoch }: LogPosition): Promise<Recovery> {
    return new Promise((resolve, reject) => {
      let incarnation = 0;
      let catalogStore = '';
      let lacking: Tag | undefined;
      const sales: SoldOrder[] = [];
      const call = this.#catalog.stub.recover(
        { loggedIncarnation: logged.incarnation, loggedSequence: logged.sequence, store, endedUncleanly, seatEpoch },
        { deadline: Date.now() + RECOVER_TIMEOUT_MS },
      );
      call.on('data', (response: RecoverResponse) => {
        incarnation = response.incarnation;
        catalogStore = response.store;
        lacking = response.lacking;
        for (const sale of response.sales) sales.push(soldOrder(sale));
      });
      call.on('error', (error) => reject(refusal(error)));
      call.on('end', () => {
        // After an error this comes too, and changes nothing.
        if (lacking !== undefined) resolve({ store: catalogStore, lacking });
        else if (incarnation > 0) resolve({ store: catalogStore, incarnation, sales });
        else reject(new RpcError('INTERNAL', 'the catalog gave no incarnation'));
      });
    });
  }

  recall(): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + RECALL_TIMEOUT_MS;
      const done = (error: ServiceError | null): void => (error === null ? resolve() : reject(RpcError.from(error)));
      this.#catalog.stub.recall({}, new Metadata(), { deadline }, done);
    });
  }

  async restore(store: string, sales: AsyncIterable<readonly SoldOrder[]>): Promise<void> {
    const [call, done] = this.#openRestore();
    for await (const group of sales) {
      if (call.write({ store, sales: group.map((sale) => this.#sale(sale)) })) continue;
      // Its end comes here too, and then nothing more is taken.
      await Promise.race([once(call, 'drain'), done]);
    }
    call.end();
    await done;
  }

  #openRestore(): [ClientWritableStream<RestoreRequest>, Promise<void>] {
    let call: ClientWritableStream<RestoreRequest> | undefined;
    const done = new Promise<void>((resolve, reject) => {
      call = this.#catalog.stub.restore({ deadline: Date.now() + RESTORE_TIMEOUT_MS }, (error: ServiceError | null) =>
        error === null ? resolve() : reject(refusal(error)),
      );
    });
    done.catch(() => undefined);
    return [call!, done];
  }

  /** Whether the catalog answers. */
  get isConnected(): boolean {
    return this.#batches.isConnected;
  }

  stats(): BatchStreamStats {
    return this.#batches.stats();
  }

  async close(): Promise<void> {
    await this.#batches.close();
    this.#catalog.close();
  }

  #pack(batch: PurchaseBatch<OrderRequest>): ProcessOrdersRequest {
    const { incarnation, firstSequence, settledSequence, holder = 0, recall = false } = batch;
    const purchases = batch.purchases.map((one) => this.#purchase(one));
    return { incarnation, firstSequence, settledSequence, holder, recall, purchases };
  }

  #purchase({ name, quantity, key, requestId, span }: OrderRequest): Purchase {
    return { name: this.#nameBytes(name), quantity, key, requestId, traceparent: span?.traceparent };
  }

  #sale({ tag, name, quantity, key }: SoldOrder): Sale {
    return { ...tag, name: this.#nameBytes(name), quantity, key };
  }

  #nameBytes(name: string): Buffer {
    let bytes = this.#names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name);
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(name, bytes);
    }
    return bytes;
  }
}

function soldOrder({ incarnation, sequence, name, quantity, key }: Sale): SoldOrder {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('utf8');
  return { tag: { incarnation, sequence }, name: text, quantity, key };
}

/** The catalog's own line, where it refuses. */
function refusal(error: unknown): Error {
  const cause = RpcError.from(error);
  if (cause.code === 'ABORTED') return new OrderError('FENCED', cause.message, { cause });
  return cause.code === 'FAILED_PRECONDITION' ? new OrderError('REFUSED', cause.message, { cause }) : cause;
}
