// simulated-network.ts: the order engine's link to a catalog in the simulated world. Messages are late; connections break,
// and what was on them may still arrive, long after it was sent again on another; a sender's death stops nothing that is
// on its way.

import type { CatalogLink, LogPosition, PurchaseBatch, Recovery } from '../../src/order/catalog-link.js';
import { OrderError } from '../../src/order/order-error.js';
import type { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';

/** What the other end makes of a batch: its results, `fenced`, or nothing that could be told. */
export type Delivery = readonly number[] | 'fenced' | 'lost';

/** The catalog at the other end. */
export interface CatalogEnd {
  /** Which of its lives this is. A connection ends with the process that it leads to, and what is on it is gone. */
  readonly life: number;
  /** @param isStray it was sent again since: what comes back reaches nobody */
  process(batch: PurchaseBatch, isStray: boolean): Promise<Delivery>;
  /** Rejects when nobody is there. */
  recover(position: LogPosition): Promise<Recovery>;
}

interface Unanswered {
  readonly batch: PurchaseBatch;
  resolve(results: readonly number[]): void;
  reject(error: Error): void;
}

const BREAK = 0.1;
const STRAY = 0.5;
const NO_CONNECTION = 0.2;
const DELAY_MS_MAX = 5;
const STRAY_DELAY_MS_MAX = 250;

export class SimulatedNetwork {
  /** What the other end must never do, and did. */
  failure: unknown;

  constructor(
    readonly world: SimulatedWorld,
    readonly end: CatalogEnd,
  ) {}

  linkOf(service: SimulatedProcess): CatalogLink {
    /** Oldest first: the same again, in the same order, after each break. */
    const unanswered: Unanswered[] = [];
    let isRunning = false;
    const run = async () => {
      if (isRunning) return;
      isRunning = true;
      for (let next = unanswered[0]; next !== undefined; next = unanswered[0]) {
        const answer = await this.#exchange(service, next.batch);
        if (answer === 'lost') continue;
        unanswered.shift();
        if (answer === 'fenced') next.reject(new OrderError('FENCED', 'fenced'));
        else next.resolve(answer);
      }
      isRunning = false;
    };
    return {
      processOrders: (batch) =>
        new Promise((resolve, reject) => {
          unanswered.push({ batch, resolve, reject });
          run().catch((error: unknown) => {
            this.failure = error;
          });
        }),
      restore: () => Promise.reject(new Error('nothing is lacking')),
      recover: async (position) => {
        await service.sleep(this.#delayMs());
        this.#perhapsFail();
        const recovery = await this.end.recover(position);
        await service.sleep(this.#delayMs());
        this.#perhapsFail();
        return recovery;
      },
    };
  }

  async #exchange(service: SimulatedProcess, batch: PurchaseBatch): Promise<Delivery> {
    const { random } = this.world;
    await service.sleep(this.#delayMs());
    await this.world.sleep(this.#delayMs());
    const answer = await this.end.process(batch, false);
    await service.sleep(this.#delayMs());
    if (!random.chance(BREAK)) return answer;
    if (random.chance(STRAY)) {
      const { life } = this.end;
      this.world.after(random.next() * STRAY_DELAY_MS_MAX, () => {
        if (this.end.life === life) void this.end.process(batch, true);
      });
    }
    return 'lost';
  }

  #perhapsFail(): void {
    if (this.world.random.chance(NO_CONNECTION)) throw new Error('no connection');
  }

  #delayMs(): number {
    return this.world.random.next() * DELAY_MS_MAX;
  }
}
