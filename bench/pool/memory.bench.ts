// memory.bench.ts: what does a thread cost that has nothing to do, and a connection on which nothing is said?
// Resident memory of the whole process with more of them, less that with fewer, per piece. A kernel's socket buffers
// are not in it.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hasNativeHandoff } from '../../src/pool/index.js';
import type { Result, RunBenchmark } from '../result.js';
import { measureRounds } from '../rounds.js';
import type { ServerKind } from './pool-server.js';
import { ServerProcess, visit } from './server-process.js';

const THREADS_FEW = 1;
const THREADS_MANY = 7;
const CONNECTIONS = 1_000;
const ROUNDS = 3;
const BYTES_PER_KIB = 1024;

export const run: RunBenchmark = async (options) => {
  const pool: ServerKind = hasNativeHandoff() ? 'pool, native' : 'pool, ipc';
  const rounds = options.quick ? 1 : ROUNDS;
  const threads: Result[] = await measureRounds(
    {
      case: 'an idle thread',
      unit: 'KiB',
      better: 'lower',
      subjects: [{ name: pool, measure: () => perThread(pool), note: 'With node:http loaded in it.' }],
      rounds,
      warmups: 0,
    },
    options,
  );
  const connections = await measureRounds(
    {
      case: `an idle connection, of ${CONNECTIONS}`,
      unit: 'KiB',
      better: 'lower',
      baseline: 'node:http, one thread',
      subjects: (['node:http, one thread', pool] as const).map((kind) => ({
        name: kind,
        measure: () => perConnection(kind),
      })),
      rounds,
      warmups: 0,
    },
    options,
  );
  return [...threads, ...connections];
};

async function perThread(kind: ServerKind): Promise<number> {
  const few = await memoryWith(kind, THREADS_FEW);
  const many = await memoryWith(kind, THREADS_MANY);
  return (many - few) / (THREADS_MANY - THREADS_FEW) / BYTES_PER_KIB;
}

async function memoryWith(kind: ServerKind, threads: number): Promise<number> {
  const server = await ServerProcess.start(kind, threads);
  try {
    return (await server.usage()).rssBytes;
  } finally {
    await server.stop();
  }
}

async function perConnection(kind: ServerKind): Promise<number> {
  const server = await ServerProcess.start(kind, 1);
  const sockets: Socket[] = [];
  try {
    for (let warmup = 0; warmup < CONNECTIONS / 2; warmup += 1) await visit(server.port);
    const { rssBytes: before } = await server.usage();
    for (let index = 0; index < CONNECTIONS; index += 1) {
      const socket = connect(server.port, '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect');
    }
    // A visit is served after all that came before it on its thread.
    await visit(server.port);
    return ((await server.usage()).rssBytes - before) / CONNECTIONS / BYTES_PER_KIB;
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}
