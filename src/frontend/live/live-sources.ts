// live-sources.ts: what the page's readings are made from: each second one message to each service of the store, for the
// figures that the page shows and for no others; and the toys, when some have been sold. To gather what /metrics shows
// takes 23 ms of CPU, this 4 of them.

import { type ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { CatalogClient as CatalogStub } from '../../../proto/gen/toystore/v1/catalog.js';
import {
  type FollowRequest,
  type FollowResponse,
  MetricsClient as MetricsStub,
} from '../../../proto/gen/toystore/v1/metrics.js';
import type { LiveToys } from '../../live-figures.js';
import type { FamilyNames, MetricsSnapshot } from '../../metrics/index.js';
import { BatchStream, createChannelOptions, ServingPeer } from '../../rpc/index.js';
import { storeSnapshot } from '../../store-metrics/metrics-page.js';
import type { AwayBoard } from '../away-board.js';
import type { BackendAddresses } from '../backends.js';
import type { LiveSources } from './live-reader.js';
import { LIVE_METRICS, METRIC } from './live-reading.js';

/** Toys that the page shows: more than anybody looks through. */
const TOYS_MAX = 100;
/** A service that does not tell its toys or its metrics within this is away, for the page. */
const ANSWER_TIMEOUT_MS = 900;
/** So is one whose stream is down for so long: it is told of by the next reading. */
const DOWN_MS = 500;
/** A sale is counted before its stock is shown: for so many readings after it the toys are asked for. */
const READINGS_AFTER_SALE = 2;
/** What changes toys and is no sale (a catalog that was started with another file) is seen within so many readings. */
const READINGS_MAX = 5;

/** How one process of a service is asked, over one connection. The order service has no toys, and is not asked for them. */
class Peer {
  readonly toys: CatalogStub;
  readonly metrics: MetricsStub;

  constructor(address: string, channelCredentials: ChannelCredentials) {
    this.toys = new CatalogStub(address, channelCredentials, createChannelOptions());
    this.metrics = new MetricsStub(address, channelCredentials, { channelOverride: this.toys.getChannel() });
  }

  close(): void {
    this.toys.close();
  }
}

/** The one process of a service that serves. */
class FollowedService {
  readonly #peer: ServingPeer<Peer>;
  readonly #figures: BatchStream<FamilyNames, MetricsSnapshot, FollowRequest, FollowResponse>;

  constructor(
    readonly service: string,
    name: string,
    addresses: readonly string[],
    channelCredentials: ChannelCredentials,
  ) {
    const createStub = (address: string): Peer => new Peer(address, channelCredentials);
    this.#peer = new ServingPeer({ addresses, service: name, channelCredentials, createStub });
    this.#figures = new BatchStream({
      open: () => this.#peer.stub.metrics.follow(),
      pack: (wanted) => ({ names: wanted.flat() }),
      unpack: ({ snapshot }) => [JSON.parse(Buffer.from(snapshot).toString())],
      ...{ windowMax: 1, batchItemsMax: 1, queueItemsMax: 1 },
      deadlineMs: ANSWER_TIMEOUT_MS,
      failFastMs: DOWN_MS,
    });
    this.#peer.onMove(() => this.#figures.reopen('another process serves'));
  }

  gather(names: FamilyNames = []): Promise<MetricsSnapshot | undefined> {
    return this.#figures.call(names).catch(() => undefined);
  }

  toys(): Promise<LiveToys | undefined> {
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    const asked = new Promise<LiveToys | undefined>((resolve) => {
      this.#peer.stub.toys.listToys({ limit: TOYS_MAX }, new Metadata(), { deadline }, (error, response) => {
        resolve(error === null ? response : undefined);
      });
    });
    return asked.catch(() => undefined); // a stub that was closed throws
  }

  close(): void {
    void this.#figures.close();
    this.#peer.close();
  }
}

export class StoreSources implements LiveSources {
  readonly #own: (names?: FamilyNames) => Promise<MetricsSnapshot>;
  readonly #board: AwayBoard;
  readonly #catalog: FollowedService;
  readonly #order: FollowedService;
  #sold = -1;
  #readingsSinceSale = 0;

  /**
   * @param own the metrics of this front end
   * @param board where its threads note what they miss
   */
  constructor(
    addresses: BackendAddresses,
    own: (names?: FamilyNames) => Promise<MetricsSnapshot>,
    board: AwayBoard,
    channelCredentials: ChannelCredentials,
  ) {
    this.#own = own;
    this.#board = board;
    this.#catalog = new FollowedService('catalog', 'toystore.v1.Catalog', addresses.catalog, channelCredentials);
    this.#order = new FollowedService('order', 'toystore.v1.Order', addresses.order, channelCredentials);
  }

  metrics(): Promise<MetricsSnapshot> {
    const frontend = { service: 'frontend', gather: this.#own };
    return storeSnapshot([frontend, this.#catalog, this.#order], LIVE_METRICS);
  }

  async toys(metrics: MetricsSnapshot): Promise<LiveToys | undefined> {
    const counts = metrics.find(({ name }) => name === METRIC.sold);
    if (counts === undefined) return undefined;
    const sold = counts.values.reduce((sum, { value }) => sum + value, 0);
    this.#readingsSinceSale = sold === this.#sold ? this.#readingsSinceSale + 1 : 0;
    this.#sold = sold;
    const isDue = this.#readingsSinceSale <= READINGS_AFTER_SALE || this.#readingsSinceSale % READINGS_MAX === 0;
    return isDue ? this.#catalog.toys() : undefined;
  }

  takeAway(): ReadonlySet<string> {
    return this.#board.takeAway();
  }

  close(): void {
    this.#catalog.close();
    this.#order.close();
  }
}
