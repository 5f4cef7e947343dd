// compare.ts: the whole store beside its peers in one run: queries and orders per second, and latency, at 1 and at 64
// connections, six toys in turn. The store alone is also taken from 1 to 1,000 connections: does throughput hold?
//
//   toystore     as it stands: three processes with their threads, orders synced to disk
//   fastify      three processes, one unary gRPC call per request, nothing on disk
//   node-http    the same behind Node's own HTTP server
//   raw-socket   a constant string: what Node's sockets cost before anyone has parsed a byte (queries only)
//
// All of them run all the time and are loaded in turn, round by round: whatever slows the machine slows each of them.

import path from 'node:path';
import type { Work } from '../load/load-job.js';
import type { BenchOptions } from '../run/bench-options.js';
import { COMPILED_FOLDER } from '../run/paths.js';
import type { Row } from '../run/results.js';
import { startServer, type Target } from '../store/server-process.js';
import { startAll } from '../store/start-all.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, type Point, pointsSeconds, type Timing } from './measure-points.js';
import { describeConnections, type RatioBar, ratiosOf } from './ratios.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { storeTarget } from './store-target.js';
import { sweepOf } from './sweep.js';
import { type BriefLoad, warmUp, warmUpSeconds } from './warm-up.js';

const CONNECTIONS = [1, 64] as const;
/** The store alone, when there is time. */
const SWEEP_CONNECTIONS = [1, 4, 16, 64, 256, 1000] as const;
const OPERATIONS = ['query', 'order'] as const;
const STORE = 'toystore';
const BASELINE = 'fastify';
const FLOOR = 'raw-socket';
const SUBJECTS = [STORE, BASELINE, 'node-http', FLOOR] as const;
const FLOOR_WORK: Work = {
  kind: 'fixed',
  method: 'GET',
  path: '/products/Tux',
  expectedBody: '{"data":{"name":"Tux","price":15.99,"quantity":100}}',
};
const START_SECONDS = 6;
/** Each server is warmed up under each operation: seven loads. */
const BRIEF_WARM_UP: BriefLoad = { overviewMs: 1000, quickMs: 200 };

/** What the project asks of itself, as ratios to the baseline. */
const BARS: readonly RatioBar[] = [
  { operation: 'query', clients: 64, quantity: 'throughput', bar: { atLeast: 15 } },
  { operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 8 } },
  { operation: 'query', clients: 1, quantity: 'p50', bar: { atMost: 1 / 3 } },
];

function timingOf({ quick, rounds, isOverview }: BenchOptions): Timing {
  if (quick) return { rounds: rounds ?? 2, durationMs: 250, warmupMs: 70 };
  if (isOverview) return { rounds: rounds ?? 3, durationMs: 800, warmupMs: 200 };
  return { rounds: rounds ?? 5, durationMs: 1500, warmupMs: 250 };
}

/** How many connections a subject is measured at. Named ones are for everybody. */
function connectionsOf(subject: string, { connections, quick, isOverview }: BenchOptions): readonly number[] {
  return connections ?? (subject === STORE && !quick && !isOverview ? SWEEP_CONNECTIONS : CONNECTIONS);
}

/** The floor answers queries only: it knows one answer. */
function operationsOf(subject: string): readonly Row['operation'][] {
  return subject === FLOOR ? ['query'] : OPERATIONS;
}

export const compare: Scenario = {
  plannedSeconds: (options) => {
    const loads = SUBJECTS.flatMap(operationsOf).length;
    const points = SUBJECTS.flatMap((subject) =>
      operationsOf(subject).flatMap(() => connectionsOf(subject, options)),
    ).length;
    return START_SECONDS + loads * warmUpSeconds(options, BRIEF_WARM_UP) + pointsSeconds(points, timingOf(options));
  },
  run: async (context) => {
    const { options } = context;
    const targets = await startAll([
      storeTarget(options),
      ...[BASELINE, 'node-http'].map((frontend) => startPeer(frontend, ['peer-store.js', '--frontend', frontend])),
      startPeer(FLOOR, ['raw-socket.js']),
    ]);
    try {
      await warmUpAll(context, targets);
      const rows = await measurePoints(context, pointsOf(targets, options), timingOf(options), START_SECONDS);
      context.addFigures(ratiosOf(rows, { scenario: 'compare', baseline: BASELINE, subject: STORE, bars: BARS }));
      context.addFigures(sweepOf(rows.filter(({ subject }) => subject === STORE)));
    } finally {
      await Promise.all(targets.map((target) => target.stop()));
    }
  },
};

function startPeer(name: string, [file, ...flags]: [string, ...string[]]): Promise<Target> {
  return startServer({ name, args: [path.join(COMPILED_FOLDER, 'peers', file), ...flags] });
}

/** Who is compared under one load stands side by side in time. */
function pointsOf(targets: readonly Target[], options: BenchOptions): Point[] {
  const counts = [...new Set(targets.flatMap(({ name }) => connectionsOf(name, options)))].sort((a, b) => a - b);
  return OPERATIONS.flatMap((operation) =>
    counts.flatMap((count) =>
      targets
        .filter(({ name }) => operationsOf(name).includes(operation) && connectionsOf(name, options).includes(count))
        .map((target) => pointOf(target, operation, count)),
    ),
  );
}

function pointOf(target: Target, operation: Row['operation'], connections: number): Point {
  return {
    label: `${operation}, ${describeConnections(connections)}`,
    key: { scenario: 'compare', subject: target.name, clients: connections },
    target,
    job: { connections, work: workOf(target, operation) },
  };
}

function workOf(target: Target, operation: Row['operation']): Work {
  return target.name === FLOOR ? FLOOR_WORK : { kind: operation, toys: TOYS };
}

async function warmUpAll(context: ScenarioContext, targets: readonly Target[]): Promise<void> {
  for (const target of targets) {
    for (const operation of operationsOf(target.name)) {
      await warmUp(context, target, workOf(target, operation), BRIEF_WARM_UP);
    }
  }
}
