// pool-server.ts: one server in a process of its own, with node:http in each of its threads or processes.
//
//   node pool-server.js --kind 'pool, native' --threads 2

import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ThreadPool } from '../../src/pool/index.js';
import { flag, ready } from '../peers/peer-process.js';
import { createTimingServer } from './http-thread.js';

/** How a connection gets to its server. */
export type ServerKind = 'pool, ipc' | 'pool, native' | 'node:cluster' | 'node:http, one thread';

const kind = flag('kind', 'pool, native') as ServerKind;
const threads = Number(flag('threads', '2'));
const host = '127.0.0.1';

if (cluster.isPrimary) {
  const port = await listen();
  ready('pool-server', `${host}:${port}`, () => {});
} else {
  // Ctrl-C reaches the whole process group; whoever measures decides what it means.
  process.on('SIGINT', () => {});
  createTimingServer().listen({ host, port: 0 });
}

async function listen(): Promise<number> {
  switch (kind) {
    case 'pool, ipc':
    case 'pool, native': {
      const pool = new ThreadPool({
        module: new URL('./http-thread.js', import.meta.url),
        threads,
        sessionsPerThread: Number.POSITIVE_INFINITY,
        handoff: kind === 'pool, ipc' ? 'ipc' : 'native',
      });
      await pool.start();
      return (await pool.listen({ host, port: 0 })).port;
    }
    case 'node:http, one thread': {
      const server = createTimingServer().listen({ host, port: 0 });
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }
    case 'node:cluster': {
      let port = 0;
      for (let worker = 0; worker < threads; worker += 1) {
        cluster.fork();
        const [, address] = (await once(cluster, 'listening')) as [unknown, AddressInfo];
        port = address.port;
      }
      return port;
    }
  }
}
