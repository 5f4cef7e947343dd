// holder.ts: one front end that holds toys: its stream, and the registrations that it has on it, one after the other. Who
// decides how long they last is in holders.ts.

import type { Timer } from '../clock.js';

/** To a front end, in the words of the interface (WatchResponse). */
export interface HolderMessage {
  readonly holder: number;
  readonly leaseMs: number;
  readonly renewed: number;
  readonly invalidation: number;
  readonly names: readonly Buffer[];
}

/** From a front end, in the words of the interface (WatchRequest). */
export interface HolderRequest {
  readonly renewal: number;
  readonly confirmed: number;
  readonly goodbye: boolean;
}

/** Who gives registrations and ends them. */
export interface Registry {
  /** A new holder, or undefined where none can be had now. */
  register(watch: Watch, renewal: number): Promise<Holder | undefined>;
  /** A message of a holder has come. @returns whether it has renewed the lease */
  renew(holder: Holder, request: HolderRequest): boolean;
  /** Nothing is held by this holder any more. */
  end(holder: Holder): void;
}

/** One registration of a front end. */
export class Holder {
  timer: Timer | undefined;
  isGone = false;
  #endMs = 0;
  #leaseMs = 0;
  #renewal = 0;
  /** Invalidations that are not confirmed, oldest first. */
  readonly #open: { readonly number: number; readonly sentMs: number; readonly resolve: () => void }[] = [];

  constructor(
    readonly number: number,
    readonly slot: number,
    readonly watch: Watch,
  ) {}

  /** When its lease is over, on the monotonic clock. */
  get endMs(): number {
    return this.#endMs;
  }

  /** What it is told of itself. */
  get status(): HolderMessage {
    return { holder: this.number, leaseMs: this.#leaseMs, renewed: this.#renewal, invalidation: 0, names: [] };
  }

  renewed(renewal: number, leaseMs: number, endMs: number): void {
    this.#renewal = renewal;
    this.#leaseMs = leaseMs;
    this.#endMs = Math.max(this.#endMs, endMs);
  }

  /** Infinity if all are confirmed. */
  get oldestUnconfirmedMs(): number {
    return this.#open[0]?.sentMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sends an invalidation; resolves when it is confirmed, or the holder is gone. */
  tell(names: readonly Buffer[], sentMs: number): Promise<void> {
    if (this.isGone) return Promise.resolve();
    const number = this.watch.nextInvalidation();
    return new Promise((resolve) => {
      this.#open.push({ number, sentMs, resolve });
      this.watch.send({ ...this.status, invalidation: number, names });
    });
  }

  confirm(confirmed: number): void {
    while (this.#open.length > 0 && this.#open[0]!.number <= confirmed) this.#open.shift()!.resolve();
  }

  end(): void {
    this.isGone = true;
    this.timer?.cancel();
    this.confirm(Number.POSITIVE_INFINITY);
  }
}

/** One stream of a front end: the registrations that it has, one after the other. */
export class Watch {
  readonly #registry: Registry;
  readonly send: (message: HolderMessage) => void;
  #holder: Holder | undefined;
  #registering: Promise<void> | undefined;
  #isEnded = false;
  #invalidations = 0;

  constructor(registry: Registry, send: (message: HolderMessage) => void) {
    this.#registry = registry;
    this.send = send;
  }

  /**
   * Invalidations are counted over the whole stream: what confirms one of a registration that has ended must not pass for
   * the confirmation of one of the next.
   */
  nextInvalidation(): number {
    return ++this.#invalidations;
  }

  async receive(request: HolderRequest): Promise<void> {
    await this.#registering;
    if (request.goodbye) return this.#sayGoodbye();
    if (this.#holder === undefined || this.#holder.isGone) {
      if (request.renewal === 0) return;
      this.#registering = this.#register(request);
      return this.#registering;
    }
    if (this.#registry.renew(this.#holder, request)) this.send(this.#holder.status);
  }

  /** The stream has ended without a goodbye: what is held is held until the lease is over. */
  end(): void {
    this.#isEnded = true;
  }

  async #register({ renewal }: HolderRequest): Promise<void> {
    const holder = await this.#registry.register(this, renewal);
    this.#holder = holder;
    this.#registering = undefined;
    if (holder === undefined) this.send({ holder: 0, leaseMs: 0, renewed: renewal, invalidation: 0, names: [] });
    else if (this.#isEnded) this.#registry.end(holder);
    else this.send(holder.status);
  }

  #sayGoodbye(): void {
    if (this.#holder !== undefined) this.#registry.end(this.#holder);
    this.#holder = undefined;
  }
}
