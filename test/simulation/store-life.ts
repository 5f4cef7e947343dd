// store-life.ts: the life of one store in the simulated world: buyers buy while machines die, disks fail and connections
// break; then all is healed, everybody comes to rest, and the books are checked. A few times over, then a clean stop.

import type { SyncMode } from '../../src/storage/index.js';
import type { DirectoryCopy, Touch } from '../support/simulated-disk.js';
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
  /** Whether people rename, replace, cut and remove files while the store runs. */
  readonly touches?: boolean;
  /** Whether they put older directories in place, or none, or those of another store, between two runs. */
  readonly swaps?: boolean;
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
/** Until the order engine has told what is settled, and has ended if the catalog refuses it. */
const NOTICING_MS = 700;
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
    const order = new OrderHost(hostOptions, (process) => new SimulatedLink(process, network, [catalog]));
    const mayLose = hostOptions.syncMode !== 'commit' && options.powerFailures !== false;
    this.#market = { world, network, catalog, order, seams, stock, mayLose };
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
      const before = this.options.swaps === true ? await this.#copyBooks() : undefined;
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
      if (before !== undefined) await this.#swapBooks(before);
    }
  }

  /** As they are after a clean stop, or, now and then, as somebody copies them while the store runs. */
  async #copyBooks(): Promise<Map<Host, DirectoryCopy>> {
    const copy = (): Map<Host, DirectoryCopy> =>
      new Map(this.#hosts.map((host) => [host, host.disk.copyOf(directoryOf(host))]));
    await this.#rest();
    if (this.world.random.chance(0.2)) return copy();
    const resumes = await this.#stopAll();
    const copied = copy();
    for (const resume of resumes) resume();
    await this.#rest();
    return copied;
  }

  async #stopAll(): Promise<(() => void)[]> {
    const { order, catalog } = this.#market;
    return [await order.stop(true), await catalog.stop(true)];
  }

  /**
   * Both services stop cleanly; one of the books is replaced by an older one, by none or by another store's; they start. Then
   * either nothing is sold, or the books are right. With the right book back all goes on.
   */
  async #swapBooks(before: ReadonlyMap<Host, DirectoryCopy>): Promise<void> {
    const { random } = this.world;
    const { order } = this.#market;
    const resumes = await this.#stopAll();
    const right = new Map(this.#hosts.map((host) => [host, host.disk.copyOf(directoryOf(host))]));
    const host = random.pick(this.#hosts);
    const how = random.pick(['older', 'none', 'foreign'] as const);
    const swapped = how === 'older' ? before.get(host)! : how === 'none' ? new Map() : foreign(right.get(host)!);
    host.disk.putBack(directoryOf(host), swapped);
    order.mayBeRefused = true;
    for (const resume of resumes) resume();
    await this.#untilDecided();
    if (order.isUp) await checkBooks(this.#market, this.#notes);
    const wasRefused = order.refusal !== '';
    const again = await this.#stopAll();
    // Where it sold, nothing was amiss, and what stands there now goes on.
    if (wasRefused) for (const [one, copy] of right) one.disk.putBack(directoryOf(one), copy);
    order.mayBeRefused = false;
    for (const resume of again) resume();
    await this.#rest();
    await checkBooks(this.#market, this.#notes);
  }

  /** Until the order service sells, or knows why it may not. */
  async #untilDecided(): Promise<void> {
    const { catalog, order } = this.#market;
    const untilMs = this.world.nowMs + REST_MS_MAX;
    while (this.world.nowMs < untilMs) {
      await this.world.sleep(20);
      if (catalog.isUp && (order.isUp || order.refusal !== '')) return;
    }
    throw new Error('the order service neither sells nor is refused');
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
      if (stats.waiting + stats.inFlight + stats.unlogged > 0) continue;
      // An order service may learn only when it next tells what is settled that the catalog has begun anew.
      const { engine } = order;
      if (this.#market.mayLose) await this.world.sleep(NOTICING_MS);
      if (order.engine === engine && order.isUp) return;
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
      if (this.options.touches === true && random.chance(0.5)) return this.#touch();
      const isPowerFailure = this.options.powerFailures !== false && random.chance(0.5);
      const dying = random.chance(0.2) ? this.#hosts : [random.pick(this.#hosts)];
      for (const host of dying) {
        if (!host.process.isAlive) continue;
        if (random.chance(0.2)) void host.stop(false);
        else host.crash(isPowerFailure);
      }
    };
  }

  #touch(): void {
    const { random } = this.world;
    const { catalog, order } = this.#market;
    const [host, path, hows] = random.pick([
      [order, '/order/orders.csv', ['removed', 'rewritten', 'older', 'cut']],
      [catalog, '/catalog/journal', ['removed', 'rewritten', 'older']],
    ] as const);
    // Between two runs a touch is for the next start to find (`swaps`).
    if (host.uses(path)) host.disk.touch(path, random.pick<Touch>(hows));
  }

  #heal(): void {
    this.world.onStep = () => undefined;
    Object.assign(this.#market.network.faults, { loss: 0, duplication: 0, breaks: 0 });
    for (const { disk } of this.#hosts) {
      Object.assign(disk.faults, { failedWrite: 0, shortWrite: 0, failedSync: 0, capacityBytes: NO_LIMIT });
    }
  }
}

function directoryOf(host: Host): string {
  return host instanceof CatalogHost ? '/catalog' : '/order';
}

/** As many orders of another store, a little larger; a catalog of another store is one that has never sold. */
function foreign(copy: DirectoryCopy): DirectoryCopy {
  const log = copy.get('/order/orders.csv');
  const text = log
    ?.toString()
    .replace(/,[a-z0-9]{8}(?=-\d+-\d+$)/gm, ',foreign0')
    .replace(/(?<=,)\d+(?=,[^,]*,\d{4}-\d\d)/g, (quantity) => String(Number(quantity) + 1));
  return text === undefined ? new Map() : new Map([['/order/orders.csv', Buffer.from(text)]]);
}
