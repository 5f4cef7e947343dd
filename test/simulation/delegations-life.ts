// delegations-life.ts: a front end with two threads that shows its own sales by itself, over the real catalog and order service,
// in the simulated world, from one seed. Messages take their time, each stream keeps its order; the catalog and the order
// service are killed, streams break, the front end falls silent.
//
//   two threads (HeldToys, one LeaseBoard) ──orders──► OrderEngine ──► CatalogEngine ◄──finds── threads, a bystander
//            └────────────────────────────Watch──────────────────────────►┘
//
// What must hold at every step, for whoever begins a query: it shows no more of a toy than any query before it has shown, or
// than orders have left of which anybody has been told, by their own number or a higher one, or by looking one up.

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import type { HolderMessage, Watch } from '../../src/catalog/holder.js';
import { HeldToys } from '../../src/frontend/held-toys.js';
import { LeaseBoard, type Noted } from '../../src/frontend/lease-board.js';
import { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import type { Answers } from '../../src/order/pending-order.js';
import { isSold, RESULT } from '../../src/store-contract.js';
import { silent } from '../order/shop.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { type SimulatedChannel, SimulatedNetwork } from '../support/simulated-network.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';
import { SimulatedLink } from './simulated-link.js';
import type { CatalogHost } from './store-hosts.js';

const NAMES = ['Tux', 'Whale'];
const LEASE_MS = 200;
const LIFE_MS = 2_500;
const THREADS = 2;
const PRICE_CENTS = 1950;

/** What a life was made of: a test of what never happens would be no test. */
export interface Lived {
  readonly hits: number;
  readonly delegated: number;
  readonly recalls: number;
}

/** One life; throws what did not hold. */
export async function delegationsLive(seed: number): Promise<Lived> {
  const world = new SimulatedWorld(seed);
  const store = new Store(world);
  await world.run(store.live());
  return store.lived;
}

interface Order {
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly requestId: string;
  noted: Noted | undefined;
}

class Store {
  readonly network: SimulatedNetwork;
  readonly stock: number;
  readonly lived = { hits: 0, delegated: 0, recalls: 0 };
  catalog: CatalogEngine | undefined;
  orders: OrderEngine | undefined;
  isOver = false;
  catalogProcess: SimulatedProcess;
  orderProcess: SimulatedProcess;
  readonly #catalogDisk: SimulatedDisk;
  readonly #orderDisk: SimulatedDisk;
  /** The toy of each order, by number. */
  readonly #placed: string[] = [];
  /** Everybody may know of the orders before this number. */
  #knownOrders = 0;
  readonly #shown = new Map<string, number>();
  readonly #untagged = new Map(NAMES.map((name) => [name, 0]));
  #streams = 0;

  constructor(readonly world: SimulatedWorld) {
    this.network = new SimulatedNetwork(world);
    this.network.faults.delayMs = world.random.integer(1, 20);
    this.stock = world.random.chance(0.3) ? world.random.integer(3, 30) : 1_000;
    this.#catalogDisk = new SimulatedDisk(world);
    this.#orderDisk = new SimulatedDisk(world);
    const rows = NAMES.map((name) => `${name},19.5,${this.stock}\n`).join('');
    this.#catalogDisk.put('/seed.csv', Buffer.from(`name,price,quantity\n${rows}`));
    this.catalogProcess = new SimulatedProcess(world);
    this.orderProcess = new SimulatedProcess(world);
  }

  async live(): Promise<void> {
    const { world } = this;
    await this.#startCatalog();
    await this.#startOrders();
    const frontEnd = new FrontEnd(this);
    const isDeadly = world.random.chance(0.6);
    const work = [frontEnd.live(), this.#standBy(), ...(isDeadly ? [this.#die()] : [])];
    await world.sleep(LIFE_MS);
    this.isOver = true;
    await Promise.race([Promise.all(work), world.sleep(20_000)]);
    this.#count();
  }

  nextStream(): number {
    return ++this.#streams;
  }

  /** The most that a query which begins now may show. */
  limit(name: string): number {
    const placed = this.#placed.slice(0, this.#knownOrders).filter((toy) => toy === name).length;
    return Math.min(this.#shown.get(name) ?? this.stock, this.stock - placed - this.#untagged.get(name)!);
  }

  show(name: string, quantity: number, limit: number, where: string): void {
    if (quantity > limit) throw new Error(`${where} showed ${quantity} of ${name}, after ${limit} was known`);
    this.#shown.set(name, Math.min(this.#shown.get(name) ?? this.stock, quantity));
  }

  /** Somebody was told of the order of that number. */
  learn(number: number): void {
    this.#knownOrders = Math.max(this.#knownOrders, number + 1);
  }

  learnResult(name: string, result: number, number: number): void {
    if (isSold(result)) this.learn(number);
    if (result === RESULT.NOT_ENOUGH_STOCK) this.#shown.set(name, 0);
  }

  /** A find as a thread of the catalog answers it; undefined: the catalog is away. */
  async find(name: string, holder: number): Promise<{ quantity: number; isHoldable: boolean } | undefined> {
    const { catalog, catalogProcess } = this;
    if (catalog?.holders.isEarlierOver !== true) return undefined;
    for (;;) {
      const { quantities, holdable, delegated } = catalog.find([Buffer.from(name)], holder);
      if (delegated.length === 0) return { quantity: quantities[0]!, isHoldable: holdable[0] === true };
      if ((await Promise.race([catalog.recall(delegated), died(catalogProcess)])) === 'died') return undefined;
    }
  }

  async #startCatalog(): Promise<void> {
    const process = new SimulatedProcess(this.world);
    this.catalogProcess = process;
    this.catalog = await CatalogEngine.open({
      directory: '/data',
      seedPath: '/seed.csv',
      syncMode: 'commit',
      fileSystem: this.#catalogDisk.fileSystemOf(process),
      clock: process.clock,
      leaseMs: LEASE_MS,
    });
  }

  async #startOrders(): Promise<void> {
    const process = new SimulatedProcess(this.world);
    this.orderProcess = process;
    const log = await FileOrderLog.open({
      directory: '/order',
      fileSystem: this.#orderDisk.fileSystemOf(process),
      clock: process.clock,
      logger: silent,
      syncPeriodMs: 5,
      keySeed: this.world.seed,
    });
    const append = log.append.bind(log);
    log.append = async (orders) => {
      const appended = await append(orders);
      for (const [index, { name }] of orders.entries()) this.#placed[appended.firstNumber + index] = name;
      return appended;
    };
    const store = this;
    const host = {
      get engine() {
        return store.catalog;
      },
      get process() {
        return store.catalogProcess;
      },
      options: { seams: {} },
    };
    const link = new SimulatedLink(process, this.network, [host as unknown as CatalogHost]);
    const limits = { batchOrdersMax: 8 };
    this.orders = new OrderEngine({ link, log, clock: process.clock, logger: silent, limits });
    void this.orders.start();
  }

  async #die(): Promise<void> {
    const { world } = this;
    while (!this.isOver) {
      await world.sleep(world.random.integer(100, 900));
      if (world.random.chance(0.5)) {
        this.#count();
        this.catalog = undefined;
        this.catalogProcess.kill();
        await world.sleep(world.random.integer(1, LEASE_MS));
        await this.#startCatalog();
      } else {
        this.orders = undefined;
        this.orderProcess.kill();
        await world.sleep(world.random.integer(1, LEASE_MS));
        await this.#startOrders();
      }
    }
  }

  /** One who asks the services themselves. */
  async #standBy(): Promise<void> {
    const { world } = this;
    const { random } = world;
    const isBusy = random.chance(0.5);
    while (!this.isOver) {
      await world.sleep(random.integer(1, isBusy ? 40 : 400));
      const name = random.pick(NAMES);
      const { orders, orderProcess, catalog, catalogProcess } = this;
      const limit = this.limit(name);
      const dice = random.next();
      if (dice < 0.4) {
        const found = await this.find(name, 0);
        if (found !== undefined) this.show(name, found.quantity, limit, 'the catalog');
      } else if (dice < 0.6 && orders !== undefined) {
        const number = this.#placed.length - 1 - random.integer(0, 2);
        const order = await Promise.race([orders.get(number).catch(() => undefined), died(orderProcess)]);
        if (order !== undefined && order !== 'died') this.learn(number);
      } else if (dice < 0.8 && orders !== undefined) {
        const placed = orders.place([{ name, quantity: 1, key: '', requestId: '' }]);
        const answers = await Promise.race([placed, died(orderProcess)]);
        if (answers !== 'died') this.learnResult(name, answers.results[0]!, answers.numbers[0]!);
      } else if (catalog !== undefined) {
        const bought = catalog.purchaseUntagged(Buffer.from(name), 1).catch(() => undefined);
        const result = await Promise.race([bought, died(catalogProcess)]);
        if (result === RESULT.DONE) this.#untagged.set(name, this.#untagged.get(name)! + 1);
        if (result === RESULT.NOT_ENOUGH_STOCK) this.#shown.set(name, 0);
      }
    }
  }

  #count(): void {
    const { sales, recalls } = this.catalog?.stats().seller.delegated ?? { sales: 0, recalls: 0 };
    this.lived.delegated += sales;
    this.lived.recalls += recalls;
  }
}

