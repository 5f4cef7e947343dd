// grpc-catalog-link.ts: the engine's link to the catalog over gRPC: one ordered stream for all purchases.
//
//   engine ── batch (tags 17..25) ──► BatchStream of src/rpc ── one message ──► Catalog.ProcessOrders
//
// To the BatchStream a whole batch of the engine is one item without a deadline: it sends items in order, and after a break
// sends what is unanswered again, in order and before anything new. That is all that tags need. The catalog answers a
// tag that it has seen before with the outcome it gave before.

import { credentials } from '@grpc/grpc-js';
import {
  CatalogClient,
  type ProcessOrdersRequest,
  type ProcessOrdersResponse,
  type Purchase,
  type RecoverResponse,
  type Sale,
} from '../../proto/gen/toystore/v1/catalog.js';
import { AwayLine } from '../away-line.js';
import type { Log } from '../log.js';
import { BatchStream, type BatchStreamStats, createChannelOptions, RpcError } from '../rpc/index.js';
import type { CatalogLink, PurchaseBatch, Recovery } from './catalog-link.js';
import { OrderError } from './order-error.js';
import type { OrderRequest, SoldOrder, Tag } from './order-types.js';

/** More than the engine ever has in flight: the engine's own window is the one that counts. */
const BATCHES_MAX = 64;
/** For the whole list of sales. It is short: what was in flight when this service ended. */
const RECOVER_DEADLINE_MS = 10_000;
/** Names whose bytes are kept: a store has few toys that sell, and encoding a name costs more than looking it up. */
const NAMES_MAX = 4096;
/** A key that was made up for retries begins with it at the catalog: no customer's key can. */
const MADE_UP = ' ';

export class GrpcCatalogLink implements CatalogLink {
  readonly #stub: CatalogClient;
  readonly #batches: BatchStream<PurchaseBatch, readonly number[], ProcessOrdersRequest, ProcessOrdersResponse>;
  readonly #names = new Map<string, Buffer>();

  /**
   * @param address host:port; it is connected to from now on, again and again
   * @param logger told when the catalog goes away and when it is back
   * @param onConnected called then
   */
  constructor(address: string, logger: Log, onConnected: () => void) {
    this.#stub = new CatalogClient(address, credentials.createInsecure(), createChannelOptions());
    const line = new AwayLine(logger, 'the catalog', { address });
    this.#batches = new BatchStream({
      open: () => this.#stub.processOrders(),
      pack: (batches) => this.#pack(batches[0]!),
      unpack: ({ results }): (readonly number[])[] => [results],
      windowMax: BATCHES_MAX,
      batchItemsMax: 1,
      queueItemsMax: BATCHES_MAX,
      onStateChange: (isConnected, reason) => {
        line.note(isConnected, reason);
        onConnected();
      },
    });
  }

  async processOrders(batch: PurchaseBatch): Promise<readonly number[]> {
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

  recover(logged: Tag): Promise<Recovery> {
    return new Promise((resolve, reject) => {
      let incarnation = 0;
      const sales: SoldOrder[] = [];
      const call = this.#stub.recover(
        { loggedIncarnation: logged.incarnation, loggedSequence: logged.sequence, store: '', endedUncleanly: true },
        { deadline: Date.now() + RECOVER_DEADLINE_MS },
      );
      call.on('data', (response: RecoverResponse) => {
        if (response.lacking !== undefined) {
          reject(new RpcError('FAILED_PRECONDITION', 'the catalog lost sales in a crash that are in the order log'));
          return;
        }
        incarnation = response.incarnation;
        for (const sale of response.sales) sales.push(soldOrder(sale));
      });
      call.on('error', (error) => reject(RpcError.from(error)));
      call.on('end', () => {
        // After an error this comes too, and changes nothing.
        if (incarnation > 0) resolve({ incarnation, sales });
        else reject(new RpcError('INTERNAL', 'the catalog gave no incarnation'));
      });
    });
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
    this.#stub.close();
  }

  #pack({ incarnation, firstSequence, settledSequence, purchases }: PurchaseBatch): ProcessOrdersRequest {
    return { incarnation, firstSequence, settledSequence, purchases: purchases.map((one) => this.#purchase(one)) };
  }

  #purchase({ name, quantity, key, transient, requestId }: OrderRequest): Purchase {
    let bytes = this.#names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name);
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(name, bytes);
    }
    return { name: bytes, quantity, key: transient ? `${MADE_UP}${key}` : key, requestId, transientKey: false };
  }
}

function soldOrder({ incarnation, sequence, name, quantity, key }: Sale): SoldOrder {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('utf8');
  const transient = key.startsWith(MADE_UP);
  return { tag: { incarnation, sequence }, name: text, quantity, key: transient ? key.slice(1) : key, transient };
}
