// start-order.ts: wiring only: lock the directory, open the log, listen, recover in the background, sell; and all of that
// back again.
//
//   gRPC threads ── bytes ──► server ──► engine ──► link ──► catalog
//                                          └──► log: <DATA_DIR>/order/orders.csv

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { formatAddress } from '../address.js';
import { openPeerIdentity } from '../certificates.js';
import { systemClock } from '../clock.js';
import type { Log } from '../log.js';
import { type PoolStats, ThreadPool } from '../pool/index.js';
import { type BatchStreamStats, PeerSecurity } from '../rpc/index.js';
import type { RunningService } from '../running-service.js';
import type { Settings } from '../settings.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { createDirectory, lockDirectory, nodeFileSystem } from '../storage/index.js';
import { createServiceHub } from '../store-metrics/service-hub.js';
import { certificateReadings } from '../store-metrics/tls-readings.js';
import { openTracer, readTracing } from '../tracing/index.js';
import type { EngineStats } from './engine-options.js';
import { EngineServer } from './engine-server.js';
import { FileOrderLog } from './file-order-log.js';
import { GrpcCatalogLink } from './grpc-catalog-link.js';
import { OrderEngine } from './order-engine.js';
import { OrderError } from './order-error.js';
import type { OrderLog, OrderLogStats } from './order-log.js';
import { orderReadings } from './order-metrics.js';
import type { OrderThreadData } from './order-thread.js';

export interface OrderServiceStats {
  readonly engine: EngineStats;
  readonly log: OrderLogStats;
  readonly link: BatchStreamStats;
  readonly pool: PoolStats;
}

export interface RunningOrderService extends RunningService {
  stats(): OrderServiceStats;
}

/**
 * Connections that are served where the engine is: an order then changes threads twice less on its way, which is a
 * fifth of what it costs the store (docs/decisions/0006). Enough for the streams of a front end of a few threads, and
 * for those who ask for health and metrics beside them; a larger front end gets the other threads too, for in the end
 * the engine needs its thread for itself.
 */
const ACCEPTOR_SESSIONS = 8;

/** Between two syncs of the order log while orders come, at most. */
const SYNC_PERIOD_MS = 100;

/** Where the order service keeps its log. */
export interface OrderHome {
  openLog(): Promise<OrderLog>;
  /** Called at the end, after the log was closed, or could not be opened. */
  release(): Promise<void>;
}

/** Starts the order service over the log in `<DATA_DIR>/order`. */
export async function startOrder(settings: Settings, log: Log): Promise<RunningOrderService> {
  const directory = join(settings.dataDir, 'order');
  await createDirectory(directory);
  const lock = await lockDirectory(directory);
  const openLog = (): Promise<OrderLog> =>
    FileOrderLog.open({
      directory,
      fileSystem: nodeFileSystem,
      clock: systemClock,
      logger: log,
      syncPeriodMs: syncPeriodOf(settings),
      keySeed: randomInt(2 ** 32),
    });
  return startOrderIn({ openLog, release: () => lock.release() }, settings, log);
}

/** Starts the order service over a home that is its own. */
export async function startOrderIn(home: OrderHome, settings: Settings, log: Log): Promise<RunningOrderService> {
  const releases: Release[] = [];
  try {
    return await start(home, settings, log, releases);
  } catch (error) {
    await releaseAll(releases, log);
    throw error;
  }
}

type Release = () => Promise<void>;

/** In the reverse order, all of it, whatever goes wrong on the way; what was released is not released again. */
async function releaseAll(releases: Release[], log: Log): Promise<void> {
  for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
    await release().catch((error: unknown) => log.error('the order service could not end in order', { error }));
  }
}

async function start(home: OrderHome, settings: Settings, log: Log, releases: Release[]): Promise<RunningOrderService> {
  releases.push(() => home.release());
  const tracer = await openTracer(readTracing('toystore-order', process.env, log), log);
  releases.push(async () => tracer?.flush());
  const orderLog = await home.openLog();
  releases.push(() => orderLog.close());

  // An order that comes while the catalog is away is taken and waits; the health service does not call that selling.
  const tellThreads = (): void => server.setSelling(engine.isSelling && link.isConnected);
  const peers = openPeerIdentity(settings, 'order', log);
  releases.push(async () => peers?.close());
  const security = new PeerSecurity(peers?.current);
  peers?.onChange((identity) => security.update(identity));
  const link = new GrpcCatalogLink(settings.catalogAddresses, log, tellThreads, security.credentials);
  releases.push(() => link.close());
  const engine = new OrderEngine({
    link,
    log: orderLog,
    clock: systemClock,
    logger: log,
    tracer,
    onSelling: tellThreads,
  });
  const server = new EngineServer(engine, log, tracer);

  const pool = new ThreadPool({
    module: new URL('./order-thread.js', import.meta.url),
    data: { peers: peers?.current } satisfies OrderThreadData,
    threads: settings.threads,
    maxThreads: settings.maxThreads,
    acceptorSessions: ACCEPTOR_SESSIONS,
    // The limit is for HTTP connections; the few of gRPC share the threads freely.
    sessionsPerThread: Number.POSITIVE_INFINITY,
    handoff: settings.handoff,
    drainTimeoutMs: STOP_BUDGETS.order.drainMs,
    name: 'order',
  });
  const stats = (): OrderServiceStats => ({
    engine: engine.stats(),
    log: orderLog.stats(),
    link: link.stats(),
    pool: pool.stats(),
  });
  const hub = createServiceHub('order', [...orderReadings(stats), ...certificateReadings({ peers })]);
  pool.on('spawn', ({ port }) => {
    hub.add(port);
    server.attach(port);
    peers?.shareOn(port);
  });
  pool.on('exit', (exit) => {
    if (exit.reason === 'failed') log.error('a thread ended', { ...exit });
  });
  pool.on('acceptError', (error) => log.error('connections cannot be accepted', { error }));
  releases.push(async () => {
    // Both at once: threads are drained when the engine has answered, and the engine refuses what still comes.
    await Promise.all([engine.stop(), pool.close()]);
  });
  await pool.start();
  const { address, port } = await pool.listen({ host: settings.host, port: settings.orderPort });
  void engine.start();

  return {
    address: formatAddress(address, port),
    failed: new Promise((resolve) => {
      void engine.failed.then((error) => {
        // Orders can still be read: whoever restarts this service decides when.
        if (!(error instanceof OrderError && error.code === 'LOG_FAILED')) resolve(error);
      });
    }),
    stop: () => releaseAll(releases, log),
    stats,
  };
}

/**
 * The catalog has a sale on disk before it is answered, and keeps it until our log has it on disk too. That may be late, so
 * that one sync serves many groups; this late costs the catalog some thousand sales in memory, and a power failure as many
 * to complete. With `periodic` a power failure may take the sales of the last interval from both; what one of them still
 * has, the other one gets back. The end of a process takes none.
 */
function syncPeriodOf({ durability, flushIntervalMs }: Settings): number {
  return durability === 'commit' ? SYNC_PERIOD_MS : Math.min(flushIntervalMs, SYNC_PERIOD_MS);
}
