// compare.ts: the whole store beside its peers in one run: queries and orders per second, and latency, at 1 and at 64
// connections, six toys in turn.
//
//   toystore     as it stands: three processes with their threads, orders synced to disk
//   fastify      three processes, one unary gRPC call per request, nothing on disk
//   node-http    the same behind Node's own HTTP server
//   raw-socket   a constant string: what Node's sockets cost before anyone has parsed a byte (queries only)
//
// All of them run all the time and are loaded in turn, round by round: whatever slows the machine slows each of them.

import path from 'node:path';
import type { Work } from '../load/load-job.js';
import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import { COMPILED_FOLDER } from '../run/paths.js';
import type { Figure, Row } from '../run/results.js';
import { startServer, type Target } from '../store/server-process.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, type Point, pointsSeconds, type Timing } from './measure-points.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { storeTarget } from './store-target.js';

const CONNECTIONS = [1, 64] as const;
const OPERATIONS = ['query', 'order'] as const;
const STORE = 'toystore';
const BASELINE = 'fastify';
const FLOOR = 'raw-socket';
const FLOOR_WORK: Work = {
  kind: 'fixed',
  method: 'GET',
  path: '/products/Tux',
  expectedBody: '{"data":{"name":"Tux","price":15.99,"quantity":100}}',
};
const START_SECONDS = 6;

/** What the project asks of itself, as ratios to the baseline. */
const BARS: readonly Bar[] = [
  { operation: 'query', clients: 64, quantity: 'throughput', bar: { atLeast: 15 } },
  { operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 8 } },
  { operation: 'query', clients: 1, quantity: 'p50', bar: { atMost: 1 / 3 } },
];

interface Bar {
  readonly operation: Row['operation'];
  readonly clients: number;
  readonly quantity: 'throughput' | 'p50';
  readonly bar: NonNullable<Figure['bar']>;
}

function timingOf({ quick, rounds, scenarios }: BenchOptions): Timing {
  if (quick) return { rounds: rounds ?? 2, durationMs: 320, warmupMs: 80 };
  const isAlone = scenarios.length === 1;
  return { rounds: rounds ?? (isAlone ? 5 : 3), durationMs: isAlone ? 1500 : 900, warmupMs: 250 };
}

/** One unmeasured load for each subject and operation: until the hot code is compiled. */
function warmupOf({ quick }: BenchOptions): Timing {
  return { rounds: 1, durationMs: quick ? 250 : 1000, warmupMs: 0 };
}

export const compare: Scenario = {
  plannedSeconds: (options) => {
    const loads = 2 * OPERATIONS.length * 2 - 1;
    const points = loads * (options.connections ?? CONNECTIONS).length;
    return START_SECONDS + pointsSeconds(loads, warmupOf(options)) + pointsSeconds(points, timingOf(options));
  },
  run: async (context) => {
    const targets: Target[] = [];
    try {
      targets.push(await storeTarget(context.options));
      for (const frontend of [BASELINE, 'node-http'])
        targets.push(await startPeer(frontend, ['peer-store.js', '--frontend', frontend]));
      targets.push(await startPeer(FLOOR, ['raw-socket.js']));
      await warmUp(context, targets);
      const connections = context.options.connections ?? CONNECTIONS;
      const points = OPERATIONS.flatMap((operation) =>
        connections.flatMap((count) => pointsOf(targets, operation, count)),
      );
      const rows = await measurePoints(context, points, timingOf(context.options), START_SECONDS);
      context.addFigures(ratiosOf(rows));
    } finally {
      await Promise.all(targets.map((target) => target.stop()));
    }
  },
};

function startPeer(name: string, [file, ...flags]: [string, ...string[]]): Promise<Target> {
  return startServer({ name, args: [path.join(COMPILED_FOLDER, 'peers', file), ...flags] });
}

function pointsOf(targets: readonly Target[], operation: Row['operation'], connections: number): Point[] {
  return targets
    .filter(({ name }) => operation === 'query' || name !== FLOOR)
    .map((target) => ({
      label: `${operation}, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
      key: { scenario: 'compare', subject: target.name, clients: connections },
      target,
      job: { connections, work: target.name === FLOOR ? FLOOR_WORK : { kind: operation, toys: TOYS } },
    }));
}

async function warmUp(context: ScenarioContext, targets: readonly Target[]): Promise<void> {
  context.step('warming up');
  const { durationMs } = warmupOf(context.options);
  for (const { target, job } of OPERATIONS.flatMap((operation) => pointsOf(targets, operation, CONNECTIONS[1]))) {
    if (context.signal.aborted) return;
    const { host, port } = target;
    await context.generator.run({ ...job, host, port, warmupMs: 0, durationMs }, context.signal);
  }
}

/** Throughput and median latency of every subject beside the baseline's. */
function ratiosOf(rows: readonly Row[]): Figure[] {
  const groups = [...new Set(rows.map((row) => `${row.operation} ${row.clients}`))];
  return groups.flatMap((group) => {
    // A subject that gave errors only has no speed to compare.
    const ofGroup = rows.filter((row) => `${row.operation} ${row.clients}` === group && row.count > 0);
    const baseline = ofGroup.find((row) => row.subject === BASELINE);
    return [
      ...ofGroup.map((row) => ratio(row, 'throughput', baseline)),
      ...ofGroup.map((row) => ratio(row, 'p50', baseline)),
    ];
  });
}

function ratio(row: Row, quantity: 'throughput' | 'p50', baseline: Row | undefined): Figure {
  const { operation, clients, subject } = row;
  const connections = `${clients} ${clients === 1 ? 'connection' : 'connections'}`;
  const value = median(row.rounds[quantity]);
  const bar = BARS.find((one) => one.operation === operation && one.clients === clients && one.quantity === quantity);
  return {
    scenario: 'compare',
    case: `${operation}, ${connections}, ${quantity === 'p50' ? 'median latency' : 'throughput'}`,
    subject,
    value,
    unit: quantity === 'p50' ? 'ms' : `${operation === 'query' ? 'queries' : 'orders'}/s`,
    better: quantity === 'p50' ? 'lower' : 'higher',
    rounds: row.rounds[quantity],
    baseline: baseline === undefined ? undefined : BASELINE,
    ratio: baseline === undefined ? undefined : value / median(baseline.rounds[quantity]),
    bar: subject === STORE ? bar?.bar : undefined,
  };
}
