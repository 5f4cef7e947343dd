// simulated-link.ts: the order service's link to the catalog over the simulated network. It stands for BatchStream and the
// gRPC service, and keeps their rules: one ordered stream, answered message by message in order; after a break, what is
// unanswered is sent again, in order and before anything new. What was under way on the broken stream may still arrive
// at the catalog, late: gRPC cannot take it back.

import type { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { CatalogError } from '../../src/catalog/catalog-error.js';
import type { CatalogLink, LogPosition, Recovery } from '../../src/order/catalog-link.js';
import { OrderError } from '../../src/order/order-error.js';
import type { OrderRequest, SoldOrder } from '../../src/order/order-types.js';
import type { PurchaseBatch } from '../../src/store-contract.js';
import type { SimulatedChannel, SimulatedNetwork } from '../support/simulated-network.js';
import type { SimulatedProcess } from '../support/simulated-world.js';
import type { CatalogHost } from './store-hosts.js';

interface Call {
  readonly batch: PurchaseBatch<OrderRequest>;
  readonly resolve: (results: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

/** How a stream ends: `refused` is FAILED_PRECONDITION, `lost` is everything after which the stream is opened again. */
type End = 'refused' | 'lost';

const RECONNECT_MS_MAX = 100;
const RECOVER_TIMEOUT_MS = 1000;

export class SimulatedLink implements CatalogLink {
  readonly #unanswered: Call[] = [];
  #stream: Stream | undefined;
  #isConnecting = false;

  constructor(
    readonly process: SimulatedProcess,
    readonly network: SimulatedNetwork,
    readonly catalogs: readonly CatalogHost[],
  ) {}

  /** One that runs, though another may have taken over from it. */
  get catalog(): CatalogHost {
    const running = this.catalogs.filter(({ engine }) => engine !== undefined);
    return running.length > 1 ? this.network.world.random.pick(running) : (running[0] ?? this.catalogs[0]!);
  }

  processOrders(batch: PurchaseBatch<OrderRequest>): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#unanswered.push({ batch, resolve, reject });
      if (this.#stream === undefined) this.#connectSoon();
      else this.#stream.send(batch);
    });
  }

  async restore(store: string, groups: AsyncIterable<readonly SoldOrder[]>): Promise<void> {
    for await (const group of groups) {
      const sales = group.map(({ tag, name, ...sale }) => ({ ...sale, ...tag, name: Buffer.from(name) }));
      await this.#ask((engine) => engine.restore(store, sales));
    }
  }

  recall(): Promise<void> {
    return this.#ask((engine) => engine.recallAll());
  }

  async recover(position: LogPosition): Promise<Recovery> {
    const recovered = await this.#ask((engine) => engine.recover(position));
    const { storeId: store } = recovered;
    if ('lacking' in recovered) return { store, lacking: recovered.lacking };
    const sales = recovered.sales.map(({ name, quantity, key, incarnation, sequence }) => ({
      tag: { incarnation, sequence },
      name: name.toString(),
      quantity,
      key,
    }));
    return { store, incarnation: recovered.incarnation, sales };
  }

  /** A unary call: it may get lost, and come twice. */
  #ask<T>(call: (engine: CatalogEngine) => Promise<T>): Promise<T> {
    const { network, process, catalog } = this;
    return new Promise((resolve, reject) => {
      process.after(RECOVER_TIMEOUT_MS, () => reject(new Error('no answer')));
      network.send(() => {
        if (catalog.engine === undefined) return;
        const reply = (settle: () => void) => network.send(() => process.isAlive && settle());
        call(catalog.engine).then(
          (answer) => reply(() => resolve(answer)),
          (error) => reply(() => reject(asRefusal(error))),
        );
      });
    });
  }

  #connectSoon(): void {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    this.process.after(this.network.world.random.integer(0, RECONNECT_MS_MAX), () => {
      this.#isConnecting = false;
      if (this.catalog.engine === undefined) this.#connectSoon();
      else this.#open();
    });
  }

  #open(): void {
    const stream = new Stream(this.network, this.catalog, {
      onAnswer: (results) => {
        if (this.process.isAlive && this.#stream === stream) this.#unanswered.shift()!.resolve(results);
      },
      onEnd: (end) => {
        if (this.process.isAlive && this.#stream === stream) this.#onEnd(end);
      },
    });
    this.#stream = stream;
    this.process.onKill(() => stream.break());
    for (const { batch } of this.#unanswered) stream.send(batch);
  }

  #onEnd(end: End): void {
    this.#stream = undefined;
    if (end === 'refused') {
      const error = new OrderError('FENCED', 'the catalog sells to a later start');
      for (const call of this.#unanswered.splice(0)) call.reject(error);
    } else if (this.#unanswered.length > 0) this.#connectSoon();
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof CatalogError)) return error;
  if (error.code === 'REPLACED') return new OrderError('FENCED', error.message);
  return error.code === 'BOOKS_DIFFER' ? new OrderError('REFUSED', error.message) : error;
}

interface StreamEvents {
  readonly onAnswer: (results: readonly number[]) => void;
  readonly onEnd: (end: End) => void;
}

/** One connection: requests one way, answers the other. */
class Stream {
  readonly #up: SimulatedChannel;
  readonly #down: SimulatedChannel;
  /** The catalog's process that this stream ends at. */
  readonly #server: SimulatedProcess;
  #answers: Promise<void> = Promise.resolve();

  constructor(
    readonly network: SimulatedNetwork,
    readonly catalog: CatalogHost,
    readonly events: StreamEvents,
  ) {
    this.#up = network.channel();
    this.#down = network.channel();
    this.#server = catalog.process;
    this.#server.onKill(() => this.#lose());
  }

  send(batch: PurchaseBatch<OrderRequest>): void {
    this.#up.send(() => this.#receive(batch));
    const { random } = this.network.world;
    if (random.chance(this.network.faults.breaks)) this.network.world.after(random.integer(0, 5), () => this.#lose());
  }

  /** Both ends learn of it, each in its time. */
  break(): void {
    this.#up.break();
    this.#down.break();
  }

  #lose(): void {
    if (this.#up.isBroken) return;
    this.break();
    this.network.world.after(this.network.wayMs(), () => this.events.onEnd('lost'));
  }

  /** At the catalog: executed as it comes, answered in order. */
  #receive(sent: PurchaseBatch<OrderRequest>): void {
    const { engine, options } = this.catalog;
    if (!this.#server.isAlive || engine === undefined) return;
    const batch = options.seams.batch?.(sent, engine.incarnation) ?? sent;
    const purchases = batch.purchases.map(({ name, quantity, key }) => ({
      name: Buffer.from(name),
      quantity,
      key,
    }));
    const outcomes = engine.purchase({ ...batch, purchases });
    outcomes.catch(() => undefined);
    this.#answers = this.#answers.then(async () => {
      try {
        const results = await outcomes;
        this.#down.send(() => this.events.onAnswer(results));
      } catch (error) {
        const isRefused = error instanceof CatalogError && /^(FOREIGN_INCARNATION|SETTLED_TAG)$/.test(error.code);
        if (isRefused) this.#down.send(() => this.events.onEnd('refused'));
        else this.#lose();
      }
    });
  }
}
