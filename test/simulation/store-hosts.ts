// store-hosts.ts: the machines of the simulated store: each runs one engine on a disk of its own, and starts it again
// when it dies, as the supervisor does.

import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { CatalogError } from '../../src/catalog/catalog-error.js';
import { Log } from '../../src/log.js';
import type { CatalogLink } from '../../src/order/catalog-link.js';
import { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderEngine } from '../../src/order/order-engine.js';
import { OrderError } from '../../src/order/order-error.js';
import type { OrderLog } from '../../src/order/order-log.js';
import type { OrderRequest } from '../../src/order/order-types.js';
import { PostgresError } from '../../src/postgres/index.js';
import { mayBeRepeated } from '../../src/postgres/postgres-error.js';
import { type FileSystem, StorageError, type SyncMode, secondNameOf } from '../../src/storage/index.js';
import type { PurchaseBatch } from '../../src/store-contract.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { SimulatedProcess, type SimulatedWorld } from '../support/simulated-world.js';

/** How a mutation gets between an engine and what it stands on. */
export interface Seams {
  readonly catalogFiles?: (fileSystem: FileSystem) => FileSystem;
  readonly orderFiles?: (fileSystem: FileSystem) => FileSystem;
  readonly link?: (link: CatalogLink) => CatalogLink;
  /** A batch as it gets to the catalog, whose newest incarnation is given. */
  readonly batch?: (batch: PurchaseBatch<OrderRequest>, newest: number) => PurchaseBatch<OrderRequest>;
  /** The key that a buyer's order carries when it gets to the order service. */
  readonly key?: (key: string, attempt: number) => string;
}

export interface HostOptions {
  readonly world: SimulatedWorld;
  readonly syncMode: SyncMode;
  readonly seams: Seams;
}

const RESTART_MS_MIN = 5;
const RESTART_MS_MAX = 400;
/** How soon a service that cannot go on ends by itself. */
const END_MS_MAX = 300;
const WATCH_MS = 100;
/** Of the order log; about as long as a batch is under way, so that crashes come at every moment between two syncs. */
const SYNC_PERIOD_MS = 20;
/** Small, so that new journals begin in every run. */
const JOURNAL_BYTES_MAX = 1500;

const silent = new Log('silent');

/** A machine with one service on it. */
export abstract class Host {
  readonly disk: SimulatedDisk;
  process: SimulatedProcess;
  starts = 0;
  /** Ends the life with that error. */
  protected fail: (error: Error) => void = () => undefined;
  #isStopped = false;
  /** The clean stop that is under way, or was made; until the service is up again. */
  #stopping: Promise<void> | undefined;
  #paused: Promise<void> | undefined;
  #onEnd: () => void = () => undefined;

  constructor(readonly options: HostOptions) {
    this.disk = new SimulatedDisk(options.world);
    this.process = new SimulatedProcess(options.world);
    this.process.kill();
  }

  /** Whether the service answers, and will. */
  get isUp(): boolean {
    return this.#stopping === undefined && this.isServing;
  }

  protected abstract get isServing(): boolean;

  /** Opens the service; what it throws is how it fails to start. */
  protected abstract boot(process: SimulatedProcess): Promise<void>;

  protected abstract forget(): void;

  /** Keeps the service running; rejects if it refuses to start for a reason that no crash may cause. */
  async run(): Promise<void> {
    const { world } = this.options;
    while (!this.#isStopped) {
      this.process = new SimulatedProcess(world);
      const ended = new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
      const failed = new Promise<never>((_, reject) => {
        this.fail = reject;
      });
      failed.catch(() => undefined);
      this.starts++;
      const booted = this.boot(this.process).then(
        () => {
          this.#stopping = undefined;
        },
        (error: unknown) => {
          if (!isExpectedAtStart(error)) throw error;
          this.crash(false);
        },
      );
      await Promise.race([booted, ended, failed]);
      await Promise.race([ended, failed]);
      await world.sleep(world.random.integer(RESTART_MS_MIN, RESTART_MS_MAX));
      await this.#paused;
    }
  }

  /** Whether the service goes on with its file; from the last step of a clean stop on it is anybody's. */
  uses(path: string): boolean {
    return this.#stopping === undefined || this.disk.lookUp(secondNameOf(path)) !== undefined;
  }

  /** Ends the process at once; with a power failure also what its disk had not on it. */
  crash(isPowerFailure: boolean): void {
    this.process.kill();
    this.forget();
    if (isPowerFailure) this.disk.powerFailure();
    this.#onEnd();
  }

  /** The service says that it cannot go on: it will be started again, a little later. */
  protected endSoon(process: SimulatedProcess): void {
    process.after(this.options.world.random.integer(0, END_MS_MAX), () => this.crash(false));
  }

  /** Ends the service in order, as far as it can. */
  protected abstract shutDown(): Promise<void>;

  /**
   * Stops the service cleanly; it is started again at once, or when the function that is returned is called.
   *
   * @param isKept does not come back by itself
   */
  async stop(isKept: boolean): Promise<() => void> {
    let resume: () => void = () => undefined;
    if (isKept) {
      this.#paused = new Promise((resolve) => {
        resume = resolve;
      });
    }
    const { process } = this;
    const killed = new Promise<void>((resolve) => process.onKill(resolve));
    // A crash may come meanwhile.
    this.#stopping ??= this.shutDown();
    await Promise.race([this.#stopping, killed]);
    if (process.isAlive) this.crash(false);
    return resume;
  }

  /** Does not start the service again when it ends. */
  stopStarting(): void {
    this.#isStopped = true;
  }
}

