// shelf-catalog.ts: a catalog that a test holds in its hand: it answers finds, has front ends as holders, and does what it
// is told: says nothing more, cuts the Watch streams, knows no Watch at all. It keeps to the protocol no further than a
// test wants it to: what must be invalidated is for the test to say.

import { once } from 'node:events';
import net from 'node:net';
import { Metadata, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  CatalogService,
  type FindToysRequest,
  type FindToysResponse,
  type WatchRequest,
  type WatchResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { GrpcThread, serveBatches } from '../../src/rpc/index.js';

type FindStream = ServerDuplexStream<FindToysRequest, FindToysResponse>;
type WatchStream = ServerDuplexStream<WatchRequest, WatchResponse>;

const PRICE_CENTS = 1599;

export interface ShelfOptions {
  readonly leaseMs?: number;
  readonly knowsWatch?: boolean;
  /** The number of the first holder; 0: there is no place. */
  readonly holder?: number;
}

export class ShelfCatalog implements AsyncDisposable {
  /** What finds show; a name that is not here is unknown. */
  readonly stock = new Map<string, number>();
  /** Every name that was asked for, with the number that it was asked with. */
  readonly asked: { readonly name: string; readonly holder: number }[] = [];
  /** Every message of every Watch stream. */
  readonly heard: WatchRequest[] = [];
  /** Answers are called holdable. */
  isHoldable = true;
  /** Renewals are answered. */
  isAnswering = true;
  /** The number that the holder has; each new stream gets one more. */
  holder: number;
  readonly #leaseMs: number;
  readonly #thread: GrpcThread;
  readonly #listener: net.Server;
  readonly #streams = new Set<WatchStream>();
  readonly #waiting: { readonly matches: () => boolean; readonly resolve: () => void }[] = [];
  #invalidations = 0;

  private constructor({ leaseMs = 60_000, knowsWatch = true, holder = 1 }: ShelfOptions) {
    this.holder = holder - 1;
    this.#leaseMs = leaseMs;
    const implementation: UntypedServiceImplementation = {
      findToys: (stream: FindStream) => serveBatches(stream, (request) => this.#find(request)),
      ...(knowsWatch ? { watch: (stream: WatchStream) => this.#watch(stream) } : {}),
    };
    this.#thread = new GrpcThread({ services: [{ definition: CatalogService, implementation }] });
    this.#listener = net.createServer({ pauseOnConnect: true }, (socket) => this.#thread.serve(socket));
  }

  static async start(options: ShelfOptions = {}): Promise<ShelfCatalog> {
    const catalog = new ShelfCatalog(options);
    catalog.#listener.listen(0, '127.0.0.1');
    await once(catalog.#listener, 'listening');
    return catalog;
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as net.AddressInfo).port}`;
  }

  get goodbyes(): number {
    return this.heard.filter(({ goodbye }) => goodbye).length;
  }

  timesAsked(name: string): number {
    return this.asked.filter((one) => one.name === name).length;
  }

  /** Resolves when it holds; looked at after each message. */
  until(matches: () => boolean): Promise<void> {
    if (matches()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  /** Takes toys back; no name: all of them. Resolves when every holder has confirmed. */
  async invalidate(...names: string[]): Promise<void> {
    this.#invalidations++;
    const invalidation = this.#invalidations;
    const message = { names: names.map((name) => Buffer.from(name)), invalidation };
    for (const stream of this.#streams) stream.write({ ...this.#status(0), ...message });
    await this.until(() => this.heard.some(({ confirmed }) => confirmed === invalidation));
  }

  /** What its health service says; a standby says no. */
  setServing(isServing: boolean): void {
    this.#thread.setHealth('toystore.v1.Catalog', isServing);
  }

  /** Ends all Watch streams. */
  cutWatches(): void {
    for (const stream of this.#streams) stream.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#thread.close();
  }

  #find({ names, holder }: FindToysRequest): FindToysResponse {
    const texts = names.map((name) => Buffer.from(name).toString());
    this.asked.push(...texts.map((name) => ({ name, holder })));
    const quantities = texts.map((name) => this.stock.get(name));
    this.#look();
    return {
      results: quantities.map((quantity) => (quantity === undefined ? -1 : 0)),
      pricesCents: quantities.map(() => PRICE_CENTS),
      quantities: quantities.map((quantity) => quantity ?? 0),
      // As the real one: another catalog's number holds nothing here, for nobody would tell it of a change.
      holdable: quantities.map(() => this.isHoldable && holder === this.holder),
    };
  }

  #watch(stream: WatchStream): void {
    this.#streams.add(stream);
    stream.sendMetadata(new Metadata());
    let isNew = true;
    stream.on('data', (request: WatchRequest) => {
      if (isNew) this.holder++;
      isNew = false;
      this.heard.push(request);
      if (this.isAnswering) stream.write(this.#status(request.renewal));
      this.#look();
    });
    const end = () => this.#streams.delete(stream);
    stream.on('cancelled', end);
    stream.on('end', () => {
      end();
      stream.end();
    });
  }

  #status(renewed: number): WatchResponse {
    return { holder: this.holder, leaseMs: this.#leaseMs, renewed, invalidation: 0, names: [] };
  }

  #look(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.matches()) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}
