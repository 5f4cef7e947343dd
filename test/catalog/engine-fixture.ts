// engine-fixture.ts: a catalog engine on a simulated disk whose clock is moved by the test.

import { CatalogEngine, type CatalogEngineOptions } from '../../src/catalog/catalog-engine.js';
import type { FileStoreOptions } from '../../src/catalog/catalog-files.js';
import type { Purchase } from '../../src/catalog/catalog-seller.js';
import type { Sale } from '../../src/catalog/catalog-store.js';
import { NO_TAG, type PurchaseBatch, type Tag } from '../../src/store-contract.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';

export const CSV = '/data/catalog.csv';
export const JOURNAL = '/data/journal';

export class EngineWorld {
  readonly world = new SimulatedWorld(1);
  readonly disk = new SimulatedDisk(this.world);
  /** Opening this path fails as on a full disk. */
  refusedPath: string | undefined;
  #process = new SimulatedProcess(this.world);

  constructor(seed = 'name,price,quantity\nTux,15.99,100\nWhale,19.5,100\nFox,12.99,1\n') {
    this.disk.put('/seed.csv', Buffer.from(seed));
  }

  /** Lets time pass until `story` has ended. */
  run<T>(story: Promise<T>): Promise<T> {
    return this.world.run(story);
  }

  open(options: Partial<CatalogEngineOptions & FileStoreOptions> = {}): Promise<CatalogEngine> {
    this.#process = new SimulatedProcess(this.world);
    const fileSystem = this.disk.fileSystemOf(this.#process);
    const open = fileSystem.open.bind(fileSystem);
    fileSystem.open = (path, mode) =>
      path === this.refusedPath
        ? Promise.reject(Object.assign(new Error('no room for a file'), { code: 'ENOSPC' }))
        : open(path, mode);
    return this.run(
      CatalogEngine.open({
        directory: '/data',
        seedPath: '/seed.csv',
        syncMode: 'commit',
        fileSystem,
        clock: this.#process.clock,
        ...options,
      }),
    );
  }

  /** What kill -9 leaves. */
  kill(): void {
    this.#process.kill();
  }

  /** Lets that much time pass. */
  sleep(ms: number): Promise<void> {
    return this.run(this.world.sleep(ms));
  }

  csv(): string {
    return this.disk.content(CSV)!.toString();
  }

  /** As an editor does it: another file under the same name. */
  edit(change: (csv: string) => string): void {
    this.disk.put(CSV, Buffer.from(change(this.csv())));
  }

  /** Writes into the file itself. */
  editInPlace(change: (csv: string) => string): void {
    const csv = Buffer.from(change(this.csv()));
    const file = this.disk.lookUp(CSV)!;
    file.truncate(0);
    file.write(csv, 0);
    file.sync();
  }

  /** Takes a name away. */
  remove(path: string): void {
    this.disk.changeName(path, (names) => names.delete(path));
    this.disk.syncNames('/data');
  }
}

/** Purchases as `'Tux 3'`, under consecutive tags. */
export function batch(
  incarnation: number,
  firstSequence: number,
  bought: string[],
  settledSequence = 0,
): PurchaseBatch<Purchase> {
  const purchases = bought.map((text, index) => {
    const [name = '', quantity = '1'] = text.split(' ');
    const key = `key-${firstSequence + index}`;
    return { name: Buffer.from(name), quantity: Number(quantity), key };
  });
  return { incarnation, firstSequence, settledSequence, purchases };
}

/** The order service begins after a crash, with a log that ends at a tag. */
export async function begin(
  engine: CatalogEngine,
  logged: Tag = NO_TAG,
): Promise<{ readonly incarnation: number; readonly sales: readonly Sale[] }> {
  const recovered = await engine.recover({ logged, store: '', endedUncleanly: true });
  if ('lacking' in recovered) throw new Error('the catalog lacks sales');
  return recovered;
}

export function stock(engine: CatalogEngine, ...names: string[]): number[] {
  return engine.find(names.map((name) => Buffer.from(name))).quantities;
}
