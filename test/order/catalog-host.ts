// catalog-host.ts: the real catalog engine in the simulated world: it dies at any step, with or without the power, and comes
// back some time later with what its disk has.

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { CatalogError } from '../../src/catalog/catalog-error.js';
import type { PurchaseBatch, Recovery } from '../../src/order/catalog-link.js';
import { quoted } from '../../src/order/order-row.js';
import type { Tag } from '../../src/order/order-types.js';
import { StorageError } from '../../src/storage/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, type SimulatedWorld } from '../support/simulated-world.js';
import type { CatalogEnd, Delivery } from './simulated-network.js';

const DOWN_MS_MAX = 200;
/** Small, so that most lives see a journal begun anew. */
const JOURNAL_BYTES_MAX = 1500;

interface Running {
  readonly process: SimulatedProcess;
  readonly engine: CatalogEngine;
  /** Resolves when it dies. */
  readonly died: Promise<'lost'>;
}

export class CatalogHost implements CatalogEnd {
  life = 1;
  readonly disk: SimulatedDisk;
  readonly #names: string[];
  #running: Running | undefined;
  #isStarting = false;

  constructor(
    readonly world: SimulatedWorld,
    stock: ReadonlyMap<string, number>,
  ) {
    this.disk = new SimulatedDisk(world);
    this.#names = [...stock.keys()];
    const rows = [...stock].map(([name, quantity]) => `${quoted(name)},19.5,${quantity}\n`);
    this.disk.put('/seed.csv', Buffer.from(`name,price,quantity\n${rows.join('')}`));
    void this.#start();
  }

  /** Ends it as it stands. It comes back by itself. */
  kill(): void {
    this.#running?.process.kill();
    if (this.#running === undefined) return;
    this.#running = undefined;
    this.life++;
    if (this.world.random.chance(0.5)) this.disk.powerFailure();
    this.world.after(this.world.random.next() * DOWN_MS_MAX, () => void this.#start());
  }

  async process(batch: PurchaseBatch, isStray: boolean): Promise<Delivery> {
    const running = this.#running;
    if (running === undefined) return 'lost';
    const purchases = batch.purchases.map(({ name, quantity, key, transient }) => ({
      name: Buffer.from(name),
      quantity,
      key: transient ? ` ${key}` : key,
    }));
    try {
      return await Promise.race([running.engine.purchase({ ...batch, purchases }), running.died]);
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error;
      if (error.code === 'FOREIGN_INCARNATION' || (error.code === 'SETTLED_TAG' && isStray)) return 'fenced';
      if (error.code !== 'NOT_JOURNALED') throw error;
      // Only a restart helps: somebody sees to it.
      if (running === this.#running) this.kill();
      return 'lost';
    }
  }

  async recover(logged: Tag): Promise<Recovery> {
    const running = this.#running;
    if (running === undefined) throw new Error('no catalog');
    const recovered = await Promise.race([
      running.engine.recover({ logged, store: '', endedUncleanly: true }),
      running.died,
    ]);
    if (recovered === 'lost') throw new Error('the catalog died');
    if ('lacking' in recovered) throw new Error('the catalog lacks sales');
    const sales = recovered.sales.map(({ incarnation, sequence, name, quantity, key }) => ({
      tag: { incarnation, sequence },
      name: Buffer.from(name).toString(),
      quantity,
      key: key.trimStart(),
      transient: key.startsWith(' '),
    }));
    return { incarnation: recovered.incarnation, sales };
  }

  /** What is left, as queries see it. Waits until the catalog is up. */
  async stock(): Promise<Map<string, number>> {
    while (this.#running === undefined) await this.world.sleep(10);
    const { quantities } = this.#running.engine.find(this.#names.map((name) => Buffer.from(name)));
    return new Map(this.#names.map((name, index) => [name, quantities[index]!]));
  }

  async #start(): Promise<void> {
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#running === undefined) {
      const process = new SimulatedProcess(this.world);
      const died = new Promise<'lost'>((resolve) => process.onKill(() => resolve('lost')));
      try {
        const engine = await CatalogEngine.open({
          directory: '/data',
          seedPath: '/seed.csv',
          syncMode: 'commit',
          fileSystem: this.disk.fileSystemOf(process),
          clock: process.clock,
          journalBytesMax: JOURNAL_BYTES_MAX,
          onBroken: (error) => {
            throw error;
          },
        });
        this.#running = { process, engine, died };
      } catch (error) {
        if (!(error instanceof StorageError) || error.code === 'CORRUPT') throw error;
        process.kill();
        await this.world.sleep(50);
      }
    }
    this.#isStarting = false;
  }
}
