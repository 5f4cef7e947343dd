// database-life.ts: the life of a store over PostgreSQL in the simulated world: two catalogs and two order services, of which
// one each serves, while processes die, stop or are cut off from the database, connections break and the server is killed.
// Then all is healed, everybody comes to rest, and the books are checked, as over files.

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { PostgresCatalogStore } from '../../src/catalog/postgres-catalog-store.js';
import type { CatalogLink } from '../../src/order/catalog-link.js';
import type { OrderLog } from '../../src/order/order-log.js';
import { PostgresOrderLog } from '../../src/order/postgres-order-log.js';
import { type HeldSeat, Reader, takeSeat } from '../../src/postgres/index.js';
import { SimulatedNetwork } from '../support/simulated-network.js';
import { type SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';
import { HoldingFrontEnd } from './holding-front-end.js';
import type { fenced } from './postgres-model.js';
import { SimulatedLink } from './simulated-link.js';
import { SimulatedPostgres } from './simulated-postgres.js';
import { checkBooks } from './store-books.js';
import { buy, type Market, Notes, query } from './store-buyers.js';
import { CatalogHost, type Host, type HostOptions, OrderHost } from './store-hosts.js';

/** Mistakes that a test puts in. */
export interface DatabaseMistakes {
  /** Statements that do something else, by name. */
  readonly statements?: Readonly<Record<string, ReturnType<typeof fenced>>>;
  /** Whoever takes a seat does not wait until what the one before has allowed is over. */
  readonly isHasty?: boolean;
  /** A catalog shows what it knows, however long it has not heard from the database. */
  readonly outlastsLease?: boolean;
}

const PHASES_MAX = 3;
const BUYERS_MAX = 4;
const ORDERS_EACH_MAX = 6;
const TROUBLES_MAX = 6;
const TROUBLE_STEPS_MAX = 250;
/** Longer than a lease, so that others take over, or shorter. */
const CUT_OFF_MS_MAX = 4_000;
const DOWN_MS_MAX = 2_500;
const REST_MS_MAX = 60_000;
/** Within that time a seat is renewed. */
const RENEWED_MS = 500;

/** Lives one life; throws the first thing that does not hold. Returns the number of orders, and of times a seat was taken. */
export async function liveOverDatabase(
  seed: number,
  mistakes: DatabaseMistakes = {},
): Promise<{ orders: number; taken: number }> {
  const world = new SimulatedWorld(seed);
  const life = new DatabaseLife(world, mistakes);
  await world.run(life.story());
  const { seats, orders } = life.postgres.model.tables;
  return { orders: orders.length, taken: seats.catalog!.epoch + seats.order!.epoch };
}

/** How a host comes to its database. */
class Access {
  isCutOff = false;

  constructor(
    readonly postgres: SimulatedPostgres,
    readonly mistakes: DatabaseMistakes,
  ) {}

  connector(process: SimulatedProcess): ReturnType<SimulatedPostgres['connectorOf']> {
    return this.postgres.connectorOf(process, () => this.isCutOff);
  }

  async seat(process: SimulatedProcess, name: string): Promise<HeldSeat> {
    const closing = new AbortController().signal;
    const { clock } = process;
    const seat = await takeSeat({
      database: this.connector(process),
      clock,
      name,
      closing,
      onWaiting: () => undefined,
    });
    if (this.mistakes.isHasty === true) Object.assign(seat!, { waitMs: 0 });
    return seat!;
  }
}

class SeatedCatalog extends CatalogHost {
  constructor(
    options: HostOptions,
    seedCsv: string,
    readonly access: Access,
  ) {
    super(options, seedCsv);
  }

  override get isUp(): boolean {
    return super.isUp && this.engine!.isOwner;
  }

  /** As the threads of the catalog do it. */
  override find(name: string): number | undefined {
    const { engine } = this;
    const isOwner = engine?.isOwner === true || this.access.mistakes.outlastsLease === true;
    return engine?.holders.isEarlierOver === true && isOwner ? super.find(name) : undefined;
  }

  protected override async openEngine(process: SimulatedProcess): Promise<CatalogEngine> {
    const seat = await this.access.seat(process, 'catalog');
    const seed = async () => parseCatalog(Buffer.from(this.seedCsv), 'toys.csv');
    return CatalogEngine.openOver((events) => PostgresCatalogStore.open({ ...events, seat, seed }), {
      clock: process.clock,
      onState: (state) => {
        if (state === 'failed') this.endSoon(process);
      },
      onBroken: () => this.endSoon(process),
    });
  }
}

class SeatedOrder extends OrderHost {
  constructor(
    options: HostOptions,
    connect: ConstructorParameters<typeof OrderHost>[1],
    readonly access: Access,
  ) {
    super(options, connect);
  }

  protected override async openLog(process: SimulatedProcess): Promise<OrderLog> {
    const { clock } = process;
    const seat = await this.access.seat(process, 'order');
    const reader = new Reader(this.access.connector(process), clock);
    return PostgresOrderLog.open({ seat, reader, clock, keySeed: this.options.world.seed });
  }
}

class DatabaseLife {
  readonly postgres: SimulatedPostgres;
  readonly #market: Market;
  readonly #notes = new Notes();
  readonly #catalogs: readonly SeatedCatalog[];
  readonly #orders: readonly SeatedOrder[];
  readonly #hosts: readonly (SeatedCatalog | SeatedOrder)[];
  /** The newest incarnation that each order service was given, by the epoch of its seat. */
  readonly #incarnations = new Map<number, number>();

  constructor(
    readonly world: SimulatedWorld,
    mistakes: DatabaseMistakes,
  ) {
    const { random } = world;
    const network = new SimulatedNetwork(world);
    const postgres = new SimulatedPostgres(network);
    for (const [name, handler] of Object.entries(mistakes.statements ?? {})) postgres.model.replaced.set(name, handler);
    const stock = new Map(['Tux', 'Whale', 'Fox, red'].map((name) => [name, random.integer(0, 40)]));
    const csv = [...stock].map(([name, quantity]) => `"${name}",15.99,${quantity}\n`).join('');
    const options: HostOptions = { world, syncMode: 'commit', seams: {} };
    const access = (): Access => new Access(postgres, mistakes);
    const catalogs = [1, 2].map(() => new SeatedCatalog(options, `name,price,quantity\n${csv}`, access()));
    const link = (process: SimulatedProcess) => this.#noting(new SimulatedLink(process, network, catalogs));
    const orders = [1, 2].map(() => new SeatedOrder(options, link, access()));
    const anyOf = <T extends Host & { readonly engine: unknown }>(hosts: readonly T[]): T => {
      const running = hosts.filter(({ engine }) => engine !== undefined);
      return running.length === 0 ? hosts[0]! : random.pick(running);
    };
    const holding = new HoldingFrontEnd(world, network, [...stock.keys()], () => catalogs.find(({ isUp }) => isUp));
    this.#market = {
      world,
      network,
      seams: {},
      stock,
      mayLose: false,
      // Anybody who runs may be asked, also one that has been replaced and does not know it.
      get catalog() {
        return anyOf(catalogs);
      },
      get order() {
        return anyOf(orders);
      },
      show: (name) => [holding, ...catalogs].map((one) => one.find(name)),
      rows: () => {
        const rows = [...postgres.model.tables.orders].sort((one, other) => one.order_number - other.order_number);
        return rows.map((row) => ({ ...row, order_number: `${row.order_number}`, quantity: `${row.quantity}` }));
      },
    };
    this.postgres = postgres;
    this.#catalogs = catalogs;
    this.#orders = orders;
    this.#hosts = [...catalogs, ...orders];
  }

  #noting(link: SimulatedLink): CatalogLink {
    return {
      processOrders: (batch) => link.processOrders(batch),
      recall: () => link.recall(),
      restore: (store, sales) => link.restore(store, sales),
      recover: async (position) => {
        const recovery = await link.recover(position);
        if ('incarnation' in recovery) this.#incarnations.set(position.seatEpoch!, recovery.incarnation);
        return recovery;
      },
    };
  }

  async story(): Promise<void> {
    const running = Promise.all(this.#hosts.map((host) => host.run()));
    await Promise.race([this.#phases(), running.then(() => undefined)]);
  }

  async #phases(): Promise<void> {
    const { random } = this.world;
    for (let phase = random.integer(1, PHASES_MAX); phase > 0; phase--) {
      this.#planFaults();
      this.#planTroubles();
      const buyers = Array.from({ length: random.integer(1, BUYERS_MAX) }, (_, buyer) =>
        buy(this.#market, this.#notes, buyer, random.integer(1, ORDERS_EACH_MAX)),
      );
      this.world.after(random.integer(500, 8000), () => this.#heal());
      await Promise.all(buyers);
      this.#heal();
      await this.#rest();
      for (const name of this.#market.stock.keys()) await query(this.#market, this.#notes, name);
      await checkBooks(this.#market, this.#notes);
      this.#checkToys();
      this.#checkSuccessions();
    }
  }

  /** Who was replaced has taken nothing from its successors: they would end and start again, by turns. */
  #checkSuccessions(): void {
    const incarnations = [...this.#incarnations].sort(([one], [other]) => one - other).map(([, newest]) => newest);
    for (const [index, newest] of incarnations.entries()) {
      if (newest <= (incarnations[index - 1] ?? 0)) throw new Error('an order service that was replaced began to sell');
    }
  }

  /** The table says what the orders say. */
  #checkToys(): void {
    const { toys, orders } = this.postgres.model.tables;
    for (const { name, quantity } of toys) {
      const sold = orders.reduce((sum, order) => (order.name === name ? sum + order.quantity : sum), 0);
      const left = this.#market.stock.get(name)! - sold;
      if (quantity !== left) throw new Error(`the table toys has ${quantity} of ${name}, and the orders leave ${left}`);
    }
  }

  /** Waits until one of each serves, alone, and has nothing to do. */
  async #rest(): Promise<void> {
    const untilMs = this.world.nowMs + REST_MS_MAX;
    // Rows of orders are gathered for a while.
    await this.world.sleep(200);
    while (this.world.nowMs < untilMs) {
      await this.world.sleep(20);
      if (this.world.nowMs < this.postgres.stalledUntilMs + RENEWED_MS) continue;
      const catalogs = this.#catalogs.filter(({ engine }) => engine !== undefined);
      const orders = this.#orders.filter(({ engine }) => engine !== undefined);
      if (catalogs.length !== 1 || orders.length !== 1 || !catalogs[0]!.isUp || !orders[0]!.isUp) continue;
      if (!catalogs[0]!.engine!.holders.isEarlierOver) continue;
      const { waiting, inFlight, unlogged, unsettled } = orders[0]!.engine!.stats();
      if (waiting + inFlight + unlogged + unsettled === 0) return;
    }
    const states = this.#orders.map(({ engine }) => JSON.stringify(engine?.stats()));
    throw new Error(
      `the store has not come to rest: catalogs ${this.#catalogs.map(({ engine }) => engine?.state)}, orders ${states}`,
    );
  }

  #planFaults(): void {
    const { random } = this.world;
    const { faults } = this.#market.network;
    faults.delayMs = random.pick([1, 5, 50]);
    faults.loss = random.pick([0, 0.1]);
    faults.duplication = random.pick([0, 0.1]);
    faults.breaks = random.pick([0, 0.1]);
    this.postgres.faults.commitMs = random.pick([0.5, 2, 20]);
    this.postgres.faults.busy = random.pick([0, 0.05, 0.1]);
    this.postgres.faults.breaks = random.pick([0, 0.02, 0.1]);
  }

  #planTroubles(): void {
    const { random } = this.world;
    let troubles = random.integer(0, TROUBLES_MAX);
    let at = this.world.steps + random.integer(1, TROUBLE_STEPS_MAX);
    this.world.onStep = (step) => {
      if (step < at || troubles === 0) return;
      troubles--;
      at = step + random.integer(1, TROUBLE_STEPS_MAX);
      const host = random.pick(this.#hosts);
      const how = random.pick(['kill', 'kill', 'stop', 'cut off', 'stall', 'server'] as const);
      if (how === 'server') return this.postgres.kill(random.integer(10, DOWN_MS_MAX));
      if (!host.process.isAlive) return;
      if (how === 'stop') return void host.stop(false);
      if (how === 'kill') return host.crash(false);
      if (how === 'stall') return this.postgres.stallAllOf(host.process, random.integer(50, CUT_OFF_MS_MAX));
      host.access.isCutOff = true;
      this.postgres.breakAllOf(host.process);
      this.world.after(random.integer(50, CUT_OFF_MS_MAX), () => {
        host.access.isCutOff = false;
      });
    };
  }

  #heal(): void {
    this.world.onStep = () => undefined;
    Object.assign(this.#market.network.faults, { loss: 0, duplication: 0, breaks: 0 });
    Object.assign(this.postgres.faults, { busy: 0, breaks: 0 });
    this.postgres.resume();
    for (const { access } of this.#hosts) access.isCutOff = false;
  }
}
