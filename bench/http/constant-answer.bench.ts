// constant-answer.bench.ts: what does HTTP cost on top of a socket? One thread, one constant JSON answer, keep-alive
// connections; beside a raw socket that writes the same bytes at whatever arrives, node:http and Fastify.
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

const FLOOR: ServerName = 'raw socket';
const NODE: ServerName = 'node:http';
const FLOOR_BAR = { atLeast: 0.9 };
const NODE_BAR = { atLeast: 1.8 };
const PIPELINED_BAR = { atLeast: 5 };

export const run: RunBenchmark = async (options) => {
  const file = 'http/server-process.js';
  const running = await startAll(SERVERS.map((name) => startProgram('http-server', file, ['--server', name])));
  const servers = new Map(SERVERS.map((name, index) => [name, running[index]!]));
  try {
    const one = await compare('one request at a time', 1, FLOOR, SERVERS, servers, options);
    // The raw socket answers once to whatever arrives, so it cannot take part where requests come together.
    const http = SERVERS.filter((name) => name !== FLOOR);
    const many = await compare(`${PIPELINED} pipelined`, PIPELINED, NODE, http, servers, options);
    return [...withBar(one, FLOOR, FLOOR_BAR), ...beside(one, NODE, NODE_BAR), ...withBar(many, NODE, PIPELINED_BAR)];
  } finally {
    await stopAll(running);
  }
};

/** Answers per second, and then processor time for each answer, both from the same rounds. */
async function compare(
  name: string,
  depth: number,
  baseline: ServerName,
  names: readonly ServerName[],
  servers: ReadonlyMap<ServerName, Target>,
  options: RunOptions,
): Promise<Result[]> {
  const cpu = new Map<string, number[]>(names.map((server) => [server, []]));
  const durationMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
  const title = `GET, ${CONNECTIONS} connections, ${name}`;
  const throughput = await measureRounds(
    {
      case: title,
      unit: 'requests/s',
      better: 'higher',
      baseline,
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      subjects: names.map((server) => ({
        name: server,
        measure: async () => {
          const { port, pid } = servers.get(server)!;
          const cpuBefore = cpuSeconds([pid!]);
          const { answered, seconds } = await blast({ port, connections: CONNECTIONS, depth, durationMs });
          cpu.get(server)!.push(((cpuSeconds([pid!]) - cpuBefore) * US_PER_S) / answered);
          return answered / seconds;
        },
      })),
    },
    options,
  );
  return [...throughput, ...throughput.flatMap((result) => cpuResult(result, cpu, title, baseline))];
}

/** Beside each figure of throughput, the same rounds' processor time; the first of them warmed up. */
function cpuResult(result: Result, cpu: Map<string, number[]>, title: string, baseline: ServerName): Result[] {
  const rounds = cpu.get(result.subject)!.slice(1);
  const baselineRounds = cpu.get(baseline)!.slice(1);
  // Not every system says what processes use.
  if (rounds.length === 0 || baselineRounds.length === 0 || rounds.includes(0)) return [];
  const value = median(rounds);
  return [
    {
      case: `${title}: processor time of the server`,
      subject: result.subject,
      value,
      unit: 'µs',
      better: 'lower',
      rounds,
      baseline,
      ratio: value / median(baselineRounds),
    },
  ];
}

function withBar(results: Result[], baseline: ServerName, bar: Result['bar']): Result[] {
  return results.map((result) =>
    result.subject === 'toystore' && result.better === 'higher' && result.baseline === baseline
      ? { ...result, bar }
      : result,
  );
}

/** Our throughput once more, beside another server of the same rounds. */
function beside(results: Result[], baseline: ServerName, bar: Result['bar']): Result[] {
  const ours = results.find(({ subject, better }) => subject === 'toystore' && better === 'higher');
  const other = results.find(({ subject, better }) => subject === baseline && better === 'higher');
  if (ours === undefined || other === undefined) return [];
  return [{ ...ours, case: `${ours.case}, beside ${baseline}`, baseline, ratio: ours.value / other.value, bar }];
}

async function blast(job: BlastJob): Promise<{ answered: number; seconds: number }> {
  const worker = new Worker(new URL('./blast.js', import.meta.url), { workerData: job });
  const [report] = (await once(worker, 'message')) as [{ answered: number; seconds: number }];
  await worker.terminate();
  return report;
}
