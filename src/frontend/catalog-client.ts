// catalog-client.ts: one thread's way to the catalog: all finds of a moment in one message of one long-lived stream.

import type { ChannelCredentials } from '@grpc/grpc-js';
import {
  CatalogClient as CatalogStub,
  type FindToysRequest,
  type FindToysResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { BatchStream, type BatchStreamStats, createChannelOptions, RpcError, ServingPeer } from '../rpc/index.js';
import { RESULT } from '../store-contract.js';
import { BatchSpans, type Span, type Tracer } from '../tracing/index.js';

/** What a find shows. */
export interface Toy {
  readonly priceCents: number;
  readonly quantity: number;
  /** Whether the answer may be shown again, under the rules of lease-board.ts. */
  readonly isHoldable: boolean;
}

/** A name; with the request's id and span where it has one. A name alone, the usual case, costs no object. */
type Find = string | NamedFind;

interface NamedFind {
  readonly name: string;
  readonly requestId: string;
  readonly span: Span | undefined;
  /** A key of its own: it shares its place in a message with no other find, for then its id would be lost. */
  readonly key: number;
}

/** One message under way while the next gathers: more would only split the same finds over more messages. */
const FIND_WINDOW_MAX = 1;
/** Names in one message: far above what one thread's connections ask for at a time, far below gRPC's 4 MiB a message. */
const FIND_BATCH_ITEMS_MAX = 4_096;
/** Finds that may wait in a thread before more are refused with 503. */
const FIND_QUEUE_ITEMS_MAX = 65_536;
/** A find is answered within 2 s, if only by 503 or 504: this leaves room for the way there and back. */
const FIND_DEADLINE_MS = 1_500;
/** How long finds ride out a catalog that is away: mostly it is back within a second, started again. */
const FIND_FAIL_FAST_MS = 1_200;

export class CatalogClient {
  readonly #catalog: ServingPeer<CatalogStub>;
  readonly #finds: BatchStream<Find, Toy | undefined, FindToysRequest, FindToysResponse>;
  #namedCount = 0;

  /**
   * @param addresses host:port of each catalog; the one that serves is asked
   * @param holder the number to ask with, looked at for each message; 0: nothing is to be held
   * @param onState told when the service answers, and when it does not or no longer, with the reason
   */
  constructor(
    addresses: readonly string[],
    holder: () => number,
    onState: (isConnected: boolean, reason?: Error) => void,
    tracer: Tracer | undefined,
    channelCredentials?: ChannelCredentials,
  ) {
    const spans = tracer && new BatchSpans<Find>(tracer, 'find batch', 'client', spanOf);
    this.#catalog = new ServingPeer({
      addresses,
      service: 'toystore.v1.Catalog',
      channelCredentials,
      createStub: (address, secured) => new CatalogStub(address, secured, createChannelOptions()),
    });
    this.#finds = new BatchStream({
      open: () => this.#catalog.stub.findToys(),
      pack: (finds) => {
        spans?.begin(finds);
        return requestOf(finds, holder());
      },
      unpack: (response, finds) => {
        spans?.end(finds);
        return toysOf(response);
      },
      keyOf: (find) => (typeof find === 'string' ? find : find.key),
      windowMax: FIND_WINDOW_MAX,
      batchItemsMax: FIND_BATCH_ITEMS_MAX,
      queueItemsMax: FIND_QUEUE_ITEMS_MAX,
      deadlineMs: FIND_DEADLINE_MS,
      failFastMs: FIND_FAIL_FAST_MS,
      onStateChange: onState,
    });
    this.#catalog.onMove(() => this.#finds.reopen('another catalog serves'));
  }

  /** Of several, the one that is asked. */
  get address(): string {
    return this.#catalog.address;
  }

  /** What the health service of that one says; see HealthCheck. */
  isServing(service: string, timeoutMs: number): Promise<boolean> {
    return this.#catalog.isServing(service, timeoutMs);
  }

  /** Whether the catalog answers. */
  get isConnected(): boolean {
    return this.#finds.isConnected;
  }

  /**
   * The toy of that name, undefined if there is none.
   *
   * @param requestId what the request is called in logs; '' if it has no name
   * @throws RpcError when there is no answer in time
   */
  find(name: string, requestId: string, span: Span | undefined): Promise<Toy | undefined> {
    const isNamed = requestId !== '' || span !== undefined;
    return this.#finds.call(isNamed ? { name, requestId, span, key: this.#namedCount++ } : name);
  }

  stats(): BatchStreamStats {
    return this.#finds.stats();
  }

  async close(): Promise<void> {
    await this.#finds.close();
    this.#catalog.close();
  }
}

function requestOf(finds: readonly Find[], holder: number): FindToysRequest {
  let hasIds = false;
  let hasSpans = false;
  const names = finds.map((find) => {
    if (typeof find === 'string') return Buffer.from(find);
    if (find.requestId !== '') hasIds = true;
    if (find.span !== undefined) hasSpans = true;
    return Buffer.from(find.name);
  });
  const requestIds = hasIds ? finds.map((find) => (typeof find === 'string' ? '' : find.requestId)) : [];
  const traceparents = hasSpans ? finds.map((find) => spanOf(find)?.traceparent ?? '') : [];
  return { names, requestIds, holder, traceparents };
}

function spanOf(find: Find): Span | undefined {
  return typeof find === 'string' ? undefined : find.span;
}

function toysOf({ results, pricesCents, quantities, holdable }: FindToysResponse): (Toy | undefined)[] {
  return results.map((result, index) => {
    const priceCents = pricesCents[index];
    const quantity = quantities[index];
    if (priceCents === undefined || quantity === undefined) throw new RpcError('INTERNAL', 'a column is short');
    return result === RESULT.DONE ? { priceCents, quantity, isHoldable: holdable[index] === true } : undefined;
  });
}
