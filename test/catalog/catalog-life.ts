// catalog-life.ts: the life of a catalog in the simulated world, from one seed, beside an order service that is a model of
// the real one: it keeps a log that nothing can harm, sends purchases under consecutive tags, some of them twice, completes
// their outcomes in order, and starts anew now and then. The catalog dies at any step, with or without the power.
//
// What must hold whenever both are at rest: initial stock - stock = what the log has; and at every step: what a query has
// shown was on the disk.

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { CatalogError } from '../../src/catalog/catalog-error.js';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import type { Purchase } from '../../src/catalog/catalog-seller.js';
import { type FileSystem, StorageError } from '../../src/storage/index.js';
import { compareTags, NO_TAG, type PurchaseBatch, type Tag } from '../../src/store-contract.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';

export interface CatalogWorldOptions {
  readonly powerFailures?: boolean;
  /** Writes and syncs fail now and then, and the disk fills up. */
  readonly faults?: boolean;
  readonly periodMs?: number;
  /** Gets between the catalog and its disk. */
  readonly files?: (fileSystem: FileSystem) => FileSystem;
  /** The order service completes nothing of what it is told when it starts. */
  readonly forgetsSales?: boolean;
  /** It sends nothing of what the catalog has lost. */
  readonly restoresNothing?: boolean;
}

const NAMES = ['Tux', 'Whale', 'Fox'];
const STOCK = 60;
const SEED = Buffer.from(`name,price,quantity\n${NAMES.map((name) => `${name},19.5,${STOCK}\n`).join('')}`);
const GENERATIONS_MAX = 6;
const STEPS_MAX = 150;
/** Small, so that new journals are begun in most lives. */
const JOURNAL_BYTES_MAX = 600;
const DIRECTORY = '/data';

interface Bought {
  readonly toy: number;
  readonly quantity: number;
}

/** A purchase that was sent. */
interface Open {
  readonly sequence: number;
  readonly bought: Bought;
}

/** One life; returns how many steps it took, or throws what did not hold. */
export async function livesThrough(seed: number, options: CatalogWorldOptions): Promise<number> {
  const world = new SimulatedWorld(seed);
  const disk = new SimulatedDisk(world);
  disk.put('/seed.csv', SEED);
  const life = new CatalogLife(world, disk, options);
  const generations = world.random.integer(1, GENERATIONS_MAX);
  for (let generation = 0; generation < generations; generation++) await world.run(life.generation(false));
  await world.run(life.generation(true));
  return world.steps;
}

class CatalogLife {
  /** The order service's log: what each tag bought, by tag. */
  readonly #log = new Map<string, { readonly tag: Tag; readonly bought: Bought }>();
  #logged: Tag = NO_TAG;
  #store = '';
  #incarnation = 0;
  /** The order service has begun to recover, and has not finished. */
  #isRecovering = true;
  #nextSequence = 1;
  #settled = 0;
  /** Sent, and not completed: oldest first. */
  #open: Open[] = [];
  /** The least stock that a query has shown. */
  readonly #shown = NAMES.map(() => STOCK);

  constructor(
    readonly world: SimulatedWorld,
    readonly disk: SimulatedDisk,
    readonly options: CatalogWorldOptions,
  ) {}

