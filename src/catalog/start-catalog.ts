// start-catalog.ts: the catalog service, put together: data directory, engine, threads. Wiring only.
//
//   main thread: engine (journal, catalog.csv) ◄── bells, calls ──► threads: gRPC, a seller each
//                     └──────────────── shared memory ────────────────┘

import { join } from 'node:path';
import { threadId as currentThreadId, type MessagePort } from 'node:worker_threads';
import { formatAddress } from '../address.js';
import type { Log } from '../log.js';
import { type PoolStats, serveCalls, ThreadPool } from '../pool/index.js';
import type { RunningService } from '../running-service.js';
import type { Settings } from '../settings.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { createDirectory, type DirectoryLock, lockDirectory, waitingFileSystem } from '../storage/index.js';
import { createServiceHub } from '../store-metrics/service-hub.js';
import { CatalogEngine, type CatalogStats } from './catalog-engine.js';
import { THREADS_MAX } from './catalog-limits.js';
import { BELL, type CatalogCalls, type CatalogThreadData, type SellingMessage, sellerOf } from './catalog-messages.js';
import { catalogReadings } from './catalog-metrics.js';

/** The catalog, listening. */
export interface RunningCatalog extends RunningService {
  /** What there is to measure, at this moment. */
  stats(): CatalogStats & { readonly pool: PoolStats };
  /** What is on disk of the stock of the first so many toys: names and quantities. Costs a string per toy. */
  stock(toysMax: number): { readonly name: string; readonly quantity: number }[];
}

const THREAD_MODULE = new URL('./catalog-thread.js', import.meta.url);
/**
 * Connections on one thread before the next is given any: the streams of a front end of three threads and the order
 * service's. A message costs most in waking its thread, and on two cores a second one gives the finds nothing but more
 * of that (docs/performance.md). No more, so that a larger store has more threads at work.
 */
const PACKED_SESSIONS = 4;

/**
 * Starts the catalog in `<DATA_DIR>/catalog`.
 *
 * @throws StorageError, CatalogError, or the system's error for the address; nothing is left running then
 */
export async function startCatalog(settings: Settings, log: Log): Promise<RunningCatalog> {
  const directory = join(settings.dataDir, 'catalog');
  await createDirectory(directory);
  const lock = await lockDirectory(directory);
  const service = new CatalogProcess(settings, log, directory, lock);
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

class CatalogProcess implements RunningCatalog {
  readonly failed: Promise<Error>;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #ports = new Map<number, MessagePort>();
  #fail: (error: Error) => void = () => undefined;
  #isBroken = false;
  #engine: CatalogEngine | undefined;
  #pool: ThreadPool | undefined;
  #address = '';

  constructor(settings: Settings, log: Log, directory: string, lock: DirectoryLock) {
    this.#settings = settings;
    this.#log = log;
    this.#directory = directory;
    this.#lock = lock;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { durability, flushIntervalMs, seedCsv, host, catalogPort } = this.#settings;
    const startMs = performance.now();
    const engine = await CatalogEngine.open({
      directory: this.#directory,
      seedPath: seedCsv,
      fileSystem: waitingFileSystem,
      syncMode: durability === 'commit' ? 'commit' : { periodMs: flushIntervalMs },
      log: this.#log,
      ringSeller: (seller) => this.#ports.get(seller)?.postMessage(BELL),
      onState: (state) => {
        if (state === 'selling') this.#log.info('toys are sold again');
        else if (state === 'full') this.#log.error('no toys are sold until the disk takes writes again');
        else if (state === 'failed') this.#log.error('no toys are sold until the catalog is started again');
        for (const port of this.#ports.values()) this.#tellSelling(port);
      },
      onBroken: (error) => {
        this.#isBroken = true;
        this.#fail(error);
      },
    });
    this.#engine = engine;
    const recoveryMs = Math.round(performance.now() - startMs);
    this.#log.info('catalog open', { directory: this.#directory, toys: engine.memory.table.toys, recoveryMs });
    this.#pool = this.#createPool(engine);
    await this.#pool.start();
    const { address, port } = await this.#pool.listen({ host, port: catalogPort });
    this.#address = formatAddress(address, port);
  }

  stats(): CatalogStats & { readonly pool: PoolStats } {
    return { ...this.#engine!.stats(), pool: this.#pool!.stats() };
  }

  stock(toysMax: number): { readonly name: string; readonly quantity: number }[] {
    const { table } = this.#engine!.memory;
    return Array.from(table.shown.subarray(0, toysMax), (quantity, toy) => ({ name: table.nameOf(toy), quantity }));
  }

  async stop(): Promise<void> {
    // Threads of a broken catalog may wait for a lock that nobody will give back: they end with the process.
    const closed = this.#pool?.close({ drainTimeoutMs: this.#isBroken ? 0 : STOP_BUDGETS.catalog.drainMs });
    if (!this.#isBroken) await closed;
    await this.#engine?.close();
    await this.#lock.release();
  }

  #createPool(engine: CatalogEngine): ThreadPool {
    const { threads, handoff, logLevel } = this.#settings;
    const data: CatalogThreadData = { memory: engine.memory.parts, logLevel };
    const pool = new ThreadPool({
      module: THREAD_MODULE,
      name: 'catalog',
      data,
      threads: Math.min(threads, THREADS_MAX),
      // A handful of long-lived connections, each with many streams: no limit, so that none has to wait for another.
      sessionsPerThread: Number.POSITIVE_INFINITY,
      packedSessions: PACKED_SESSIONS,
      allowHalfOpen: false,
      handoff,
    });
    const hub = createServiceHub('catalog', catalogReadings(this));
    pool.on('spawn', ({ threadIndex, port }) => {
      hub.add(port);
      this.#ports.set(sellerOf(threadIndex), port);
      port.on('message', (message: unknown) => {
        if (message === BELL) engine.wakeKeeper();
      });
      serveCalls<CatalogCalls>(port, { recover: (logged) => engine.recover(logged) });
      this.#tellSelling(port);
    });
    pool.on('acceptError', (error) => this.#log.error('connections cannot be accepted', { error }));
    pool.on('exit', ({ threadId, reason, error }) => {
      if (reason === 'failed') this.#log.error('a thread has ended by itself', { error });
      // Without threads it is this one that has served, and it goes on.
      if (threadId !== currentThreadId) engine.onThreadExit(threadId);
    });
    return pool;
  }

  #tellSelling(port: MessagePort): void {
    const message: SellingMessage = { selling: this.#engine?.state === 'selling' };
    port.postMessage(message);
  }
}
