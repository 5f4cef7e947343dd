// pool-server.ts: one server in a process of its own, started by the benchmarks of this folder. It tells its parent
// the port, and answers each message with what its processes use.

import cluster from 'node:cluster';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ThreadPool } from '../../src/pool/index.js';
import { createTimingServer } from './http-thread.js';

/** How a connection gets to its server. */
export type ServerKind = 'pool, ipc' | 'pool, native' | 'node:cluster' | 'node:http, one thread';

export interface ServerReady {
  readonly port: number;
}

export interface ServerUsage {
  /** Resident memory of the process that accepts, garbage collected first. */
  readonly rssBytes: number;
  /** Processor time of all the server's processes since they began. */
  readonly cpuUs: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const [kind, threads] = process.argv.slice(2) as [ServerKind, string];
const host = '127.0.0.1';

// Ctrl-C reaches the whole process group; the parent decides what it means.
process.on('SIGINT', () => {});

if (!cluster.isPrimary) {
  createTimingServer().listen({ host, port: 0 });
  process.on('message', () => process.send!(cpuUsUsed()));
} else {
  const port = await listen();
  process.on('message', async () => {
    collect();
    const cpuUs = cpuUsUsed() + (await cpuUsOfWorkers());
    process.send!({ rssBytes: process.memoryUsage().rss, cpuUs } satisfies ServerUsage);
  });
  process.on('disconnect', () => process.exit());
  process.send!({ port } satisfies ServerReady);
}

function cpuUsUsed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Of node:cluster's worker processes; the pool's threads are in the process's own. */
async function cpuUsOfWorkers(): Promise<number> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  const answers = workers.map((worker) => once(worker, 'message') as Promise<[number]>);
  for (const worker of workers) worker.send('usage');
  return (await Promise.all(answers)).reduce((sum, [cpuUs]) => sum + cpuUs, 0);
}

async function listen(): Promise<number> {
  switch (kind) {
    case 'pool, ipc':
    case 'pool, native': {
      const pool = new ThreadPool({
        module: new URL('./http-thread.js', import.meta.url),
        threads: Number(threads),
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
      for (let worker = 0; worker < Number(threads); worker += 1) {
        cluster.fork();
        const [, address] = (await once(cluster, 'listening')) as [unknown, AddressInfo];
        port = address.port;
      }
      return port;
    }
  }
}
