// order-life.ts: the life of one order service in the simulated world, from one seed, and the check of the books after
// each recovery. Disk, network and clock are simulated.
//
//   buyers ─► OrderEngine ─► FileOrderLog ─► simulated disk: torn, lost and refused writes, power failures
//                  └────────► SimulatedNetwork ─► PerfectCatalog, or the real engine that dies too: CatalogHost

import { parse } from 'csv-parse/sync';
import { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import { OrderError } from '../../src/order/order-error.js';
import { StorageError } from '../../src/storage/index.js';
import { RESULT } from '../../src/store-contract.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';
import { PerfectCatalog } from './perfect-catalog.js';
import { silent } from './shop.js';
import { SimulatedNetwork } from './simulated-network.js';

export interface LifeOptions {
  /** A promise of the design that is not kept, to see that the books then go wrong. */
  readonly broken?: 'dedupe' | 'recovery' | 'fencing' | 'datasync';
}

const TOYS = ['Tux', 'Duck, "yellow"', 'Two\nlines'];
const STOCK = 40;
const GENERATIONS_MAX = 4;
const STEPS_MAX = 400;
const BUYERS = 6;
const ORDERS_PER_BUYER = 8;
/** Share of the stops that give up waiting for what is in flight, and how long at most it has been under way then. */
const HASTY_STOP = 0.3;
const HASTY_STOP_MS = 150;
const DIRECTORY = '/data';

interface Wish {
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly requestId: string;
}

interface Receipt extends Wish {
  readonly number: number;
}

interface Started {
  readonly engine: OrderEngine;
  readonly log: FileOrderLog;
}

interface Row {
  readonly order_number: string;
  readonly name: string;
  readonly quantity: string;
  readonly key: string;
}

/** Runs that many lives; a failing seed is named with how to run it alone. */
export async function checkSeeds(count: number, options: LifeOptions = {}): Promise<void> {
  const only = process.env.SEED;
  for (
    let seed = only === undefined ? 0 : Number(only);
    seed < (only === undefined ? count : Number(only) + 1);
    seed++
  ) {
    try {
      await livesThrough(seed, options);
    } catch (error) {
      const again = `SEED=${seed} npx ava dist/test/order/order-simulation.test.js`;
      throw new Error(`seed ${seed}: ${(error as Error).message}\nrun it alone: ${again}`, { cause: error });
    }
  }
}

async function livesThrough(seed: number, options: LifeOptions): Promise<void> {
  const world = new SimulatedWorld(seed);
  const life = new OrderLife(world, options);
  const generations = world.random.integer(1, GENERATIONS_MAX);
  for (let generation = 0; generation < generations; generation++) await world.run(life.generation());
  await world.run(life.lastGeneration());
}

class OrderLife {
  readonly #disk: SimulatedDisk;
  readonly #perfect: PerfectCatalog;
  readonly #network: SimulatedNetwork;
  readonly #receipts: Receipt[] = [];
  /** Wishes whose outcome was never told: asked for again, under their keys. */
  #open: Wish[] = [];
  #keyCount = 0;

  constructor(
    readonly world: SimulatedWorld,
    readonly options: LifeOptions,
  ) {
    const { broken } = options;
    const stock = new Map(TOYS.map((name) => [name, STOCK]));
    this.#disk = new SimulatedDisk(world);
    this.#perfect = new PerfectCatalog(stock, broken === 'datasync' ? undefined : broken);
    this.#network = new SimulatedNetwork(world, this.#perfect);
  }

  /** From a start to a crash at some step, or to a stop. */
  async generation(): Promise<void> {
    const { random } = this.world;
    for (const disk of [this.#disk]) {
      if (disk === undefined) continue;
      disk.faults.shortWrite = random.chance(0.3) ? 0.1 : 0;
      disk.faults.failedWrite = random.chance(0.2) ? 0.05 : 0;
      disk.faults.failedSync = random.chance(0.1) ? 0.03 : 0;
    }
    const service = new SimulatedProcess(this.world);
    const crashed = new Promise<void>((resolve) => {
      const crashAt = this.world.steps + random.integer(1, STEPS_MAX);
      this.world.onStep = (step) => {
        if (step !== crashAt) return;
        service.kill();
        if (random.chance(0.5)) this.#disk.powerFailure();
        resolve();
      };
    });
    await Promise.race([this.#serve(service), crashed]);
    this.world.onStep = () => undefined;
    service.kill();
  }

  /** On a healthy disk: every open wish is asked for again; then the books must be right. */
  async lastGeneration(): Promise<void> {
    for (const disk of [this.#disk]) {
      if (disk !== undefined) Object.assign(disk.faults, { shortWrite: 0, failedWrite: 0, failedSync: 0 });
    }
    const service = new SimulatedProcess(this.world);
    const { engine, log } = await this.#start(service);
    await this.#buyAll(engine, this.#open);
    if (this.#open.length > 0) throw new Error(`${this.#open.length} orders have no outcome on a healthy disk`);
    for (const receipt of this.#receipts) {
      const order = await engine.get(receipt.number);
      if (order?.name !== receipt.name) throw new Error(`order ${receipt.number} is read back as ${order?.name}`);
    }
    await this.#checkBooks();
    await engine.stop();
    await log.close();
    await this.#checkBooks();
  }

  async #serve(service: SimulatedProcess): Promise<void> {
    let started: Started;
    try {
      started = await this.#start(service);
    } catch (error) {
      // A disk in trouble may forbid the start; contradictions among its files may not be found.
      if (error instanceof StorageError && error.code !== 'CORRUPT') return;
      throw error;
    }
    const { engine, log } = started;
    const { random } = this.world;
    const again = this.#open;
    await this.#buyAll(engine, again);
    const allBought = Promise.all(
      Array.from({ length: BUYERS }, async () => {
        for (let count = 0; count < ORDERS_PER_BUYER; count++) {
          await service.sleep(random.next() * 20);
          const copies = random.chance(0.1) ? 2 : 1;
          const wish = this.#newWish();
          await this.#buyAll(engine, new Array<Wish>(copies).fill(wish));
        }
      }),
    );
    if (random.chance(HASTY_STOP)) {
      await Promise.race([allBought, service.sleep(random.next() * HASTY_STOP_MS)]);
    } else {
      await allBought;
      await engine.stop();
    }
    await log.close().catch((error: unknown) => {
      if (!(error instanceof StorageError || (error instanceof OrderError && error.code === 'LOG_FAILED'))) throw error;
    });
  }

  async #start(service: SimulatedProcess): Promise<Started> {
    const fileSystem = this.#disk.fileSystemOf(service);
    if (this.options.broken === 'datasync') {
      const { open } = fileSystem;
      fileSystem.open = async (path, mode) => {
        const file = await open.call(fileSystem, path, mode);
        if (file !== undefined) file.datasync = async () => undefined;
        return file;
      };
    }
    const log = await FileOrderLog.open({
      directory: DIRECTORY,
      fileSystem,
      clock: service.clock,
      logger: silent,
      syncPeriodMs: 5,
      keySeed: this.world.random.integer(0, 0xffff_ffff),
    });
    const link = this.#network.linkOf(service);
    const limits = { windowMax: 3, batchOrdersMax: 4 };
    const engine = new OrderEngine({ link, log, clock: service.clock, logger: silent, limits });
    await engine.start();
    return { engine, log };
  }

  #newWish(): Wish {
    const { random } = this.world;
    // Some want more than there ever is.
    const quantity = random.chance(0.05) ? STOCK + 1 : random.integer(1, 2);
    const key = `key "${this.#keyCount++}",`.replaceAll(' ', '-');
    return { name: random.pick(TOYS), quantity, key, requestId: '' };
  }

  /** Asks for all of these at once; what has no outcome in the end is open. */
  async #buyAll(engine: OrderEngine, wishes: readonly Wish[]): Promise<void> {
    this.#open = [...this.#open.filter((wish) => !wishes.includes(wish)), ...wishes];
    if (wishes.length === 0) return;
    const { results, numbers } = await engine.place(wishes);
    for (const [index, wish] of wishes.entries()) {
      const result = results[index]!;
      if (result === RESULT.OPEN || result === RESULT.NOT_SELLING) continue;
      const at = this.#open.indexOf(wish);
      if (at >= 0) this.#open.splice(at, 1);
      if (result === RESULT.DONE) this.#receipts.push({ ...wish, number: numbers[index]! });
      else if (result !== RESULT.NOT_ENOUGH_STOCK) throw new Error(`a wish was answered with ${result}`);
    }
  }

  /** What must always hold. */
  async #checkBooks(): Promise<void> {
    if (this.#network.failure !== undefined) throw this.#network.failure;
    const content = this.#disk.content(`${DIRECTORY}/orders.csv`) ?? Buffer.alloc(0);
    const rows: Row[] = parse(content, { columns: true });
    const left = new Map(TOYS.map((name) => [name, STOCK]));
    const keys = new Set<string>();
    for (const [index, row] of rows.entries()) {
      if (Number(row.order_number) !== index) throw new Error(`row ${index} has the number ${row.order_number}`);
      left.set(row.name, left.get(row.name)! - Number(row.quantity));
      const key = row.key;
      if (keys.has(key)) throw new Error(`the key ${key} has two orders`);
      keys.add(key);
    }
    for (const [name, stock] of this.#perfect.stock) {
      if (left.get(name) !== stock) throw new Error(`${name}: ${stock} left, ${left.get(name)} by the orders`);
    }
    for (const { number, name, quantity, key } of this.#receipts) {
      const row = rows[number];
      const isRight = row?.name === name && Number(row.quantity) === quantity;
      if (!isRight) throw new Error(`order ${number} was told as ${quantity} ${name}, but is ${JSON.stringify(row)}`);
      if (row.key !== key) throw new Error(`order ${number} has lost its key`);
    }
  }
}
