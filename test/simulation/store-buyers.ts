// store-buyers.ts: buyers who insist: each order is asked for again under its key until there is an answer, and then a
// few times more, to see whether the answer stays the same. What they were told goes into the notes, for the books.

import { RESULT } from '../../src/store-contract.js';
import type { SimulatedNetwork } from '../support/simulated-network.js';
import type { SimulatedWorld } from '../support/simulated-world.js';
import type { BookRow } from './store-books.js';
import type { CatalogHost, OrderHost, Seams } from './store-hosts.js';

/** One order that a buyer wants. */
export interface Intent {
  readonly key: string;
  readonly name: string;
  readonly quantity: number;
  /** The number that the buyer was given. */
  number?: number;
  /** The buyer was told that nothing was sold, when no other copy of the order was under way. */
  isRefused?: boolean;
}

export interface Market {
  readonly world: SimulatedWorld;
  readonly network: SimulatedNetwork;
  readonly catalog: CatalogHost;
  readonly order: OrderHost;
  readonly seams: Seams;
  readonly stock: ReadonlyMap<string, number>;
  /** A power failure may take what was answered, from both books alike: synced now and then, that is what is promised. */
  readonly mayLose: boolean;
  /** What everybody shows who can be asked, where that is not the catalog alone; undefined: no answer. */
  readonly show?: (name: string) => readonly (number | undefined)[];
  /** The orders, where they are in no file. */
  readonly rows?: () => readonly BookRow[];
}

interface Reply {
  readonly result: number;
  readonly number: number;
}

const REPLY_TIMEOUT_MS = 2000;
const TIMEOUT_MS = 1500;

/** All that was told to anybody. */
export class Notes {
  readonly intents: Intent[] = [];
  /** The lowest quantity that a query has shown, by toy. */
  readonly lowest = new Map<string, number>();
  queries = 0;

  /** What a query that starts now may show of a toy, at most. */
  highestAllowed(market: Market, name: string): number {
    let left = market.stock.get(name)!;
    for (const intent of this.intents) {
      if (intent.name === name && intent.number !== undefined) left -= intent.quantity;
    }
    return Math.min(left, this.lowest.get(name) ?? left);
  }
}

/** Buys `count` orders, one after the other. Resolves when each has a final answer. */
export async function buy(market: Market, notes: Notes, buyer: number, count: number): Promise<void> {
  const { world } = market;
  const names = [...market.stock.keys(), 'Unicorn'];
  for (let index = 0; index < count; index++) {
    const intent: Intent = {
      key: `buyer-${buyer}-${notes.intents.length}`,
      name: world.random.chance(0.05) ? 'Unicorn' : world.random.pick(names),
      quantity: world.random.integer(1, 3),
    };
    notes.intents.push(intent);
    await new Purchase(market, notes, intent).insist();
    if (world.random.chance(0.5)) await query(market, notes, intent.name);
    await world.sleep(world.random.integer(0, 30));
  }
}

/** Looks at a toy and compares with all that is known of it. */
export async function query(market: Market, notes: Notes, name: string): Promise<void> {
  if (!market.stock.has(name)) return;
  const { network, world, catalog } = market;
  const allowed = notes.highestAllowed(market, name);
  const shown = await new Promise<readonly number[]>((resolve) => {
    world.after(REPLY_TIMEOUT_MS, () => resolve([]));
    network.send(() => {
      const found = (market.show?.(name) ?? [catalog.find(name)]).filter((quantity) => quantity !== undefined);
      if (found.length > 0) network.send(() => resolve(found));
    });
  });
  if (market.mayLose) return;
  for (const quantity of shown) {
    notes.queries++;
    if (quantity > allowed) throw new Error(`a query showed ${quantity} of ${name}, after ${allowed} was known`);
    notes.lowest.set(name, Math.min(quantity, notes.lowest.get(name) ?? quantity));
  }
}

class Purchase {
  #attempts = 0;
  /** Copies of requests and answers that are under way or being worked on. */
  #copies = 0;

  constructor(
    readonly market: Market,
    readonly notes: Notes,
    readonly intent: Intent,
  ) {}

  async insist(): Promise<void> {
    const { intent } = this;
    const { world } = this.market;
    while (true) {
      const reply = await this.#ask(intent.quantity);
      if (reply?.result === RESULT.DONE) return this.#isTold(reply.number);
      if (reply?.result === RESULT.UNKNOWN_TOY || reply?.result === RESULT.NOT_ENOUGH_STOCK) {
        if (this.#copies === 0) intent.isRefused = true;
        return;
      }
      if (reply?.result === RESULT.KEY_TAKEN) throw new Error(`${intent.key} is taken, but nobody else has it`);
      await world.sleep(world.random.integer(1, 200));
    }
  }

  /** Asks once more with the same order, and with another one. */
  async #isTold(number: number): Promise<void> {
    const { intent } = this;
    const { random } = this.market.world;
    intent.number = number;
    if (this.market.mayLose) return;
    if (random.chance(0.3)) {
      const again = await this.#ask(intent.quantity);
      if (again?.result === RESULT.DONE && again.number !== number) {
        throw new Error(`${intent.key} got number ${number}, and then ${again.number}`);
      }
      if (again !== undefined) this.#expect(again, [RESULT.DONE, RESULT.NOT_SELLING, RESULT.OPEN]);
    }
    if (random.chance(0.2)) {
      const other = await this.#ask(intent.quantity + 1);
      if (other !== undefined) this.#expect(other, [RESULT.KEY_TAKEN, RESULT.NOT_SELLING, RESULT.OPEN]);
    }
  }

  #expect({ result }: Reply, results: readonly number[]): void {
    if (!results.includes(result)) throw new Error(`${this.intent.key}, sold before, got result ${result}`);
  }

  /** One request over the network; undefined if no answer comes. */
  #ask(quantity: number): Promise<Reply | undefined> {
    const { network, world, order, seams } = this.market;
    const { key, name } = this.intent;
    const attempt = ++this.#attempts;
    const request = {
      name,
      quantity,
      key: seams.key?.(key, attempt) ?? key,
      requestId: '',
    };
    return new Promise((resolve) => {
      world.after(REPLY_TIMEOUT_MS, () => resolve(undefined));
      this.#copies += network.send(() => {
        const { engine, process } = order;
        let isOpen = true;
        const close = () => {
          if (isOpen) this.#copies--;
          isOpen = false;
        };
        if (engine === undefined) return close();
        // What a dead service was working on, only recovery may finish.
        process.onKill(close);
        engine.place([request], TIMEOUT_MS).then(({ results, numbers }) => {
          close();
          network.send(() => resolve({ result: results[0]!, number: numbers[0]! }));
        });
      });
    });
  }
}