class FrontEnd {
  readonly board = LeaseBoard.create();
  readonly #store: Store;
  #silentUntilMs = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async live(): Promise<void> {
    const { random } = this.#store.world;
    const threads = Array.from({ length: THREADS }, (_, index) => {
      // One does most of it, as where customers are few.
      const pauseMs = index === 0 ? 15 : random.pick([15, 300, 3_000]);
      return new Thread(this.#store, this, `thread-${index}`, pauseMs).live();
    });
    await Promise.all([this.#watch(), this.#fallSilent(), ...threads]);
  }

  /** Waits until it runs again. */
  async awake(): Promise<void> {
    while (this.#store.world.nowMs < this.#silentUntilMs) await this.#store.world.sleep(5);
  }

  async #fallSilent(): Promise<void> {
    const { world } = this.#store;
    if (world.random.chance(0.5)) return;
    while (!this.#store.isOver) {
      await world.sleep(world.random.integer(100, 1_000));
      this.#silentUntilMs = world.nowMs + world.random.integer(1, 2 * LEASE_MS);
    }
  }

  /** As src/frontend/catalog-watch.ts does it. */
  async #watch(): Promise<void> {
    const { board } = this;
    const store = this.#store;
    const { world, network } = store;
    while (!store.isOver) {
      const { catalog, catalogProcess } = store;
      if (catalog === undefined) {
        await world.sleep(10);
        continue;
      }
      const [up, down] = [network.channel(), network.channel()];
      const sentMs: number[] = [];
      let [holder, confirmed] = [0, 0];
      const watch: Watch = catalog.watch((message) => down.send(() => void receive(message)));
      const send = (renewal: number): void =>
        up.send(() => {
          if (catalogProcess.isAlive) void watch.receive({ renewal, confirmed, goodbye: false });
        });
      let last: Promise<void> = Promise.resolve();
      const receive = (message: HolderMessage): Promise<void> => {
        last = last.then(async () => {
          await this.awake();
          if (down.isBroken) return;
          if (message.holder !== holder) {
            holder = message.holder;
            board.register(holder);
          }
          if (message.invalidation > 0) {
            if (message.names.length === 0) board.invalidateAll();
            for (const name of message.names) board.invalidate(name.toString());
            confirmed = message.invalidation;
            send(0);
          }
          const renewedMs = sentMs[message.renewed - 1];
          if (holder !== 0 && renewedMs !== undefined) board.lease(Math.floor(renewedMs) + message.leaseMs);
        });
        return last;
      };
      const endMs = world.nowMs + world.random.integer(200, 2_000);
      while (!store.isOver && catalogProcess.isAlive && world.nowMs < endMs) {
        await this.awake();
        sentMs.push(world.nowMs);
        send(sentMs.length);
        await world.sleep(LEASE_MS / 4);
      }
      up.break();
      down.break();
      watch.end();
      board.forgetHolder();
      await world.sleep(world.random.integer(0, LEASE_MS));
    }
  }
}

/** Often enough to come while sales are delegated, and seldom enough for those to begin: they do from the fourth message on. */
const FOR_NOBODY_EVERY = 23;

class Thread {
  readonly #held: HeldToys;
  readonly #store: Store;
  readonly #frontEnd: FrontEnd;
  readonly #name: string;
  readonly #pauseMs: number;
  #stream: { readonly id: number; readonly up: SimulatedChannel; readonly down: SimulatedChannel } | undefined;
  #answered: Promise<void> = Promise.resolve();
  #messages = 0;

