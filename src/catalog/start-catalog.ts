// start-catalog.ts: the catalog service, put together: data directory, engine, threads. Wiring only.
//
//   main thread: engine (journal, catalog.csv), gRPC ◄── all but finds, as bytes ── threads: gRPC
//                     └── writes ──► table in shared memory ◄── finds ──────────────┘

import { join } from 'node:path';
import { threadId as currentThreadId } from 'node:worker_threads';
import { formatAddress } from '../address.js';
import { openPeerIdentity } from '../certificates.js';
import type { Log } from '../log.js';
import { type PoolStats, ThreadPool } from '../pool/index.js';
import type { RunningService } from '../running-service.js';
import type { Settings } from '../settings.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { createDirectory, lockDirectory } from '../storage/index.js';
import { createServiceHub } from '../store-metrics/service-hub.js';
import { certificateReadings } from '../store-metrics/tls-readings.js';
import type { WatchedIdentity } from '../tls/watched-identity.js';
import { openTracer, readTracing, type TracingOptions } from '../tracing/index.js';
import { CatalogDesk } from './catalog-desk.js';
import { CatalogEngine, type CatalogStats } from './catalog-engine.js';
import type { FileStoreOptions } from './catalog-files.js';
import { THREADS_MAX } from './catalog-limits.js';
import type { CatalogThreadData } from './catalog-messages.js';
import { catalogReadings } from './catalog-metrics.js';
import type { CatalogStore, CatalogStoreEvents } from './catalog-store.js';
import { FileCatalogStore } from './file-catalog-store.js';
import type { StockTable } from './stock-table.js';

export interface RunningCatalog extends RunningService {
  /** What there is to measure, at this moment. */
  stats(): CatalogStats & { readonly pool: PoolStats };
  /** What is on disk of the stock of the first so many toys: names and quantities. Costs a string per toy. */
  stock(toysMax: number): { readonly name: string; readonly quantity: number }[];
}

const THREAD_MODULE = new URL('./catalog-thread.js', import.meta.url);
/**
 * Connections that are served where the engine is: a purchase then changes threads twice less on its way. Enough for the
 * order service's, for the front ends that hold toys, and for those who ask for health and metrics beside them; a store
 * with more front ends gets the other threads too.
 */
const ACCEPTOR_SESSIONS = 8;
/** How soon the health service says that another catalog may serve. */
const OWNER_CHECK_MS = 100;

/** Where a catalog keeps its state. */
export interface CatalogHome {
  /** For the log: a directory, or a database. */
  readonly place: string;
  /** Where others could take over: until when they cannot, see ownership.ts. */
  readonly ownership?: SharedArrayBuffer;
  openStore(events: CatalogStoreEvents): Promise<CatalogStore>;
  /** Called at the end, after the store was closed, or could not be opened. */
  release(): Promise<void>;
}

/**
 * Starts the catalog in `<DATA_DIR>/catalog`.
 *
 * @throws StorageError, CatalogError, or the system's error for the address; nothing is left running then
 */
export async function startCatalog(settings: Settings, log: Log): Promise<RunningCatalog> {
  const { durability, flushIntervalMs, seedCsv } = settings;
  const directory = join(settings.dataDir, 'catalog');
  await createDirectory(directory);
  const lock = await lockDirectory(directory);
  const options: FileStoreOptions = {
    directory,
    seedPath: seedCsv,
    syncMode: durability === 'commit' ? 'commit' : { periodMs: flushIntervalMs },
    log,
  };
  const openStore = (events: CatalogStoreEvents): Promise<CatalogStore> => FileCatalogStore.open(options, events);
  return startCatalogIn({ place: directory, openStore, release: () => lock.release() }, settings, log);
}

/** Starts the catalog over a home that is its own. @throws what opening the store does, and as startCatalog() */
export async function startCatalogIn(home: CatalogHome, settings: Settings, log: Log): Promise<RunningCatalog> {
  const service = new CatalogProcess(home, settings, log);
  try {
    await service.start();
    return service;
  } catch (error) {
    await service.stop().catch(() => undefined);
    throw error;
  }
}

class CatalogProcess implements RunningCatalog {
  readonly failed: Promise<Error>;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #home: CatalogHome;
  #fail: (error: Error) => void = () => undefined;
  #isBroken = false;
  #engine: CatalogEngine | undefined;
  #desk: CatalogDesk | undefined;
  #pool: ThreadPool | undefined;
  #peers: WatchedIdentity | undefined;
  #address = '';
  #wasOwner = true;
  #ownerTimer: NodeJS.Timeout | undefined;