export class CatalogHost extends Host {
  engine: CatalogEngine | undefined;

  constructor(
    options: HostOptions,
    readonly seedCsv: string,
  ) {
    super(options);
    this.disk.put('/seed.csv', Buffer.from(seedCsv));
  }

  protected override get isServing(): boolean {
    return this.engine?.state === 'selling';
  }

  /** What a front end is shown of a toy; undefined: it gets no answer. */
  find(name: string): number | undefined {
    return this.engine?.find([Buffer.from(name)]).quantities[0];
  }

  protected override async boot(process: SimulatedProcess): Promise<void> {
    const engine = await this.openEngine(process);
    // What had its answer already when it died goes on for a step or two.
    if (!process.isAlive) return;
    this.engine = engine;
    if (engine.state === 'failed') this.endSoon(process);
  }

  protected openEngine(process: SimulatedProcess): Promise<CatalogEngine> {
    const files = this.disk.fileSystemOf(process);
    return CatalogEngine.open({
      directory: '/catalog',
      seedPath: '/seed.csv',
      syncMode: this.options.syncMode,
      fileSystem: this.options.seams.catalogFiles?.(files) ?? files,
      clock: process.clock,
      journalBytesMax: JOURNAL_BYTES_MAX,
      onState: (state) => {
        if (state === 'failed') this.endSoon(process);
      },
      onBroken: () => this.endSoon(process),
    });
  }

  protected override async shutDown(): Promise<void> {
    await this.engine?.close().catch((error: unknown) => {
      if (!isExpectedAtStart(error)) throw error;
    });
  }

  protected override forget(): void {
    this.engine = undefined;
  }
}

export class OrderHost extends Host {
  engine: OrderEngine | undefined;
  log: OrderLog | undefined;
  /** Why the catalog does not sell to this start of the service. */
  refusal = '';
  /** Somebody has put another book in place. */
  mayBeRefused = false;

  constructor(
    options: HostOptions,
    readonly connect: (process: SimulatedProcess) => CatalogLink,
  ) {
    super(options);
  }

  protected override get isServing(): boolean {
    return this.engine?.isSelling === true;
  }

  protected override async boot(process: SimulatedProcess): Promise<void> {
    const { seams } = this.options;
    const log = await this.openLog(process);
    if (!process.isAlive) return;
    this.log = log;
    const link = this.#noting(this.connect(process));
    this.engine = new OrderEngine({
      link: seams.link?.(link) ?? link,
      log: this.log,
      clock: process.clock,
      logger: silent,
      limits: { batchOrdersMax: 3 },
    });
    const { engine } = this;
    void engine.failed.then(() => this.endSoon(process));
    void this.engine.start();
    this.#watch(process, this.log);
  }

  protected openLog(process: SimulatedProcess): Promise<OrderLog> {
    const files = this.disk.fileSystemOf(process);
    const { world, seams, syncMode } = this.options;
    return FileOrderLog.open({
      directory: '/order',
      fileSystem: seams.orderFiles?.(files) ?? files,
      clock: process.clock,
      logger: silent,
      syncPeriodMs: syncMode === 'commit' ? SYNC_PERIOD_MS : syncMode.periodMs,
      keySeed: world.seed,
    });
  }

  #noting(link: CatalogLink): CatalogLink {
    const note = (error: unknown): never => {
      if (error instanceof OrderError && error.code === 'REFUSED') {
        this.refusal = error.message;
        if (!this.mayBeRefused) this.fail(new Error(`nobody has touched the books, and yet: ${error.message}`));
      }
      throw error;
    };
    return {
      processOrders: (batch) => link.processOrders(batch),
      recall: () => link.recall(),
      recover: (position) => link.recover(position).catch(note),
      restore: (store, sales) => link.restore(store, sales).catch(note),
    };
  }

  protected override async shutDown(): Promise<void> {
    const { engine, log } = this;
    if (engine === undefined || log === undefined) return;
    // Some stops do not wait for what is under way.
    if (this.options.world.random.chance(0.8)) await engine.stop();
    await log.close().catch((error: unknown) => {
      if (!isExpectedAtStart(error)) throw error;
    });
  }

  /** With a sync period, a sync may fail while nobody waits for it: the operator sees it and starts the service again. */
  #watch(process: SimulatedProcess, log: OrderLog): void {
    if (log.state === 'failed') this.endSoon(process);
    else process.after(WATCH_MS, () => this.#watch(process, log));
  }

  protected override forget(): void {
    this.engine = undefined;
    this.log = undefined;
    this.refusal = '';
  }
}

/** A faulty disk may keep a service from starting; damage that no crash explains must not be there at all. */
function isExpectedAtStart(error: unknown): boolean {
  if (error instanceof StorageError) return error.code !== 'CORRUPT';
  if (error instanceof OrderError) return error.code === 'LOG_FAILED';
  if (error instanceof CatalogError) return error.code === 'NOT_JOURNALED';
  if (error instanceof PostgresError) return error.code === 'FENCED' || mayBeRepeated(error);
  return error instanceof Error && error.message.startsWith('simulated ');
}
