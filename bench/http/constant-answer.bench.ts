// constant-answer.bench.ts: what does HTTP cost on top of a socket? One thread, one constant JSON answer, keep-alive
// connections; beside a raw socket that writes the same bytes at whatever arrives, and node:http.
//
// Throughput says what a client gets; on a machine whose cores are shared with others it is noisy, and the processor time
// that the server itself used for each answer, which stands beside it, is less so.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Bar, type Figure, figureOf, type Measured } from '../figures.js';
import { measureRounds } from '../rounds.js';
import { amountOf } from '../run/bench-options.js';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.js';
import { cpuSeconds } from '../store/process-usage.js';
import { startAll, startProgram, stopAll, type Target } from '../store/server-process.js';
import { SERVERS, type ServerName } from './answer.js';
import type { BlastJob } from './blast.js';

const CONNECTIONS = 32;
const PIPELINED = 16;
const ROUND_MS = 1500;
const ROUNDS = 7;
const US_PER_S = 1e6;

const OURS: ServerName = 'toystore';
const FLOOR: ServerName = 'raw socket';
const NODE: ServerName = 'node:http';
const FLOOR_BAR = { atLeast: 0.9 };
const NODE_BAR = { atLeast: 1.8 };
const PIPELINED_BAR = { atLeast: 5 };

/** Who is compared under one load. */
interface Load {
  readonly title: string;
  readonly depth: number;
  readonly baseline: ServerName;
  readonly servers: readonly Target[];
  /** Of our throughput beside the baseline's. */
  readonly bar: Bar;
}

export const http: Scenario = async (context) => {
  const servers = await startAll(
    SERVERS.map((label) => startProgram('http-server', 'http/server-process.js', ['--server', label], { label })),
  );
  try {
    const title = `GET, ${CONNECTIONS} connections, one request at a time`;
    const one = await compare({ title, depth: 1, baseline: FLOOR, servers, bar: FLOOR_BAR }, context);
    // The raw socket answers once to whatever arrives, so it cannot take part where requests come together.
    const withoutFloor = servers.filter(({ name }) => name !== FLOOR);
    const pipelined = `GET, ${CONNECTIONS} connections, ${PIPELINED} pipelined`;
    const many = { title: pipelined, depth: PIPELINED, baseline: NODE, servers: withoutFloor, bar: PIPELINED_BAR };
    context.addFigures(besideNode(one));
    await compare(many, context);
  } finally {
    await stopAll(servers);
  }
};

/** Answers per second, and processor time for each answer. */
function compare(
  { title, depth, baseline, servers, bar }: Load,
  context: ScenarioContext,
): Promise<Measured<Figure>[]> {
  const durationMs = amountOf(context.options, ROUND_MS);
  const quantities = [
    { case: title, unit: 'requests/s', better: 'higher', bars: { [OURS]: bar } },
    { case: `${title}: processor time of the server`, unit: 'µs', better: 'lower' },
  ] as const;
  const subjects = servers.map(({ name, port, pid }) => ({
    name,
    measure: async () => {
      const cpuBefore = cpuSeconds([pid!]);
      const { answered, seconds } = await blast({ port, connections: CONNECTIONS, depth, durationMs });
      return [answered / seconds, ((cpuSeconds([pid!]) - cpuBefore) * US_PER_S) / answered];
    },
  }));
  return measureRounds({ quantities, subjects, baseline, rounds: ROUNDS }, context);
}

/** Our throughput once more, beside node:http in the same rounds. */
function besideNode(figures: readonly Measured<Figure>[]): Measured<Figure>[] {
  const [ours, node] = [OURS, NODE].map((name) => figures.find(({ subject }) => subject === name));
  if (ours === undefined || node === undefined) return [];
  return [figureOf({ ...ours, case: `${ours.case}, beside ${NODE}`, bar: NODE_BAR }, node)];
}

async function blast(job: BlastJob): Promise<{ answered: number; seconds: number }> {
  const worker = new Worker(new URL('./blast.js', import.meta.url), { workerData: job });
  const [report] = (await once(worker, 'message')) as [{ answered: number; seconds: number }];
  await worker.terminate();
  return report;
}
