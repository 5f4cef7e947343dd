// connections.bench.ts: what does it cost to hand a connection to another thread? Connections per second, each with
// one request and no keep-alive, and the time until the serving thread has read that request; beside node:cluster,
// which hands connections to processes, and node:http in one thread, which hands them to nobody. All serve by
// node:http.

import { connect } from 'node:net';
import { hasNativeHandoff } from '../../src/pool/index.js';
import type { Result, RunBenchmark } from '../result.js';
import { measureRounds, median } from '../rounds.js';
import { cpuSeconds, familyOf } from '../store/process-usage.js';
import { startAll, startProgram, stopAll, type Target } from '../store/server-process.js';
import { CONNECTED_HEADER, nowUs } from './http-thread.js';
import type { ServerKind } from './pool-server.js';

const WORKERS = 2;
const AT_A_TIME = 32;
const BASELINE: ServerKind = 'node:cluster';
const ROUND_MS = 400;
const ROUND_QUICK_MS = 200;
const ROUNDS = 5;
const ROUNDS_QUICK = 3;
/** One after the other, nobody else about. */
const VISITS = 150;
/** For the processor time, whose clock ticks in hundredths of a second. */
const CPU_VISITS = 4_000;
const CPU_VISITS_QUICK = 1_000;
const MS_PER_S = 1000;
const US_PER_S = 1e6;

export const run: RunBenchmark = async (options) => {
  const kinds: ServerKind[] = [BASELINE, 'pool, ipc', 'node:http, one thread'];
  if (hasNativeHandoff()) kinds.push('pool, native');
  const threads = ['--threads', String(WORKERS)];
  const running = await startAll(
    kinds.map((kind) => startProgram('pool-server', 'pool/pool-server.js', ['--kind', kind, ...threads])),
  );
  const servers = new Map(kinds.map((kind, index) => [kind, running[index]!]));
  try {
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
    const costs = await measureRounds(
      {
        case: 'processor time of a connection with one request, accepting and serving',
        unit: 'µs',
        better: 'lower',
        baseline: BASELINE,
        subjects: kinds.map((kind) => ({
          name: kind,
          bar: kind.startsWith('pool') ? { atMost: 1 } : undefined,
          note: 'What connections per second come down to, and steady where other work disturbs those.',
          measure: () => cpuUsPerConnection(servers.get(kind)!, options.quick ? CPU_VISITS_QUICK : CPU_VISITS),
        })),
        rounds,
        warmups: 0,
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
    return [...results, ...costs, ...times];
  } finally {
    await stopAll(running);
  }
};

async function connectionsPerSecond(port: number, roundMs: number): Promise<number> {
  const since = performance.now();
  const visits = await visitWhile(port, () => performance.now() - since < roundMs);
  return (visits / (performance.now() - since)) * MS_PER_S;
}

async function cpuUsPerConnection({ pid, port }: Target, count: number): Promise<number> {
  const family = familyOf(pid!);
  const before = cpuSeconds(family);
  let left = count;
  const visits = await visitWhile(port, () => left-- > 0);
  return ((cpuSeconds(family) - before) * US_PER_S) / visits;
}

/** Visits, so many at a time; returns how often. */
async function visitWhile(port: number, goesOn: () => boolean): Promise<number> {
  let visits = 0;
  const visitor = async (): Promise<void> => {
    while (goesOn()) {
      await visit(port);
      visits += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, visitor));
  return visits;
}

async function medianVisitUs(port: number): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < VISITS; count += 1) times.push(await visit(port));
  return median(times);
}

/** Connects, asks, reads the answer to its end. Resolves with the microseconds until the server had read the request. */
function visit(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n${CONNECTED_HEADER}: ${nowUs()}\r\n\r\n`);
    });
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const microseconds = Number(text.slice(text.lastIndexOf('\n') + 1));
      if (text.startsWith('HTTP/1.1 200') && microseconds > 0) resolve(microseconds);
      else reject(new Error(`unexpected answer: ${JSON.stringify(text)}`));
    });
  });
}
