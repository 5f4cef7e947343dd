// connections.bench.ts: what does it cost to hand a connection to another thread? Connections per second, each with one
// request and no keep-alive, and the time until the serving thread has read that request; beside node:cluster, which hands
// connections to processes, and node:http in one thread, which hands them to nobody. All serve by node:http.

import { hasNativeHandoff } from '../../src/pool/index.js';
import type { Result, RunBenchmark } from '../result.js';
import { measureRounds, median } from '../rounds.js';
import type { ServerKind } from './pool-server.js';
import { ServerProcess, visit } from './server-process.js';

const WORKERS = 2;
const AT_A_TIME = 32;
const BASELINE: ServerKind = 'node:cluster';
const ROUND_MS = 400;
const ROUND_QUICK_MS = 200;
const ROUNDS = 5;
const ROUNDS_QUICK = 3;
/** One after the other, nobody else about. */
const VISITS = 150;
const MS_PER_S = 1000;

export const run: RunBenchmark = async (options) => {
  const kinds: ServerKind[] = [BASELINE, 'pool, ipc', 'node:http, one thread'];
  if (hasNativeHandoff()) kinds.push('pool, native');
  const servers = new Map<ServerKind, ServerProcess>();
  try {
    for (const kind of kinds) servers.set(kind, await ServerProcess.start(kind, WORKERS));
    const rounds = options.quick ? ROUNDS_QUICK : ROUNDS;
    const roundMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
    const results: Result[] = await measureRounds(
      {
        case: `connections with one request, ${WORKERS} workers, ${AT_A_TIME} at a time`,
        unit: 'connections/s',
        better: 'higher',
        baseline: BASELINE,
        subjects: kinds.map((kind) => ({
          name: kind,
          bar: kind.startsWith('pool') ? { atLeast: 1 } : undefined,
          measure: () => connectionsPerSecond(servers.get(kind)!.port, roundMs),
        })),
        rounds,
      },
      options,
    );
    const times = await measureRounds(
      {
        case: 'from connected to request read, one connection at a time',
        unit: 'µs',
        better: 'lower',
        baseline: BASELINE,
        subjects: kinds.map((kind) => ({ name: kind, measure: () => medianVisitUs(servers.get(kind)!.port) })),
        rounds,
      },
      options,
    );
    return [...results, ...times];
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
};

async function connectionsPerSecond(port: number, roundMs: number): Promise<number> {
  const since = performance.now();
  let visits = 0;
  const visitor = async (): Promise<void> => {
    while (performance.now() - since < roundMs) {
      await visit(port);
      visits += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, visitor));
  return (visits / (performance.now() - since)) * MS_PER_S;
}

async function medianVisitUs(port: number): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < VISITS; count += 1) times.push(await visit(port));
  return median(times);
}
