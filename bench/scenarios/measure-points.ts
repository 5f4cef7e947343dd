// measure-points.ts: several loads ("points": 1 client, 2 clients, …) on one target, in interleaved rounds.
//
//   round 1: 1 2 3 … 256     round 2: 1 2 3 … 256     a slow minute of the machine is shared by neighbours,
//                                                     and the spread between rounds shows the noise

import { LatencyHistogram } from '../load/latency-histogram.js';
import { GENERATOR_CPU_LIMIT } from '../load/load-generator.js';
import type { LoadJob, LoadReport } from '../load/load-job.js';
import { type RowKey, rowsFromReports } from '../run/results.js';
import type { Target } from '../store/server-process.js';
import type { ScenarioContext } from './scenario.js';

const MS_PER_S = 1000;
/** Starting a store, or a peer, and stopping it. */
export const TARGET_SECONDS = 4;

/** One load and the row that it fills. */
export interface Point {
  readonly label: string;
  readonly key: RowKey;
  readonly target: Target;
  readonly job: Omit<LoadJob, 'host' | 'port' | 'durationMs' | 'warmupMs'>;
}

/** How often and how long each point is measured. */
export interface Timing {
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmupMs: number;
}

/** How long all points take, all rounds together. */
export function pointsSeconds(pointCount: number, { rounds, durationMs, warmupMs }: Timing): number {
  return (pointCount * rounds * (durationMs + warmupMs)) / MS_PER_S;
}

/** Measures all points and adds their rows, in the order of the points; after an abort, those that have a round. */
export async function measurePoints(
  context: ScenarioContext,
  points: readonly Point[],
  timing: Timing,
  secondsBefore = 0,
): Promise<void> {
  const reports = new Map<Point, LoadReport[]>(points.map((point) => [point, []]));
  let measured = 0;
  try {
    for (let round = 1; round <= timing.rounds; round++) {
      for (const point of points) {
        if (context.signal.aborted) return;
        context.step(
          `${point.label}, round ${round} of ${timing.rounds}`,
          secondsBefore + pointsSeconds(measured++, { ...timing, rounds: 1 }),
        );
        const { host, port } = point.target;
        const { durationMs, warmupMs } = timing;
        const report = await context.generator.run({ ...point.job, host, port, durationMs, warmupMs }, context.signal);
        if (report.seconds > 0) reports.get(point)!.push(report);
      }
    }
  } finally {
    for (const point of points) {
      const ofPoint = reports.get(point)!;
      if (ofPoint.length > 0) addPoint(context, point, ofPoint);
    }
  }
}

function addPoint(context: ScenarioContext, point: Point, reports: readonly LoadReport[]): void {
  context.addRows(rowsFromReports(point.key, reports));
  const { scenario, subject } = point.key;
  if (reports.some((report) => report.generatorCpu > GENERATOR_CPU_LIMIT)) {
    context.note(
      `${scenario}, ${subject}, ${point.label}: the load generator used a whole core; the server's own limit is higher.`,
    );
  }
  for (const report of reports) {
    for (const sample of [...report.query.errorSamples, ...report.order.errorSamples].slice(0, 2)) {
      context.note(`${scenario}, ${subject}, ${point.label}: error: ${sample}`);
    }
  }
}

/** Expected answers per second over all kinds, for scenarios that go on from a top rate. */
export function throughputOf(report: LoadReport): number {
  const count =
    LatencyHistogram.decode(report.query.histogram).count + LatencyHistogram.decode(report.order.histogram).count;
  return report.seconds > 0 ? count / report.seconds : 0;
}
