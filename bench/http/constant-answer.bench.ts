// constant-answer.bench.ts: what does HTTP cost on top of a socket? One thread, one constant JSON answer, keep-alive
// connections; beside a raw socket that writes the same bytes at whatever arrives, and node:http.
//
// Throughput says what a client gets; on a machine whose cores are shared with others it is noisy, and the processor time
// that the server itself used for each answer, which stands beside it, is less so.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Result, RunBenchmark, RunOptions } from '../result.js';
import { measureRounds, median } from '../rounds.js';
import { cpuSeconds } from '../store/process-usage.js';
import { startAll, startProgram, stopAll, type Target } from '../store/server-process.js';
import { SERVERS, type ServerName } from './answer.js';
import type { BlastJob } from './blast.js';

const CONNECTIONS = 32;
const PIPELINED = 16;
const ROUND_MS = 1500;
const ROUND_QUICK_MS = 600;
const ROUNDS = 7;
const ROUNDS_QUICK = 3;
const US_PER_S = 1e6;

const OURS: ServerName = 'toystore';
const FLOOR: ServerName = 'raw socket';
const NODE: ServerName = 'node:http';
const FLOOR_BAR = { atLeast: 0.9 };
const NODE_BAR = { atLeast: 1.8 };
const PIPELINED_BAR = { atLeast: 5 };

/** Who is compared under one load. */
interface Comparison {
  readonly title: string;
  readonly depth: number;
  readonly baseline: ServerName;
  readonly servers: readonly Target[];
  /** Of our throughput beside the baseline's. */
  readonly bar: Result['bar'];
}

export const run: RunBenchmark = async (options) => {
  const servers = await startAll(
    SERVERS.map((label) => startProgram('http-server', 'http/server-process.js', ['--server', label], { label })),
  );
  try {
    const title = `GET, ${CONNECTIONS} connections, one request at a time`;
    const one = await compare({ title, depth: 1, baseline: FLOOR, servers, bar: FLOOR_BAR }, options);
    // The raw socket answers once to whatever arrives, so it cannot take part where requests come together.
    const many = await compare(
      {
        title: `GET, ${CONNECTIONS} connections, ${PIPELINED} pipelined`,
        depth: PIPELINED,
        baseline: NODE,
        servers: servers.filter(({ name }) => name !== FLOOR),
        bar: PIPELINED_BAR,
      },
      options,
    );
    return [...one, ...besideNode(one), ...many];
  } finally {
    await stopAll(servers);
  }
};

/** Answers per second, and then processor time for each answer, both from the same rounds. */
async function compare({ title, depth, baseline, servers, bar }: Comparison, options: RunOptions): Promise<Result[]> {
  const cpu = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
  const durationMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
  const throughput = await measureRounds(
    {
      case: title,
      unit: 'requests/s',
      better: 'higher',
      baseline,
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      subjects: servers.map(({ name, port, pid }) => ({
        name,
        bar: name === OURS ? bar : undefined,
        measure: async () => {
          const cpuBefore = cpuSeconds([pid!]);
          const { answered, seconds } = await blast({ port, connections: CONNECTIONS, depth, durationMs });
          cpu.get(name)!.push(((cpuSeconds([pid!]) - cpuBefore) * US_PER_S) / answered);
          return answered / seconds;
        },
      })),
    },
    options,
  );
  // The first round of each warmed it up. Not every system says what processes use.
  const roundsOf = (name: string): number[] =>
    cpu
      .get(name)!
      .slice(1)
      .filter((us) => us > 0);
  const costs = throughput.flatMap(({ subject }): Result[] => {
    const rounds = roundsOf(subject);
    if (rounds.length === 0 || roundsOf(baseline).length === 0) return [];
    const value = median(rounds);
    const ratio = value / median(roundsOf(baseline));
    const name = `${title}: processor time of the server`;
    return [{ case: name, subject, value, unit: 'µs', better: 'lower', rounds, baseline, ratio }];
  });
  return [...throughput, ...costs];
}

/** Our throughput once more, beside node:http in the same rounds. */
function besideNode(results: readonly Result[]): Result[] {
  const [ours, node] = [OURS, NODE].map((name) => results.find(({ subject }) => subject === name));
  if (ours === undefined || node === undefined) return [];
  const ratio = ours.value / node.value;
  return [{ ...ours, case: `${ours.case}, beside ${NODE}`, baseline: NODE, ratio, bar: NODE_BAR }];
}

async function blast(job: BlastJob): Promise<{ answered: number; seconds: number }> {
  const worker = new Worker(new URL('./blast.js', import.meta.url), { workerData: job });
  const [report] = (await once(worker, 'message')) as [{ answered: number; seconds: number }];
  await worker.terminate();
  return report;
}
