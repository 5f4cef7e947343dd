// backends.ts: what one thread of the front end talks to, and whether it answers: this thread, and all the others.

import type { ChannelCredentials } from '@grpc/grpc-js';
import { MetricsClient } from '../store-metrics/metrics-client.js';
import type { Tracer } from '../tracing/index.js';
import type { AwayBoard, Backend } from './away-board.js';
import { CatalogClient } from './catalog-client.js';
import type { HeldToys } from './held-toys.js';
import { OrderClient } from './order-client.js';

/** host:port of each process of each service. */
export type BackendAddresses = Readonly<Record<Backend, readonly string[]>>;

/** How long `/readyz` waits for a backend's own word. */
const HEALTH_TIMEOUT_MS = 1_000;
/** What each service calls the state of being able to sell: queries may well go on without it. */
const SELLING = { catalog: 'toystore.v1.Catalog/sell', order: 'toystore.v1.Order/sell' } as const;

/** Told when a backend answers, and when it does not or no longer, with the reason. */
export type OnBackendState = (backend: Backend, isConnected: boolean, reason?: Error) => void;

export class Backends {
  readonly catalog: CatalogClient;
  readonly orders: OrderClient;
  /** What each backend has counted. */
  readonly metrics: { readonly catalog: MetricsClient; readonly order: MetricsClient };
  readonly #board: AwayBoard;

  /**
   * @param board where all threads note what they miss: `onState` must do so for this one
   * @param held the toys that this thread holds; undefined: it holds none
   */
  constructor(
    addresses: BackendAddresses,
    board: AwayBoard,
    held: HeldToys | undefined,
    onState: OnBackendState,
    tracer: Tracer | undefined,
    channelCredentials: ChannelCredentials,
  ) {
    this.#board = board;
    this.catalog = new CatalogClient(
      addresses.catalog,
      () => held?.holder ?? 0,
      (...state) => onState('catalog', ...state),
      tracer,
      channelCredentials,
    );
    this.orders = new OrderClient(
      addresses.order,
      held,
      (...state) => onState('order', ...state),
      tracer,
      channelCredentials,
    );
    this.metrics = {
      catalog: new MetricsClient(() => this.catalog.address, channelCredentials),
      order: new MetricsClient(() => this.orders.address, channelCredentials),
    };
  }

  /** The backends that cannot do their work now: empty when every thread's finds are answered and orders are sold. */
  async unready(): Promise<string[]> {
    const [catalogSells, orderSells] = await Promise.all([
      this.catalog.isServing(SELLING.catalog, HEALTH_TIMEOUT_MS),
      this.orders.isServing(SELLING.order, HEALTH_TIMEOUT_MS),
    ]);
    const unready = [];
    if (!catalogSells || !this.catalog.isConnected || this.#board.isAway('catalog')) unready.push('catalog');
    if (!orderSells || !this.orders.isConnected || this.#board.isAway('order')) unready.push('order');
    return unready;
  }

  async close(): Promise<void> {
    await Promise.all([this.catalog.close(), this.orders.close()]);
    this.metrics.catalog.close();
    this.metrics.order.close();
  }
}
