// holding-front-end.ts: a front end of the simulated store that holds toys: it shows what a catalog has told it for as long as its
// lease lasts by its own clock, whatever has become of that catalog. It stands for src/frontend/catalog-watch.ts and
// held-toys.ts; finds reach the catalog at once, so that what it is told of later is about what it holds.

import type { HolderMessage, Watch } from '../../src/catalog/holder.js';
import type { SimulatedNetwork } from '../support/simulated-network.js';
import type { SimulatedWorld } from '../support/simulated-world.js';
import type { CatalogHost } from './store-hosts.js';

const RENEW_MS = 100;
/** A stream that is silent for so long is given up. */
const SILENCE_MS = 400;

export class HoldingFrontEnd {
  readonly #held = new Map<string, number>();
  #validUntilMs = 0;
  #holder = 0;
  /** When each renewal of the present stream was sent. */
  #sentAtMs: number[] = [];
  #confirmed = 0;
  #heardAtMs = 0;
  #catalog: CatalogHost | undefined;
  #send: (renewal: number) => void = () => undefined;

  /** @param pick the catalog that serves, as far as the front end can know */
  constructor(
    readonly world: SimulatedWorld,
    readonly network: SimulatedNetwork,
    readonly names: readonly string[],
    readonly pick: () => CatalogHost | undefined,
  ) {
    this.#tick();
  }

  /** What the front end shows; undefined: it has no answer. */
  find(name: string): number | undefined {
    if (this.world.nowMs < this.#validUntilMs && this.#held.has(name)) return this.#held.get(name);
    const catalog = this.#catalog;
    const shown = catalog?.find(name);
    if (shown === undefined) return undefined;
    const found = catalog!.engine!.find([Buffer.from(name)], this.#holder);
    if (found.holdable[0] === true) this.#held.set(name, found.quantities[0]!);
    return shown;
  }

  #tick(): void {
    this.world.after(RENEW_MS, () => this.#tick());
    if (this.world.nowMs > this.#heardAtMs + SILENCE_MS) this.#open();
    this.#sentAtMs.push(this.world.nowMs);
    this.#send(this.#sentAtMs.length);
    for (const name of this.names) this.find(name);
  }

  #open(): void {
    this.#catalog = this.pick();
    this.#heardAtMs = this.world.nowMs;
    this.#sentAtMs = [];
    this.#confirmed = 0;
    this.#holder = 0;
    const engine = this.#catalog?.engine;
    if (engine === undefined) return;
    const { process } = this.#catalog!;
    const [up, down] = [this.network.channel(), this.network.channel()];
    process.onKill(() => {
      up.break();
      down.break();
    });
    let watch: Watch | undefined;
    const send = (renewal: number): void => {
      const confirmed = this.#confirmed;
      up.send(() => {
        watch ??= engine.watch((message) => down.send(() => this.#send === send && this.#receive(message)));
        void watch.receive({ renewal, confirmed, goodbye: false });
      });
    };
    this.#send = send;
  }

  #receive({ holder, leaseMs, renewed, invalidation, names }: HolderMessage): void {
    this.#heardAtMs = this.world.nowMs;
    if (holder !== this.#holder) this.#held.clear();
    this.#holder = holder;
    for (const name of names) this.#held.delete(name.toString());
    if (invalidation > 0) {
      if (names.length === 0) this.#held.clear();
      this.#confirmed = invalidation;
      this.#send(0);
    }
    const sentAtMs = this.#sentAtMs[renewed - 1];
    if (sentAtMs !== undefined) this.#validUntilMs = Math.max(this.#validUntilMs, sentAtMs + leaseMs);
  }
}
