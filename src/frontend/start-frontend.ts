// start-frontend.ts: wiring only. The accepting thread places connections; all else happens in frontend-thread.ts.

import { setImmediate } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { formatAddress } from '../address.js';
import { openHttpsIdentity, openPeerIdentity } from '../certificates.js';
import { LimitedLine } from '../limited-line.js';
import type { Log } from '../log.js';
import { ThreadPool } from '../pool/index.js';
import type { PeerSecurity } from '../rpc/peer-security.js';
import type { RunningService } from '../running-service.js';
import type { Settings } from '../settings.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { createServiceHub } from '../store-metrics/service-hub.js';
import { poolReadings } from '../store-metrics/store-readings.js';
import { certificateReadings } from '../store-metrics/tls-readings.js';
import { TLS_REFUSAL } from '../tls/tls-terminator.js';
import { readTracing } from '../tracing/index.js';
import { AwayBoard } from './away-board.js';
import type { CatalogWatch } from './catalog-watch.js';
import type { FrontendThreadData } from './frontend-thread.js';
import { watchReadings } from './held-readings.js';
import { LeaseBoard } from './lease-board.js';
import { LiveReader } from './live/live-reader.js';

/** The library's idle time-out of a connection for which nobody waits: the other one cannot be longer. */
const IDLE_TIMEOUT_MS_MAX = 75_000;

/** They come by the thousand. */
const REFUSAL_LINES_PER_SECOND_MAX = 1;

const FULL_BODY = '{"error":{"code":503,"message":"too many connections"}}';
const FULL = [
  'HTTP/1.1 503 Service Unavailable',
  'Content-Type: application/json',
  `Content-Length: ${FULL_BODY.length}`,
  'Retry-After: 1',
  'Connection: close',
  '',
  FULL_BODY,
].join('\r\n');

export async function startFrontend(settings: Settings, log: Log): Promise<RunningService> {
  const threadsMax = Math.max(1, settings.maxThreads);
  const board = AwayBoard.create(threadsMax);
  const leases = settings.cacheToys === 0 ? undefined : LeaseBoard.create();
  const https = openHttpsIdentity(settings, log);
  const peers = openPeerIdentity(settings, 'frontend', log);
  const data: FrontendThreadData = {
    addresses: { catalog: settings.catalogAddresses, order: settings.orderAddresses },
    board: board.memory,
    held: leases && { leases: leases.memory, toys: settings.cacheToys, threads: threadsMax },
    idleTimeoutUnderPressureMs: Math.min(settings.idleTimeoutMs, IDLE_TIMEOUT_MS_MAX),
    logLevel: settings.logLevel,
    tracing: readTracing('toystore-frontend', process.env, log),
    https: https?.current,
    peers: peers?.current,
  };
  const refusals = new LimitedLine(log, 'a connection is refused', REFUSAL_LINES_PER_SECOND_MAX);
  const acceptErrors = new LimitedLine(log, 'connections cannot be accepted', REFUSAL_LINES_PER_SECOND_MAX);
  const pool = new ThreadPool({
    name: 'frontend',
    module: new URL('./frontend-thread.js', import.meta.url),
    data,
    threads: settings.threads,
    maxThreads: settings.maxThreads,
    packedSessions: settings.packedSessions,
    sessionsPerThread: settings.sessionsPerThread,
    queueMax: settings.queueMax,
    drainTimeoutMs: STOP_BUDGETS.frontend.drainMs,
    handoff: settings.handoff,
    onRefused: (socket, reason) => {
      refusals.warn({ reason });
      // To whoever expects TLS an answer in plain text would be nonsense.
      socket.end(https === undefined ? FULL : TLS_REFUSAL);
    },
  });
  let watch: CatalogWatch | undefined;
  const hub = createServiceHub('frontend', [
    ...poolReadings(() => pool.stats()),
    ...(leases === undefined ? [] : watchReadings(() => watch?.stats)),
    ...certificateReadings({ https, peers }),
  ]);
  // gRPC is 65 files: not before it is needed.
  let security: PeerSecurity | undefined;
  const peerCredentials = async (): Promise<ChannelCredentials> => {
    const { PeerSecurity } = await import('../rpc/peer-security.js');
    // Once: the page is opened any number of times, and each would be told of new certificates for ever.
    if (security === undefined) {
      const opened = new PeerSecurity(peers?.current);
      peers?.onChange((identity) => opened.update(identity));
      security = opened;
    }
    return security.credentials;
  };
  const live = new LiveReader(async () => {
    // Most stores are not looked at: what that takes is read in when somebody looks.
    const { StoreSources } = await import('./live/live-sources.js');
    return new StoreSources(data.addresses, (names) => hub.gather(names), board, await peerCredentials());
  });
  pool.on('spawn', ({ port }) => {
    hub.add(port);
    live.add(port);
    https?.shareOn(port);
    peers?.shareOn(port);
  });
  pool.on('exit', (exit) => {
    board.forget(exit.threadIndex);
    if (exit.reason === 'failed') log.error('a thread failed and is replaced', { ...exit });
  });
  pool.on('acceptError', (error) => acceptErrors.warn({ error }));
  await pool.start();
  const { address, port } = await pool
    .listen({ host: settings.host, port: settings.frontendPort })
    .catch(async (error) => {
      await pool.close();
      throw error;
    });
  // gRPC is 65 files, and the threads have enough of them to read. Before the front end calls itself ready, for reading them
  // beside the first customers costs those a tenth.
  if (leases !== undefined) {
    await setImmediate();
    const { CatalogWatch } = await import('./catalog-watch.js');
    watch = new CatalogWatch(data.addresses.catalog, leases, log, await peerCredentials());
  }
  return {
    address: `${https === undefined ? 'http' : 'https'}://${formatAddress(address, port)}`,
    failed: new Promise<Error>(() => {}),
    stop: async () => {
      // What still comes in is answered by the catalog, and no sale waits for this front end.
      watch?.close();
      live.close();
      https?.close();
      peers?.close();
      return pool.close();
    },
  };
}
