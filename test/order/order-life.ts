// order-life.ts: the life of one order service in the simulated world, from one seed, and the check of the books after
// each recovery. Disk, network and clock are simulated; the catalog behind the network is perfect and never dies.
//
//   buyers ─► OrderEngine ─► OrderLog ─► simulated disk: torn, lost and refused writes, power failures
//                  └────────► link ─► catalog: late, lost and repeated messages, also after the sender's death

import { parse } from 'csv-parse/sync';
import type { CatalogLink, PurchaseBatch, Recovery } from '../../src/order/catalog-link.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import { OrderError } from '../../src/order/order-error.js';
import { OrderLog } from '../../src/order/order-log.js';
import { compareTags, RESULT, type SoldOrder, type Tag } from '../../src/order/order-types.js';
import { StorageError } from '../../src/storage/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';
import { silent } from './shop.js';

/** A promise of the design that is not kept, to see that the books then go wrong. */
export type Broken = 'dedupe' | 'recovery' | 'fencing' | 'datasync';

const TOYS = ['Tux', 'Duck, "yellow"', 'Two\nlines'];
const STOCK = 40;
const GENERATIONS_MAX = 4;
const STEPS_MAX = 400;
const BUYERS = 6;
const ORDERS_PER_BUYER = 8;
const CHECKPOINT_BYTES = 1500;
const DIRECTORY = '/data';

interface Wish {
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly transient: boolean;
  readonly requestId: string;
}

interface Receipt extends Wish {
  readonly number: number;
}

interface Started {
  readonly engine: OrderEngine;
  readonly log: OrderLog;
}

interface Row {
  readonly order_number: string;
  readonly name: string;
  readonly quantity: string;
  readonly key: string;
  readonly retry_key: string;
}

/** Runs that many lives; a failing seed is named with how to run it alone. */
export async function checkSeeds(count: number, broken?: Broken): Promise<void> {
  const only = process.env.SEED;
  for (
    let seed = only === undefined ? 0 : Number(only);
    seed < (only === undefined ? count : Number(only) + 1);
    seed++
  ) {
    try {
      await livesThrough(seed, broken);
    } catch (error) {
      const again = `SEED=${seed} npx ava dist/test/order/order-simulation.test.js`;
      throw new Error(`seed ${seed}: ${(error as Error).message}\nrun it alone: ${again}`, { cause: error });
    }
  }
}

async function livesThrough(seed: number, broken: Broken | undefined): Promise<void> {
  const world = new SimulatedWorld(seed);
  const life = new OrderLife(world, broken);
  const generations = world.random.integer(1, GENERATIONS_MAX);
  for (let generation = 0; generation < generations; generation++) await world.run(life.generation());
  await world.run(life.lastGeneration());
}

class OrderLife {
  readonly #disk: SimulatedDisk;
  readonly #catalog: SimulatedCatalog;
  readonly #receipts: Receipt[] = [];
  /** Wishes whose outcome was never told: asked for again, under their keys. */
  #open: Wish[] = [];
  #keyCount = 0;

  constructor(
    readonly world: SimulatedWorld,
    readonly broken: Broken | undefined,
  ) {
    this.#disk = new SimulatedDisk(world);
    this.#catalog = new SimulatedCatalog(world, broken);
  }

  /** From a start to a crash at some step, or to a stop. */
  async generation(): Promise<void> {
    const { random } = this.world;
    const { faults } = this.#disk;
    faults.shortWrite = random.chance(0.3) ? 0.1 : 0;
    faults.failedWrite = random.chance(0.2) ? 0.05 : 0;
    faults.failedSync = random.chance(0.1) ? 0.03 : 0;
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
    Object.assign(this.#disk.faults, { shortWrite: 0, failedWrite: 0, failedSync: 0 });
    const service = new SimulatedProcess(this.world);
    const { engine, log } = await this.#start(service);
    await this.#buyAll(engine, this.#open);
    if (this.#open.length > 0) throw new Error(`${this.#open.length} orders have no outcome on a healthy disk`);
    for (const receipt of this.#receipts) {
      const order = await engine.get(receipt.number);
      if (order?.name !== receipt.name) throw new Error(`order ${receipt.number} is read back as ${order?.name}`);
    }
    this.#checkBooks();
    await engine.stop();
    await log.close();
    this.#checkBooks();
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
    await Promise.all(
      Array.from({ length: BUYERS }, async () => {
        for (let count = 0; count < ORDERS_PER_BUYER; count++) {
          await service.sleep(random.next() * 20);
          const copies = random.chance(0.1) ? 2 : 1;
          const wish = this.#newWish();
          await this.#buyAll(engine, new Array<Wish>(copies).fill(wish));
        }
      }),
    );
    await engine.stop();
    await log.close().catch((error: unknown) => {
      if (!(error instanceof StorageError || (error instanceof OrderError && error.code === 'SYNC_FAILED')))
        throw error;
    });
  }

  async #start(service: SimulatedProcess): Promise<Started> {
    const fileSystem = this.#disk.fileSystemOf(service);
    if (this.broken === 'datasync') {
      const { open } = fileSystem;
      fileSystem.open = async (path, mode) => {
        const file = await open.call(fileSystem, path, mode);
        if (file !== undefined) file.datasync = async () => undefined;
        return file;
      };
    }
    const log = await OrderLog.open({
      directory: DIRECTORY,
      fileSystem,
      clock: service.clock,
      logger: silent,
      syncMode: 'commit',
      keySeed: this.world.random.integer(0, 0xffff_ffff),
      checkpointBytes: CHECKPOINT_BYTES,
    });
    const link = this.#catalog.linkOf(service);
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
    return { name: random.pick(TOYS), quantity, key, transient: random.chance(0.5), requestId: '' };
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
      if (result === RESULT.SOLD) this.#receipts.push({ ...wish, number: numbers[index]! });
      else if (result !== RESULT.NOT_ENOUGH_STOCK) throw new Error(`a wish was answered with ${result}`);
    }
  }

