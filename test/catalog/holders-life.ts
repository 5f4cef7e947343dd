// holders-life.ts: front ends that hold toys, and a catalog that dies and comes back, in the simulated world, from one seed.
// Messages take their time, each stream keeps their order; front ends die, fall silent, and have clocks of their own speed.
//
// What must hold at every step: a query shows no more of a toy than any query before it has shown, or than an order that
// was answered before it has left. (Nothing adds to a stock here.)

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import type { HolderMessage, HolderRequest, Watch } from '../../src/catalog/holder.js';
import { NO_TAG, type Tag } from '../../src/store-contract.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';

const NAMES = ['Tux', 'Whale', 'Fox'];
const STOCK = 1_000;
const SEED = Buffer.from(`name,price,quantity\n${NAMES.map((name) => `${name},19.5,${STOCK}\n`).join('')}`);
const LEASE_MS = 200;
const LIFE_MS = 4_000;
const WAY_MS_MAX = 30;
/** Clocks of front ends run slower than the catalog's by this part at most. */
const CLOCK_ERROR = 0.05;

/** One life; throws what did not hold. Returns how many queries were answered from what was held. */
export async function holdersLive(seed: number): Promise<number> {
  const world = new SimulatedWorld(seed);
  const shop = new Shop(world);
  await world.run(shop.live());
  return shop.hits;
}

class Shop {
  hits = 0;
  engine: CatalogEngine | undefined;
  /** Changes with each start of the catalog: streams of before lead nowhere. */
  generation = 0;
  readonly disk: SimulatedDisk;
  readonly #known = NAMES.map(() => STOCK);
  readonly #answered = NAMES.map(() => 0);
  #process: SimulatedProcess;
  #isOver = false;

  constructor(readonly world: SimulatedWorld) {
    this.disk = new SimulatedDisk(world);
    this.disk.put('/seed.csv', SEED);
    this.#process = new SimulatedProcess(world);
  }

  async live(): Promise<void> {
    await this.#start();
    const frontEnds = [new FrontEnd(this), new FrontEnd(this), new FrontEnd(this)];
    const work = [...frontEnds.map((frontEnd) => frontEnd.live()), this.#buy(), this.#die()];
    await this.world.sleep(LIFE_MS);
    this.#isOver = true;
    await Promise.all(work);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The most that a query which begins now may show. */
  known(toy: number): number {
    return Math.min(this.#known[toy]!, STOCK - this.#answered[toy]!);
  }

  /** A query that began when at most `limit` could be shown has shown so many. */
  show(toy: number, quantity: number, limit: number, where: string): void {
    if (quantity > limit) {
      throw new Error(`${where} showed ${quantity} of ${NAMES[toy]}, after ${limit} was known`);
    }
    this.#known[toy] = Math.min(this.#known[toy]!, quantity);
  }

  wayMs(): number {
    return this.world.random.next() * WAY_MS_MAX;
  }

  async #start(): Promise<void> {
    this.#process = new SimulatedProcess(this.world);
    const engine = await CatalogEngine.open({
      directory: '/data',
      seedPath: '/seed.csv',
      syncMode: 'commit',
      fileSystem: this.disk.fileSystemOf(this.#process),
      clock: this.#process.clock,
      leaseMs: LEASE_MS,
    });
    this.engine = engine;
    this.generation++;
  }

  async #die(): Promise<void> {
    const { world } = this;
    while (!this.isOver) {
      await world.sleep(world.random.integer(50, 800));
      this.engine = undefined;
      this.#process.kill();
      await world.sleep(world.random.integer(1, LEASE_MS));
      await this.#start();
    }
  }

  /** Buys one toy after the other, begins anew with each start of the catalog, and counts what was answered or recovered. */
  async #buy(): Promise<void> {
    const { world } = this;
    let logged: Tag = NO_TAG;
    while (!this.isOver) {
      const { engine, generation } = this;
      if (engine === undefined) {
        await world.sleep(10);
        continue;
      }
      const lost = this.#lost(generation);
      const recovered = await Promise.race([engine.recover({ logged, store: '', endedUncleanly: true }), lost]);
      if (recovered === 'lost' || 'lacking' in recovered) continue;
      for (const sale of recovered.sales) {
        this.#answered[sale.toy]! += sale.quantity;
        logged = { incarnation: sale.incarnation, sequence: sale.sequence };
      }
      for (let sequence = 1; !this.isOver && generation === this.generation; sequence++) {
        const toy = world.random.integer(0, NAMES.length - 1);
        const purchases = [{ name: Buffer.from(NAMES[toy]!), quantity: 1, key: '' }];
        const { incarnation } = recovered;
        const batch = { incarnation, firstSequence: sequence, settledSequence: sequence - 1, purchases };
        const results = await Promise.race([engine.purchase(batch), lost]);
        if (results === 'lost') break;
        this.#answered[toy]! += 1;
        logged = { incarnation, sequence };
        await world.sleep(world.random.integer(0, 60));
      }
    }
  }

  async #lost(generation: number): Promise<'lost'> {
    while (generation === this.generation && this.engine !== undefined && !this.isOver) await this.world.sleep(5);
    return 'lost';
  }
}

