// measure-points.ts: several loads ("points": 1 client, 2 clients, …) on one target or several, in interleaved rounds.
//
//   round 1: 1 2 3 … 256     round 2: 1 2 3 … 256     a slow minute of the machine is shared by neighbours,
//                                                     and the spread between rounds shows the noise

import { LatencyHistogram } from '../load/latency-histogram.js';
import { GENERATOR_CPU_LIMIT } from '../load/load-generator.js';
import type { LoadJob, LoadReport } from '../load/load-job.js';
import type { BenchOptions } from '../run/bench-options.js';
import { type Row, type RowKey, rowsFromReports } from '../run/results.js';
import type { Target } from '../store/server-process.js';
import type { ScenarioContext } from './scenario.js';

const ERRORS_NOTED_MAX = 2;
const QUICK_ROUNDS = 2;
const QUICK_MS = 250;
/** Before each load is counted: its connections are new. */
const WARM_UP_MS = 250;
const QUICK_WARM_UP_MS = 70;

/** One load and the row that it fills. */
export interface Point {
  readonly label: string;
  readonly key: RowKey;
  /** Several: instances of the same, whose rounds fill one row. */
  readonly targets: readonly Target[];
  readonly job: Omit<LoadJob, 'host' | 'port' | 'durationMs' | 'warmupMs'>;
  /** For an open loop whose rate hangs on an earlier point: asked when the point's turn comes. undefined: left out then. */
  readonly rateNow?: (() => number | undefined) | undefined;
  /** Told of each round's report, also where nothing could be measured. */
  readonly onReport?: ((report: LoadReport) => void) | undefined;
  /** Called before each round; what it returns, after the round: for counts that the target itself keeps. */
  readonly watch?: (() => Promise<() => Promise<void>>) | undefined;
}

/** How often and how long each point is measured. */
export interface Timing {
  readonly rounds: number;
  readonly durationMs: number;
  readonly warmupMs: number;
}

/** Rounds as long as steady figures need, or short ones for a quick run; how many may be asked for. */
export function timingOf({ quick, rounds }: BenchOptions, longRounds: number, durationMs: number): Timing {
  return quick
    ? { rounds: rounds ?? QUICK_ROUNDS, durationMs: QUICK_MS, warmupMs: QUICK_WARM_UP_MS }
    : { rounds: rounds ?? longRounds, durationMs, warmupMs: WARM_UP_MS };
}

/**
 * Measures all points and adds their rows, in the order of the points; after an abort, those that have a round.
 *
 * @returns the rows that were added
 */
export async function measurePoints(
  context: ScenarioContext,
  points: readonly Point[],
  timing: Timing,
): Promise<Row[]> {
  const reports = new Map<Point, LoadReport[]>(points.map((point) => [point, []]));
  const rows: Row[] = [];
  try {
    await runRounds(context, reports, timing);
  } finally {
    for (const [point, ofPoint] of reports) {
      if (ofPoint.length === 0) continue;
      const ofRow = rowsFromReports(point.key, ofPoint);
      if (ofRow.length === 0) {
        context.note(`${point.key.scenario}, ${point.key.subject}, ${point.label}: no request was sent in its time.`);
      }
      rows.push(...ofRow);
      addNotes(context, point, ofPoint);
    }
    context.addRows(rows);
  }
  return rows;
}

async function runRounds(
  context: ScenarioContext,
  reports: ReadonlyMap<Point, LoadReport[]>,
  timing: Timing,
): Promise<void> {
  const { rounds } = timing;
  for (let round = 1; round <= rounds; round++) {
    for (const [point, ofPoint] of reports) {
      for (const target of point.targets) {
        if (context.signal.aborted) return;
        context.step(`${point.key.subject}, ${point.label}, round ${round} of ${rounds}`);
        const report = await runPoint(context, point, target, timing);
        if (report !== undefined) ofPoint.push(report);
      }
    }
  }
}

async function runPoint(
  context: ScenarioContext,
  point: Point,
  { host, port }: Target,
  { durationMs, warmupMs }: Timing,
): Promise<LoadReport | undefined> {
  const rate = point.rateNow === undefined ? point.job.rate : point.rateNow();
  if (rate === undefined && point.rateNow !== undefined) return undefined;
  const endWatch = await point.watch?.();
  const report = await context.generator.run({ ...point.job, rate, host, port, durationMs, warmupMs }, context.signal);
  point.onReport?.(report);
  if (report.seconds === 0) return undefined;
  await endWatch?.();
  return report;
}

function addNotes(context: ScenarioContext, point: Point, reports: readonly LoadReport[]): void {
  const { scenario, subject } = point.key;
  const name = `${scenario}, ${subject}, ${point.label}`;
  if (reports.some((report) => report.generatorCpu > GENERATOR_CPU_LIMIT)) {
    context.note(`${name}: the load generator used a whole core; the server's own limit is higher.`);
  }
  for (const report of reports) {
    for (const sample of [...report.query.errorSamples, ...report.order.errorSamples].slice(0, ERRORS_NOTED_MAX)) {
      context.note(`${name}: error: ${sample}`);
    }
  }
}

/** Expected answers per second over all kinds, for scenarios that go on from a top rate. */
export function throughputOf(report: LoadReport): number {
  const count =
    LatencyHistogram.decode(report.query.histogram).count + LatencyHistogram.decode(report.order.histogram).count;
  return report.seconds > 0 ? count / report.seconds : 0;
}