  /** What must always hold. */
  #checkBooks(): void {
    const content = this.#disk.content(`${DIRECTORY}/orders.csv`) ?? Buffer.alloc(0);
    const rows: Row[] = parse(content, { columns: true });
    const left = new Map(TOYS.map((name) => [name, STOCK]));
    const keys = new Set<string>();
    for (const [index, row] of rows.entries()) {
      if (Number(row.order_number) !== index) throw new Error(`row ${index} has the number ${row.order_number}`);
      left.set(row.name, left.get(row.name)! - Number(row.quantity));
      const key = row.key || row.retry_key;
      if (keys.has(key)) throw new Error(`the key ${key} has two orders`);
      keys.add(key);
    }
    for (const [name, stock] of this.#catalog.stock) {
      if (left.get(name) !== stock) throw new Error(`${name}: ${stock} left, ${left.get(name)} by the orders`);
    }
    for (const { number, name, quantity, key } of this.#receipts) {
      const row = rows[number];
      const isRight = row?.name === name && Number(row.quantity) === quantity;
      if (!isRight) throw new Error(`order ${number} was told as ${quantity} ${name}, but is ${JSON.stringify(row)}`);
      if (row.key !== key && row.retry_key !== key) throw new Error(`order ${number} has lost its key`);
    }
  }
}

/** A catalog without faults behind a network that has all of them. It forgets outcomes as it may: by what is settled. */
class SimulatedCatalog {
  readonly stock = new Map(TOYS.map((name) => [name, STOCK]));
  readonly #random;
  #sales: SoldOrder[] = [];
  #outcomes = new Map<number, number>();
  #incarnation = 0;
  #settled = 0;

  constructor(
    readonly world: SimulatedWorld,
    readonly broken: Broken | undefined,
  ) {
    this.#random = world.random;
  }

  linkOf(service: SimulatedProcess): CatalogLink {
    /** Sent and unanswered, oldest first: the same again after each break. */
    const unanswered: { batch: PurchaseBatch; resolve: (results: number[]) => void; reject: (error: Error) => void }[] =
      [];
    let isRunning = false;
    const run = async () => {
      if (isRunning) return;
      isRunning = true;
      for (let next = 0; next < unanswered.length; ) {
        const { batch, resolve, reject } = unanswered[next]!;
        await service.sleep(this.#delayMs());
        const answer = await this.#deliver(batch);
        await service.sleep(this.#delayMs());
        if (this.#random.chance(0.1)) {
          // The connection breaks. What had been on it may still arrive, much later.
          if (this.#random.chance(0.5)) this.world.after(50 * this.#delayMs(), () => this.#process(batch, true));
          continue;
        }
        unanswered.splice(next, 1);
        if (answer === 'fenced') reject(new OrderError('FENCED', 'fenced'));
        else resolve(answer);
      }
      isRunning = false;
    };
    return {
      processOrders: (batch) =>
        new Promise((resolve, reject) => {
          unanswered.push({ batch, resolve, reject });
          void run();
        }),
      recover: async (logged) => {
        await service.sleep(this.#delayMs());
        if (this.#random.chance(0.2)) throw new Error('no connection');
        const recovery = this.#recover(logged);
        await service.sleep(this.#delayMs());
        if (this.#random.chance(0.2)) throw new Error('the connection broke');
        return recovery;
      },
    };
  }

  /** The message is on its way whatever becomes of the sender. */
  async #deliver(batch: PurchaseBatch): Promise<number[] | 'fenced'> {
    await this.world.sleep(this.#delayMs());
    return this.#process(batch, false);
  }

  #recover(logged: Tag): Recovery {
    this.#incarnation++;
    this.#settled = 0;
    this.#outcomes = new Map();
    this.#sales = this.#sales.filter((sale) => compareTags(sale.tag, logged) > 0);
    return { incarnation: this.#incarnation, sales: this.broken === 'recovery' ? [] : this.#sales };
  }

  #process(batch: PurchaseBatch, isStray: boolean): number[] | 'fenced' {
    if (batch.incarnation !== this.#incarnation && this.broken !== 'fencing') return 'fenced';
    if (batch.firstSequence <= this.#settled) {
      if (isStray) return 'fenced';
      throw new Error('a settled tag was sent again');
    }
    this.#settled = Math.max(this.#settled, batch.settledSequence);
    for (const sequence of this.#outcomes.keys()) if (sequence <= this.#settled) this.#outcomes.delete(sequence);
    return batch.purchases.map(({ name, quantity, key }, index) => {
      const sequence = batch.firstSequence + index;
      const before = this.broken === 'dedupe' ? undefined : this.#outcomes.get(sequence);
      if (before !== undefined) return before;
      const left = this.stock.get(name)!;
      const isSold = quantity <= left;
      this.#outcomes.set(sequence, isSold ? RESULT.SOLD : RESULT.NOT_ENOUGH_STOCK);
      if (!isSold) return RESULT.NOT_ENOUGH_STOCK;
      this.stock.set(name, left - quantity);
      this.#sales.push({ tag: { incarnation: batch.incarnation, sequence }, name, quantity, key, transient: false });
      return RESULT.SOLD;
    });
  }

  #delayMs(): number {
    return this.#random.next() * 5;
  }
}
