// pool-server.ts: one server in a process of its own, with node:http in each of its threads or processes.
//
//   node pool-server.js --kind pool|node:cluster

import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ThreadPool } from '../../src/pool/index.js';
import { flag, ready } from '../peers/peer-process.js';
import { createSmallServer } from './http-thread.js';

/** How a connection gets to its server. */
export type ServerKind = 'pool' | 'node:cluster';

const THREADS = 2;
const host = '127.0.0.1';

if (cluster.isPrimary) {
  const kind = flag('kind') as ServerKind;
  ready('pool-server', await (kind === 'pool' ? listenByPool() : listenByCluster()));
} else {
  createSmallServer().listen({ host, port: 0 });
}

async function listenByPool(): Promise<number> {
  const module = new URL('./http-thread.js', import.meta.url);
  const pool = new ThreadPool({ module, threads: THREADS, sessionsPerThread: Number.POSITIVE_INFINITY });
  await pool.start();
  return (await pool.listen({ host, port: 0 })).port;
}

async function listenByCluster(): Promise<number> {
  let port = 0;
  for (let worker = 0; worker < THREADS; worker += 1) {
    cluster.fork();
    const [, address] = (await once(cluster, 'listening')) as [unknown, AddressInfo];
    port = address.port;
  }
  return port;
}
