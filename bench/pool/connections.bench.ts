// connections.bench.ts: what does it cost to hand a connection to another thread? Connections per second, each with
// one request and no keep-alive, beside node:cluster, which hands connections to processes. Both serve by node:http.

import { connect } from 'node:net';
import type { Result, RunBenchmark } from '../result.js';
import { type Comparison, measureRounds, type Subject } from '../rounds.js';
import { cpuSeconds, familyOf } from '../store/process-usage.js';
import { startAll, startProgram, stopAll, type Target } from '../store/server-process.js';
import type { ServerKind } from './pool-server.js';

const BASELINE: ServerKind = 'node:cluster';
const KINDS: readonly ServerKind[] = [BASELINE, 'pool'];
const AT_A_TIME = 32;
const ROUND_MS = 400;
const ROUND_QUICK_MS = 200;
const ROUNDS = 5;
const ROUNDS_QUICK = 3;
/** For the processor time, whose clock ticks in hundredths of a second. */
const CPU_VISITS = 4_000;
const CPU_VISITS_QUICK = 1_000;
const MS_PER_S = 1000;
const US_PER_S = 1e6;

export const run: RunBenchmark = async (options) => {
  const running = await startAll(
    KINDS.map((kind) => startProgram('pool-server', 'pool/pool-server.js', ['--kind', kind], { label: kind })),
  );
  const common = { baseline: BASELINE, rounds: options.quick ? ROUNDS_QUICK : ROUNDS };
  const subjects = (bar: Result['bar'], measure: (server: Target) => Promise<number>): Subject[] =>
    running.map((server) => ({
      name: server.name,
      bar: server.name === BASELINE ? undefined : bar,
      measure: () => measure(server),
    }));
  const rates: Comparison = {
    ...common,
    case: `connections with one request, 2 workers, ${AT_A_TIME} at a time`,
    ...{ unit: 'connections/s', better: 'higher' },
    subjects: subjects({ atLeast: 1 }, (server) =>
      connectionsPerSecond(server, options.quick ? ROUND_QUICK_MS : ROUND_MS),
    ),
  };
  const costs: Comparison = {
    ...common,
    case: 'processor time of a connection with one request, accepting and serving',
    ...{ unit: 'µs', better: 'lower', warmups: 0 },
    subjects: subjects({ atMost: 1 }, (server) =>
      cpuUsPerConnection(server, options.quick ? CPU_VISITS_QUICK : CPU_VISITS),
    ),
  };
  try {
    return [...(await measureRounds(rates, options)), ...(await measureRounds(costs, options))];
  } finally {
    await stopAll(running);
  }
};

async function connectionsPerSecond({ port }: Target, roundMs: number): Promise<number> {
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

/** Connects, asks, and reads the answer to its end. */
function visit(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'));
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (text.startsWith('HTTP/1.1 200') && text.endsWith('here')) resolve();
      else reject(new Error(`unexpected answer: ${JSON.stringify(text)}`));
    });
  });
}