  constructor(store: Store, frontEnd: FrontEnd, name: string, pauseMs: number) {
    this.#store = store;
    this.#frontEnd = frontEnd;
    this.#name = name;
    this.#pauseMs = pauseMs;
    this.#held = new HeldToys(frontEnd.board, { nowMs: () => store.world.nowMs }, 100);
  }

  async live(): Promise<void> {
    await Promise.all([this.#look(), this.#look(), this.#order()]);
  }

  async #look(): Promise<void> {
    const store = this.#store;
    const { world, network } = store;
    while (!store.isOver) {
      await world.sleep(world.random.integer(0, this.#pauseMs));
      await this.#frontEnd.awake();
      const name = world.random.pick(NAMES);
      const limit = store.limit(name);
      const held = this.#held.find(name);
      if (held !== undefined) {
        store.lived.hits++;
        store.show(name, quantityOf(held), limit, 'what was held');
        continue;
      }
      const noted = this.#held.note(name);
      const { holder } = this.#held;
      await world.sleep(network.wayMs());
      const found = await store.find(name, holder);
      await world.sleep(network.wayMs());
      await this.#frontEnd.awake();
      if (found === undefined) continue;
      store.show(name, found.quantity, limit, 'a find');
      const toy = { priceCents: PRICE_CENTS, quantity: found.quantity };
      if (found.isHoldable) this.#held.hold(name, toy, noted);
    }
  }

  async #order(): Promise<void> {
    const store = this.#store;
    const { world } = store;
    for (let key = 0; !store.isOver; ) {
      await world.sleep(world.random.integer(0, 2 * this.#pauseMs));
      await this.#frontEnd.awake();
      const message = Array.from({ length: world.random.integer(1, 3) }, () => ({
        name: world.random.pick(NAMES),
        quantity: 1,
        key: `${this.#name}-${key++}`,
        requestId: '',
        noted: undefined,
      }));
      // The same orders under the same keys, until they are answered.
      while (!store.isOver && !(await this.#send(message))) await world.sleep(world.random.integer(1, 50));
    }
  }

  /** One message, by the stream that there is. @returns whether it was answered */
  #send(message: Order[]): Promise<boolean> {
    const store = this.#store;
    const { orders, orderProcess, network, world } = store;
    if (orders === undefined) return Promise.resolve(false);
    if (this.#stream === undefined || this.#stream.up.isBroken) {
      this.#stream = { id: store.nextStream(), up: network.channel(), down: network.channel() };
      this.#answered = Promise.resolve();
    }
    const { id, up, down } = this.#stream;
    // Now and then what is ordered counts as not asked for any more: a message for nobody between two for the holder.
    const prepared = this.#held.prepare(message);
    const holder = ++this.#messages % FOR_NOBODY_EVERY === 0 ? 0 : prepared;
    return new Promise((resolve) => {
      const lose = (): void => {
        up.break();
        down.break();
        world.after(network.wayMs(), () => resolve(false));
      };
      orderProcess.onKill(lose);
      if (world.random.chance(0.02)) world.after(world.random.integer(0, 40), lose);
      const receive = async (answers: Answers): Promise<void> => {
        await this.#frontEnd.awake();
        if (down.isBroken) return;
        this.#held.sell(answers.results, message);
        for (const [index, { name }] of message.entries()) {
          store.learnResult(name, answers.results[index]!, answers.numbers[index]!);
        }
        resolve(true);
      };
      up.send(() => {
        if (!orderProcess.isAlive) return;
        const placed = orders.place(message, undefined, { stream: id, holder });
        // Answers of a stream leave in the order of its messages.
        this.#answered = this.#answered.then(async () => {
          const answers = await placed;
          if (answers.results.includes(RESULT.OPEN)) lose();
          else down.send(() => void receive(answers));
        });
      });
    });
  }
}

function quantityOf(body: string): number {
  return JSON.parse(body).data.quantity;
}

function died(process: SimulatedProcess): Promise<'died'> {
  return new Promise((resolve) => process.onKill(() => resolve('died')));
}
