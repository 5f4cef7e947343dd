// connections.bench.ts: what does it cost to hand a connection to another thread? Connections per second, each with
// one request and no keep-alive, beside node:cluster, which hands connections to processes. Both serve by node:http.

import { connect } from 'node:net';
import { measureRounds } from '../rounds.js';
import { amountOf } from '../run/bench-options.js';
import type { Scenario } from '../scenarios/scenario.js';
import { cpuSeconds, familyOf } from '../store/process-usage.js';
import { startAll, startProgram, stopAll, type Target } from '../store/server-process.js';
import type { ServerKind } from './pool-server.js';

const BASELINE: ServerKind = 'node:cluster';
const OURS: ServerKind = 'pool';
const AT_A_TIME = 32;
/** Long for the processor time, whose clock ticks in hundredths of a second. */
const ROUND_MS = 1000;
const ROUNDS = 5;
const MS_PER_S = 1000;
const US_PER_S = 1e6;

export const pool: Scenario = async (context) => {
  const running = await startAll(
    [BASELINE, OURS].map((kind) =>
      startProgram('pool-server', 'pool/pool-server.js', ['--kind', kind], { label: kind }),
    ),
  );
  const subjects = running.map((server) => ({
    name: server.name,
    measure: () => measureConnections(server, amountOf(context.options, ROUND_MS)),
  }));
  const quantities = [
    {
      case: `connections with one request, 2 workers, ${AT_A_TIME} at a time`,
      unit: 'connections/s',
      better: 'higher',
      bars: { [OURS]: { atLeast: 1 } },
    },
    {
      case: 'processor time of a connection with one request, accepting and serving',
      unit: 'µs',
      better: 'lower',
      bars: { [OURS]: { atMost: 1 } },
    },
  ] as const;
  try {
    await measureRounds({ quantities, subjects, baseline: BASELINE, rounds: ROUNDS }, context);
  } finally {
    await stopAll(running);
  }
};

/** @returns connections per second, and processor time in microseconds for each */
async function measureConnections({ pid, port }: Target, roundMs: number): Promise<[number, number]> {
  const family = familyOf(pid!);
  const cpuBefore = cpuSeconds(family);
  const since = performance.now();
  let visits = 0;
  const visitor = async (): Promise<void> => {
    while (performance.now() - since < roundMs) {
      await visit(port);
      visits += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, visitor));
  const seconds = (performance.now() - since) / MS_PER_S;
  return [visits / seconds, ((cpuSeconds(family) - cpuBefore) * US_PER_S) / visits];
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