  /** From one start of the catalog to its end: by death at some step, or, for the last, in order. */
  async generation(isLast: boolean): Promise<void> {
    const { world, disk, options } = this;
    const process = new SimulatedProcess(world);
    const died = new Promise<'died'>((resolve) => process.onKill(() => resolve('died')));
    const deathStep = isLast ? Number.POSITIVE_INFINITY : world.steps + world.random.integer(1, STEPS_MAX);
    world.onStep = (step) => {
      if (step >= deathStep) process.kill();
    };
    this.#setFaults(isLast);
    const outcome = await Promise.race([this.#live(process, isLast), died]);
    world.onStep = () => undefined;
    if (outcome === 'died' && options.powerFailures !== false && world.random.chance(0.5)) disk.powerFailure();
    this.#checkFile();
  }

  async #live(process: SimulatedProcess, isLast: boolean): Promise<'lived'> {
    const { world, options } = this;
    let engine: CatalogEngine;
    try {
      engine = await this.#openEngine(process);
    } catch (error) {
      // A disk that fails at the start: the supervisor starts the catalog again.
      if (!isLast && options.faults) return this.#end(process);
      throw error;
    }
    for (const [toy, quantity] of this.#stock(engine).entries()) {
      if (quantity > this.#shown[toy]! && !this.#mayForget)
        throw new Error(`${NAMES[toy]}: a query had shown ${this.#shown[toy]}, now ${quantity}`);
    }
    if (world.random.chance(0.5)) this.#isRecovering = true;
    // Its purchases are refused: it has to begin anew.
    if (engine.incarnation !== this.#incarnation) this.#isRecovering = true;
    if (this.#isRecovering && !(await this.#startOrder(engine))) return this.#end(process);
    await this.#sendOpen(engine);
    if (this.#open.length === 0) this.#checkBooks(engine);
    await this.#trade(engine, process);
    // The order service alone is started again.
    if (world.random.chance(0.3)) {
      this.#isRecovering = true;
      if (!(await this.#startOrder(engine))) return this.#end(process);
      await this.#trade(engine, process);
    }
    if (isLast || (world.random.chance(0.3) && this.#open.length === 0)) {
      await this.#sendOpen(engine);
      if (this.#open.length > 0 && isLast) throw new Error('purchases are left without an outcome');
      this.#checkBooks(engine);
      await engine.close().catch((error: unknown) => {
        // A faulty disk: the journal has what catalog.csv lacks.
        if (isLast || !(error instanceof StorageError)) throw error;
      });
      if (isLast || !options.faults) this.#checkCleanStop();
    }
    return this.#end(process);
  }

  #end(process: SimulatedProcess): 'lived' {
    process.kill();
    return 'lived';
  }

  #openEngine(process: SimulatedProcess): Promise<CatalogEngine> {
    const { periodMs, files = (fileSystem) => fileSystem } = this.options;
    return CatalogEngine.open({
      directory: DIRECTORY,
      seedPath: '/seed.csv',
      syncMode: periodMs === undefined ? 'commit' : { periodMs },
      fileSystem: files(this.disk.fileSystemOf(process)),
      clock: process.clock,
      journalBytesMax: JOURNAL_BYTES_MAX,
      onBroken: (error) => {
        throw error;
      },
    });
  }

  /** The order service starts: completes what the catalog sold, and gets an incarnation. */
  async #startOrder(engine: CatalogEngine): Promise<boolean> {
    const { world, options } = this;
    for (;;) {
      try {
        const logged = this.#logged;
        const recovered = await engine.recover({ logged, store: this.#store, endedUncleanly: true });
        this.#store = recovered.storeId;
        if ('lacking' in recovered) {
          await this.#restore(engine, recovered.lacking);
          continue;
        }
        const { incarnation, sales } = recovered;
        this.#isRecovering = false;
        this.#open = [];
        this.#incarnation = incarnation;
        this.#nextSequence = 1;
        this.#settled = 0;
        if (options.forgetsSales === true) return true;
        for (const sale of sales) {
          const toy = NAMES.indexOf(sale.name.toString());
          this.#complete(sale.incarnation, sale.sequence, { toy, quantity: sale.quantity });
          if (sale.key !== keyOf(sale.sequence)) throw new Error(`sale ${sale.sequence} has the key ${sale.key}`);
        }
        return true;
      } catch (error) {
        if (!(error instanceof CatalogError) || error.code !== 'NOT_JOURNALED') throw error;
        if (engine.state === 'failed') return false;
        await world.sleep(100);
      }
    }
  }

  /** Where the catalog has lost what was synced now and then only, the log has it. */
  async #restore(engine: CatalogEngine, lacking: Tag): Promise<void> {
    const { periodMs, powerFailures } = this.options;
    if (periodMs === undefined || powerFailures === false)
      throw new Error('the catalog has lost sales that it answered');
    if (this.options.restoresNothing === true) {
      this.#logged = lacking;
      return;
    }
    const sales = [...this.#log.values()].filter(({ tag }) => compareTags(tag, lacking) > 0);
    await engine.restore(
      this.#store,
      sales.map(({ tag, bought }) => ({
        ...tag,
        name: Buffer.from(NAMES[bought.toy]!),
        quantity: bought.quantity,
        key: keyOf(tag.sequence),
      })),
    );
  }

  /** Some batches, several at a time, each completed in its turn; then a rest. */
  async #trade(engine: CatalogEngine, process: SimulatedProcess): Promise<void> {
    const { world } = this;
    const rounds = world.random.integer(0, 12);
    for (let round = 0; round < rounds; round++) {
      const batches = Array.from({ length: world.random.integer(1, 3) }, () => this.#newBatch());
      const answers = batches.map((batch) => engine.purchase(batch));
      for (const answer of answers) answer.catch(() => undefined);
      if (world.random.chance(0.2)) void engine.purchase(world.random.pick(batches)).catch(() => undefined);
      for (const [toy, quantity] of this.#stock(engine).entries()) this.#note(toy, quantity);
      for (const [index, answer] of answers.entries()) {
        if (!(await this.#completed(batches[index]!, answer))) return;
      }
      if (world.random.chance(0.3)) await process.sleep(world.random.integer(1, 1500));
    }
  }

  #newBatch(): PurchaseBatch<Purchase> {
    const { random } = this.world;
    const first = this.#nextSequence;
    const count = random.integer(1, 5);
    for (let sequence = first; sequence < first + count; sequence++) {
      const bought = { toy: random.integer(0, NAMES.length - 1), quantity: random.integer(1, 4) };
      this.#open.push({ sequence, bought });
    }
    this.#nextSequence += count;
    return this.#batchOf(this.#open.slice(-count));
  }

  /** What was sent without an answer is sent again, in the same order, until it is answered. */
  async #sendOpen(engine: CatalogEngine): Promise<void> {
    while (this.#open.length > 0 && engine.state !== 'failed') {
      const batch = this.#batchOf(this.#open.slice(0, this.world.random.integer(1, 8)));
      if (!(await this.#completed(batch, engine.purchase(batch)))) return;
    }
  }

  #batchOf(open: readonly Open[]): PurchaseBatch<Purchase> {
    const purchases = open.map(({ sequence, bought }) => ({
      name: Buffer.from(NAMES[bought.toy]!),
      quantity: bought.quantity,
      key: keyOf(sequence),
    }));
    return {
      incarnation: this.#incarnation,
      firstSequence: open[0]!.sequence,
      settledSequence: this.#settled,
      purchases,
    };
  }

  /** Completes the outcomes in order; false if the catalog could not tell them. */
  async #completed(batch: PurchaseBatch<Purchase>, answer: Promise<readonly number[]>): Promise<boolean> {
    let outcomes: readonly number[];
    try {
      outcomes = await answer;
    } catch (error) {
      if (error instanceof CatalogError && error.code === 'NOT_JOURNALED') return false;
      throw error;
    }
    for (const [index, outcome] of outcomes.entries()) {
      const sequence = batch.firstSequence + index;
      const first = this.#open.shift();
      if (first?.sequence !== sequence) throw new Error('the model has lost its order');
      if (outcome === 0) this.#complete(this.#incarnation, sequence, first.bought);
      this.#settled = sequence;
    }
    return true;
  }

  #complete(incarnation: number, sequence: number, bought: Bought): void {
    const tag = `${incarnation}:${sequence}`;
    if (this.#log.has(tag)) throw new Error(`the purchase ${tag} was sold twice`);
    this.#log.set(tag, { tag: { incarnation, sequence }, bought });
    this.#logged = { incarnation, sequence };
  }

  #stock(engine: CatalogEngine): number[] {
    return engine.find(NAMES.map((name) => Buffer.from(name))).quantities;
  }

  /** What is synced now and then only, a power failure takes back: also what queries have shown. */
  get #mayForget(): boolean {
    return this.options.periodMs !== undefined && this.options.powerFailures !== false;
  }

  #note(toy: number, quantity: number): void {
    this.#shown[toy] = Math.min(this.#shown[toy]!, quantity);
  }

  #checkBooks(engine: CatalogEngine): void {
    if (this.#open.length > 0) return;
    this.#compare(this.#stock(engine), 'the books do not agree');
  }

  /** After a clean stop catalog.csv is the truth, and nothing is missing from it. */
  #checkCleanStop(): void {
    const { quantities } = parseCatalog(this.disk.content(`${DIRECTORY}/catalog.csv`)!, 'catalog.csv');
    this.#compare([...quantities], 'catalog.csv is not what was sold');
  }

  #compare(stock: readonly number[], reason: string): void {
    const expected = NAMES.map(() => STOCK);
    for (const { bought } of this.#log.values()) expected[bought.toy]! -= bought.quantity;
    if (stock.join() !== expected.join()) throw new Error(`${reason}: stock ${stock}, by the log ${expected}`);
  }

  /** Whatever happens, catalog.csv is a whole file, or was never there. */
  #checkFile(): void {
    const content = this.disk.content(`${DIRECTORY}/catalog.csv`);
    if (content !== undefined) parseCatalog(content, 'catalog.csv');
  }

  #setFaults(isLast: boolean): void {
    const { random } = this.world;
    const { faults } = this.disk;
    const isFaulty = this.options.faults === true && !isLast && random.chance(0.6);
    faults.shortWrite = isFaulty && random.chance(0.3) ? 0.1 : 0;
    faults.failedWrite = isFaulty && random.chance(0.5) ? 0.08 : 0;
    faults.failedSync = isFaulty && random.chance(0.3) ? 0.03 : 0;
    faults.capacityBytes = isFaulty && random.chance(0.4) ? random.integer(1_000, 200_000) : Number.POSITIVE_INFINITY;
  }
}

function keyOf(sequence: number): string {
  return sequence % 3 === 0 ? '' : `key-${sequence}`;
}