/** As a front end does it: an answer is held under the generation of before it asked, and under a lease. */
class FrontEnd {
  readonly #held = new Map<number, { readonly quantity: number; readonly generation: string }>();
  readonly #speed: number;
  /** Of all toys, and of each. */
  #generation = 0;
  readonly #generations = NAMES.map(() => 0);
  #holder = 0;
  #validUntilMs = 0;
  #sentMs: number[] = [];
  #silentUntilMs = 0;

  constructor(readonly shop: Shop) {
    this.#speed = 1 - shop.world.random.next() * CLOCK_ERROR;
  }

  async live(): Promise<void> {
    await Promise.all([this.#watch(), this.#ask(), this.#fallSilent()]);
  }

  get #nowMs(): number {
    return this.shop.world.nowMs * this.#speed;
  }

  get #isSilent(): boolean {
    return this.shop.world.nowMs < this.#silentUntilMs;
  }

  async #fallSilent(): Promise<void> {
    const { world } = this.shop;
    while (!this.shop.isOver) {
      await world.sleep(world.random.integer(50, 1_500));
      this.#silentUntilMs = world.nowMs + world.random.integer(1, 3 * LEASE_MS);
    }
  }

  /** Waits until it runs again. */
  async #awake(): Promise<void> {
    while (this.#isSilent) await this.shop.world.sleep(5);
  }

  async #ask(): Promise<void> {
    const { shop } = this;
    const { world } = shop;
    while (!shop.isOver) {
      await world.sleep(world.random.integer(0, 20));
      await this.#awake();
      const toy = world.random.integer(0, NAMES.length - 1);
      const limit = shop.known(toy);
      const held = this.#held.get(toy);
      if (held?.generation === this.#generationOf(toy) && this.#nowMs < this.#validUntilMs) {
        shop.hits++;
        shop.show(toy, held.quantity, limit, 'what was held');
        continue;
      }
      const [generation, holder] = [this.#generationOf(toy), this.#holder];
      await world.sleep(shop.wayMs());
      const { engine } = shop;
      if (!engine?.holders.isEarlierOver) continue;
      const { quantities, holdable } = engine.find([Buffer.from(NAMES[toy]!)], holder);
      await world.sleep(shop.wayMs());
      await this.#awake();
      shop.show(toy, quantities[0]!, limit, 'a find');
      if (holdable[0] === true) this.#held.set(toy, { quantity: quantities[0]!, generation });
    }
  }

  #generationOf(toy: number): string {
    return `${this.#generation}/${this.#generations[toy]}`;
  }

  /** One stream after the other; each ends with its catalog, or by itself. */
  async #watch(): Promise<void> {
    const { shop } = this;
    const { world } = shop;
    while (!shop.isOver) {
      const { engine, generation } = shop;
      if (engine === undefined) {
        await world.sleep(10);
        continue;
      }
      const down = new Pipe<HolderMessage>(shop, async (message) => {
        await this.#awake();
        this.#receive(message);
        confirmed = Math.max(confirmed, message.invalidation);
        if (message.invalidation > 0) up.send(this.#request(confirmed));
      });
      let confirmed = 0;
      const watch: Watch = engine.watch((message) => down.send(message));
      const up = new Pipe<HolderRequest>(shop, async (request) => {
        if (shop.generation === generation && shop.engine !== undefined) await watch.receive(request);
      });
      this.#sentMs = [];
      const endMs = world.nowMs + world.random.integer(50, 800);
      while (!shop.isOver && shop.generation === generation && shop.engine !== undefined && world.nowMs < endMs) {
        await this.#awake();
        up.send(this.#request(confirmed));
        await world.sleep(LEASE_MS / 4);
      }
      up.isCut = true;
      down.isCut = true;
      watch.end();
      this.#holder = 0;
      // The way to the catalog is cut for a while; what is held is shown for as long as its lease allows.
      await world.sleep(world.random.integer(0, 2 * LEASE_MS));
      if (shop.engine !== engine || world.random.chance(0.7)) continue;
      this.#generation++;
      void watch.receive({ ...this.#request(confirmed), goodbye: true });
    }
  }

  #request(confirmed: number): HolderRequest {
    this.#sentMs.push(this.#nowMs);
    return { renewal: this.#sentMs.length, confirmed, goodbye: false };
  }

  #receive({ holder, leaseMs, renewed, invalidation, names }: HolderMessage): void {
    if (holder !== this.#holder) {
      // All that was held under another number is dead.
      this.#generation++;
      this.#holder = holder;
      this.#validUntilMs = 0;
    }
    if (renewed > 0) this.#validUntilMs = Math.max(this.#validUntilMs, this.#sentMs[renewed - 1]! + leaseMs);
    if (invalidation === 0) return;
    if (names.length === 0) this.#generation++;
    for (const name of names) this.#generations[NAMES.indexOf(name.toString())]!++;
  }
}

/** Messages one way, in order, each some time under way. */
class Pipe<T> {
  isCut = false;
  readonly #shop: Shop;
  readonly #receive: (message: T) => Promise<void>;
  #last: Promise<void> = Promise.resolve();

  constructor(shop: Shop, receive: (message: T) => Promise<void>) {
    this.#shop = shop;
    this.#receive = receive;
  }

  send(message: T): void {
    const arrives = this.#shop.world.sleep(this.#shop.wayMs());
    this.#last = this.#last.then(async () => {
      await arrives;
      if (!this.isCut) await this.#receive(message);
    });
  }
}
