// live-sources.ts: what the page's readings are made from: one question to each service of the store, for the figures that
// the page shows and for no others. All over /metrics cost 23 ms of CPU a second; these cost 3.

import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { CatalogClient as CatalogStub } from '../../../proto/gen/toystore/v1/catalog.js';
import { MetricsClient as MetricsStub } from '../../../proto/gen/toystore/v1/metrics.js';
import type { LiveToys } from '../../live-figures.js';
import type { FamilyNames, MetricsSnapshot } from '../../metrics/index.js';
import { createChannelOptions, ServingPeer } from '../../rpc/index.js';
import { gatherFrom } from '../../store-metrics/metrics-client.js';
import { type MetricsSource, storeSnapshot } from '../../store-metrics/metrics-page.js';
import type { AwayBoard } from '../away-board.js';
import type { BackendAddresses } from '../backends.js';
import type { LiveSources } from './live-reader.js';
import { LIVE_METRICS } from './live-reading.js';

/** Toys that the page shows: more than anybody looks through. */
const TOYS_MAX = 100;
/** A service that does not tell its toys or its metrics within this is away, for the page. */
const ANSWER_TIMEOUT_MS = 900;

/** How one process of a service is asked: both stubs share a connection. The order service has no toys, and is not asked. */
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

export class StoreSources implements LiveSources {
  readonly #board: AwayBoard;
  readonly #catalog: ServingPeer<Peer>;
  readonly #order: ServingPeer<Peer>;
  readonly #metrics: readonly MetricsSource[];

  /**
   * @param own the metrics of this front end
   * @param board where its threads note what they miss
   */
  constructor(
    addresses: BackendAddresses,
    own: (names?: FamilyNames) => Promise<MetricsSnapshot>,
    board: AwayBoard,
    channelCredentials: ChannelCredentials = credentials.createInsecure(),
  ) {
    const createStub = (address: string): Peer => new Peer(address, channelCredentials);
    this.#board = board;
    this.#catalog = new ServingPeer({ addresses: addresses.catalog, service: 'toystore.v1.Catalog', createStub });
    this.#order = new ServingPeer({ addresses: addresses.order, service: 'toystore.v1.Order', createStub });
    this.#metrics = [
      { service: 'frontend', gather: own },
      { service: 'catalog', gather: (...wanted) => gatherFrom(this.#catalog.stub.metrics, ...wanted) },
      { service: 'order', gather: (...wanted) => gatherFrom(this.#order.stub.metrics, ...wanted) },
    ];
  }

  metrics(): Promise<MetricsSnapshot> {
    return storeSnapshot(this.#metrics, LIVE_METRICS, ANSWER_TIMEOUT_MS);
  }

  toys(): Promise<LiveToys | undefined> {
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    return new Promise((resolve) => {
      this.#catalog.stub.toys.listToys({ limit: TOYS_MAX }, new Metadata(), { deadline }, (error, response) => {
        resolve(error === null ? response : undefined);
      });
    });
  }

  takeAway(): ReadonlySet<string> {
    return this.#board.takeAway();
  }

  close(): void {
    this.#catalog.close();
    this.#order.close();
  }
}