  constructor(home: CatalogHome, settings: Settings, log: Log) {
    this.#home = home;
    this.#settings = settings;
    this.#log = log;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  get address(): string {
    return this.#address;
  }

  async start(): Promise<void> {
    const { host, catalogPort, leaseMs } = this.#settings;
    this.#peers = openPeerIdentity(this.#settings, 'catalog', this.#log);
    const startMs = performance.now();
    const engine = await CatalogEngine.openOver((events) => this.#home.openStore(events), {
      log: this.#log,
      leaseMs,
      onState: (state) => {
        if (state === 'selling') this.#log.info('toys are sold again');
        else if (state === 'full') this.#log.error('no toys are sold until the disk takes writes again');
        else if (state === 'failed') this.#log.error('no toys are sold until the catalog is started again');
        this.#desk?.tellState();
      },
      onBroken: (error) => {
        this.#isBroken = true;
        this.#fail(error);
      },
    });
    this.#engine = engine;
    const tracing = readTracing('toystore-catalog', process.env, this.#log);
    this.#desk = new CatalogDesk(engine, this.#log, await openTracer(tracing, this.#log));
    if (this.#home.ownership !== undefined) this.#ownerTimer = setInterval(() => this.#watchOwner(), OWNER_CHECK_MS);
    const recoveryMs = Math.round(performance.now() - startMs);
    this.#log.info('catalog open', { place: this.#home.place, toys: engine.table.toys, recoveryMs });
    this.#pool = this.#createPool(engine, tracing);
    await this.#pool.start();
    const { address, port } = await this.#pool.listen({ host, port: catalogPort });
    this.#address = formatAddress(address, port);
  }

  stats(): CatalogStats & { readonly pool: PoolStats } {
    return { ...this.#engine!.stats(), pool: this.#pool!.stats() };
  }

  stock(toysMax: number): { readonly name: string; readonly quantity: number }[] {
    const { table } = this;
    return Array.from(table.shown.subarray(0, toysMax), (quantity, toy) => ({
      name: `${table.nameOf(toy)}`,
      quantity,
    }));
  }

  get table(): StockTable {
    return this.#engine!.table;
  }

  /** The health service says so when another catalog may have taken over: front ends then look for it. */
  #watchOwner(): void {
    const { isOwner } = this.#engine!;
    if (isOwner === this.#wasOwner) return;
    this.#wasOwner = isOwner;
    if (isOwner) this.#log.info('the database answers again: toys are shown and sold');
    else this.#log.error('the database does not answer: no toys are shown, for another catalog may serve');
    this.#desk!.tellState();
  }

  async stop(): Promise<void> {
    clearInterval(this.#ownerTimer);
    this.#peers?.close();
    // While they can still answer.
    if (!this.#isBroken) await this.#engine?.releaseHolders();
    // Threads of a broken catalog may wait for a lock that nobody will give back: they end with the process.
    const closed = this.#pool?.close({ drainTimeoutMs: this.#isBroken ? 0 : STOP_BUDGETS.catalog.drainMs });
    if (!this.#isBroken) await closed;
    try {
      await this.#engine?.close();
    } finally {
      await this.#home.release();
    }
  }

  #createPool(engine: CatalogEngine, tracing: TracingOptions | undefined): ThreadPool {
    const { threads, handoff, logLevel } = this.#settings;
    const data: CatalogThreadData = {
      table: engine.table.memory,
      ownership: this.#home.ownership,
      logLevel,
      tracing,
      peers: this.#peers?.current,
    };
    const pool = new ThreadPool({
      module: THREAD_MODULE,
      name: 'catalog',
      data,
      threads: Math.min(threads, THREADS_MAX),
      // A handful of long-lived connections, each with many streams: no limit, so that none has to wait for another.
      sessionsPerThread: Number.POSITIVE_INFINITY,
      acceptorSessions: ACCEPTOR_SESSIONS,
      allowHalfOpen: false,
      handoff,
    });
    const hub = createServiceHub('catalog', [...catalogReadings(this), ...certificateReadings({ peers: this.#peers })]);
    pool.on('spawn', ({ port }) => {
      hub.add(port);
      this.#desk!.attach(port);
      this.#peers?.shareOn(port);
    });
    pool.on('acceptError', (error) => this.#log.error('connections cannot be accepted', { error }));
    pool.on('exit', ({ threadId, reason, error }) => {
      if (reason === 'failed') this.#log.error('a thread has ended by itself', { error });
      // Without threads it is this one that has served, and it goes on.
      if (threadId !== currentThreadId) engine.onThreadExit(threadId);
    });
    return pool;
  }
}
