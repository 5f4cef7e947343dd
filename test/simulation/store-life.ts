// store-life.ts: the life of one store in the simulated world: buyers buy while machines die, disks fail and connections
// break; then all is healed, everybody comes to rest, and the books are checked. A few times over, then a clean stop.

import type { SyncMode } from '../../src/storage/index.js';
import { SimulatedNetwork } from '../support/simulated-network.js';
import { SimulatedWorld } from '../support/simulated-world.js';
import { SimulatedLink } from './simulated-link.js';
import { checkBooks, checkCatalogFile } from './store-books.js';
import { buy, type Market, Notes, query } from './store-buyers.js';
import { CatalogHost, type Host, OrderHost, type Seams } from './store-hosts.js';

export interface StoreWorldOptions {
  readonly syncMode?: SyncMode;
  /** Whether the power may fail, not only a process. */
  readonly powerFailures?: boolean;
  readonly seams?: Seams;
}

export interface LifeStory {
  readonly steps: number;
  readonly starts: number;
  readonly orders: number;
}

const PHASES_MAX = 3;
const BUYERS_MAX = 4;
const ORDERS_EACH_MAX = 6;
const CRASHES_MAX = 5;
/** Crashes are at most so many steps apart. */
const CRASH_STEPS_MAX = 250;
/** Several calls of the slowest disk. */
const SETTLING_MS = 200;
const NO_LIMIT = Number.POSITIVE_INFINITY;
/** Simulated time within which everybody must have come to rest. */
const REST_MS_MAX = 60_000;

/** Lives one life; throws the first thing that does not hold. */
export async function liveStore(seed: number, options: StoreWorldOptions = {}): Promise<LifeStory> {
  const world = new SimulatedWorld(seed);
  const life = new StoreLife(world, options);
  await world.run(life.story());
  return { steps: world.steps, starts: life.starts, orders: life.orders };
}

class StoreLife {
  readonly #market: Market;
  readonly #notes = new Notes();
  readonly #hosts: readonly Host[];

  constructor(
    readonly world: SimulatedWorld,
    readonly options: StoreWorldOptions,
  ) {
    const { random } = world;
    const network = new SimulatedNetwork(world);
    const stock = new Map(['Tux', 'Whale', 'Fox, red'].map((name) => [name, random.integer(0, 40)]));
    const rows = [...stock].map(([name, quantity]) => `"${name}",15.99,${quantity}\n`);
    const seams = options.seams ?? {};
    const hostOptions = { world, syncMode: options.syncMode ?? 'commit', seams };
    const catalog = new CatalogHost(hostOptions, `name,price,quantity\n${rows.join('')}`);
    const order = new OrderHost(hostOptions, (process) => new SimulatedLink(process, network, catalog));
    this.#market = { world, network, catalog, order, seams, stock };
    this.#hosts = [catalog, order];
  }

  get starts(): number {
    return this.#hosts.reduce((sum, host) => sum + host.starts, 0);
  }

  get orders(): number {
    return this.#notes.intents.filter((intent) => intent.number !== undefined).length;
  }

  async story(): Promise<void> {
    const running = Promise.all(this.#hosts.map((host) => host.run()));
    await Promise.race([this.#phases(), running.then(() => undefined)]);
    for (const host of this.#hosts) host.stopStarting();
    await this.#cleanStop();
  }

  async #phases(): Promise<void> {
    const { random } = this.world;
    for (let phase = random.integer(1, PHASES_MAX); phase > 0; phase--) {
      this.#planFaults();
      this.#planCrashes();
      const buyers = Array.from({ length: random.integer(1, BUYERS_MAX) }, (_, buyer) =>
        buy(this.#market, this.#notes, buyer, random.integer(1, ORDERS_EACH_MAX)),
      );
      // Patience of the disk and the network has an end, or buyers could insist for ever.
      this.world.after(random.integer(500, 3000), () => this.#heal());
      await Promise.all(buyers);
      this.#heal();
      await this.#rest();
      for (const name of this.#market.stock.keys()) await query(this.#market, this.#notes, name);
      await checkBooks(this.#market, this.#notes);
    }
  }

  /** Waits until both services are up and have nothing to do. */
  async #rest(): Promise<void> {
    const { catalog, order } = this.#market;
    const untilMs = this.world.nowMs + REST_MS_MAX;
    // A call that a fault has hit may still be under way, and its consequences to come.
    await this.world.sleep(SETTLING_MS);
    while (this.world.nowMs < untilMs) {
      await this.world.sleep(20);
      const stats = order.engine?.stats();
      if (!catalog.isUp || !order.isUp || stats === undefined) continue;
      if (stats.waiting + stats.inFlight + stats.unlogged === 0) return;
    }
    throw new Error(
      `the store has not come to rest: catalog ${catalog.engine?.state}, order ${JSON.stringify(order.engine?.stats())}`,
    );
  }

  async #cleanStop(): Promise<void> {
    const { catalog, order } = this.#market;
    await order.engine!.stop();
    await order.log!.close();
    await catalog.engine!.close();
    checkCatalogFile(this.#market);
  }

  #planFaults(): void {
    const { random } = this.world;
    const { faults } = this.#market.network;
    faults.delayMs = random.pick([1, 5, 50]);
    faults.loss = random.pick([0, 0.1]);
    faults.duplication = random.pick([0, 0.1]);
    faults.breaks = random.pick([0, 0.1]);
    for (const { disk } of this.#hosts) {
      disk.faults.latencyMs = random.pick([0.5, 2, 20]);
      disk.faults.failedWrite = random.pick([0, 0, 0, 0.05]);
      disk.faults.shortWrite = random.pick([0, 0, 0, 0.05]);
      disk.faults.failedSync = random.pick([0, 0, 0, 0.02]);
      disk.faults.capacityBytes = random.pick([NO_LIMIT, NO_LIMIT, NO_LIMIT, random.integer(1000, 8000)]);
    }
  }

  #planCrashes(): void {
    const { random } = this.world;
    let crashes = random.integer(0, CRASHES_MAX);
    let at = this.world.steps + random.integer(1, CRASH_STEPS_MAX);
    this.world.onStep = (step) => {
      if (step < at || crashes === 0) return;
      crashes--;
      at = step + random.integer(1, CRASH_STEPS_MAX);
      const isPowerFailure = this.options.powerFailures !== false && random.chance(0.5);
      const dying = random.chance(0.2) ? this.#hosts : [random.pick(this.#hosts)];
      for (const host of dying) if (host.process.isAlive) host.crash(isPowerFailure);
    };
  }

  #heal(): void {
    this.world.onStep = () => undefined;
    Object.assign(this.#market.network.faults, { loss: 0, duplication: 0, breaks: 0 });
    for (const { disk } of this.#hosts) {
      Object.assign(disk.faults, { failedWrite: 0, shortWrite: 0, failedSync: 0, capacityBytes: NO_LIMIT });
    }
  }
}
