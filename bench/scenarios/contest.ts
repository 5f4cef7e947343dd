// contest.ts: stores side by side under the same loads, in interleaved rounds; or one store under several loads.
//
//   start all ── warm each up under each load ── round 1: load 1: a b c, load 2: a b c, … ── round 2: c b a, … ── stop all
//
// All of them run all the time and are loaded in turn, round by round: whatever slows the machine slows each of them, and
// the spread between rounds shows the noise.

import type { Figure, Measured } from '../figures.js';
import { GENERATOR_CPU_LIMIT } from '../load/load-generator.js';
import type { LoadReport, Work } from '../load/load-job.js';
import { describeLoad } from '../report/words.js';
import { amountOf, roundsOf } from '../run/bench-options.js';
import { type Row, rowsFromReports } from '../run/results.js';
import { startAll, stopAll, type Target } from '../store/server-process.js';
import { type RatioBar, ratiosOf } from './ratios.js';
import type { Scenario, ScenarioContext } from './scenario.js';
import { throughputOf, warmUp } from './warm-up.js';

const ROUNDS = 5;
const ROUND_MS = 1500;
/** Before each load is counted: its connections are new. */
const WARM_UP_MS = 250;
const ERRORS_NOTED_MAX = 2;
/** Of stores that are compared: two processes of one program differ by some per cent for as long as they live. */
export const INSTANCES = 2;

/** One load of a contest. */
export interface Load {
  /** What a connection sends: queries, orders, or sessions of both with this probability of an order. */
  readonly work: 'query' | 'order' | { readonly p: number };
  readonly clients: number;
  /** Open loop: requests per second; or what share of the rate that the last closed loop gave, which may be none. */
  readonly rate?: number | { readonly ofTop: number };
  /** Stands in its rows. */
  readonly variant?: string;
}

/** Who takes part. */
export interface Contestant {
  /** As it stands in rows. */
  readonly name: string;
  /** Starts a server; or the name of the contestant on whose servers this one's own request is measured. */
  readonly start: (() => Promise<Target>) | string;
  /** How many servers of its kind run; their rounds fill the same rows. Default 1. */
  readonly instances?: number;
  /** The one request that it is asked in place of queries: it takes no part in other loads. */
  readonly only?: Work;
  /** Loads in which it takes part. Default: all. */
  readonly takes?: (load: Load) => boolean;
  /** Called before each of its rounds; what it returns, after the round. */
  readonly watch?: (target: Target, load: Load) => Promise<() => Promise<void>>;
}

/** All of a contest. */
export interface Contest {
  /** The first is the one that bars are for. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  readonly loads: readonly Load[];
  /** The contestants that the first is compared with, by name; if there is only one, all are compared with it. */
  readonly beside?: Readonly<Record<string, readonly RatioBar[]>>;
  /** Of a long run. Default 5. */
  readonly rounds?: number;
  /** Of a long run. Default 1500. */
  readonly roundMs?: number;
}

/** One contestant under one load, and what came of it, round by round. */
interface Point {
  readonly contestant: Contestant;
  readonly load: Load;
  readonly work: Work;
  readonly targets: readonly Target[];
  readonly reports: LoadReport[];
}

/** The scenario that is nothing but a contest. */
export function contest(contestOf: (context: ScenarioContext) => Contest): Scenario {
  return async (context) => {
    await runContest(context, contestOf(context));
  };
}

/**
 * Runs it and adds its rows and ratios; after an abort or a failure, the rows of what was measured until then.
 *
 * @returns the rows that were added
 */
export async function runContest(context: ScenarioContext, asked: Contest): Promise<Measured<Row>[]> {
  const servers = asked.contestants.flatMap(({ name, start, instances = 1 }) =>
    typeof start === 'string' ? [] : Array.from({ length: instances }, () => ({ name, start })),
  );
  context.step(`starting ${servers.map(({ name }) => name).join(', ')}`);
  const started = await startAll(servers.map(({ start }) => start()));
  const points = asked.loads.flatMap((load) =>
    asked.contestants.flatMap((contestant) => {
      const host = typeof contestant.start === 'string' ? contestant.start : contestant.name;
      const targets = started.filter((_, index) => servers[index]!.name === host);
      return takesPart(contestant, load) ? [pointOf(contestant, load, targets)] : [];
    }),
  );
  let rows: Measured<Row>[] = [];
  try {
    for (const target of started) {
      const works = points.filter(({ targets }) => targets.includes(target)).map(({ work }) => work);
      for (const work of distinct(works)) await warmUp(context, target, work);
    }
    await measurePoints(context, points, asked);
  } finally {
    await stopAll(started);
    rows = points.flatMap((point) => rowsOf(context, point));
    context.addRows(rows);
  }
  context.addFigures(comparisonsOf(rows, asked));
  return rows;
}

function takesPart({ only, takes = () => true }: Contestant, load: Load): boolean {
  return (only === undefined || load.work === 'query') && takes(load);
}

function pointOf(contestant: Contestant, load: Load, targets: readonly Target[]): Point {
  return { contestant, load, work: contestant.only ?? load.work, targets, reports: [] };
}

/** Sessions differ by their probability only: one of them warms up for all. */
function distinct(works: readonly Work[]): Work[] {
  const kindOf = (work: Work): unknown => (typeof work === 'object' && 'p' in work ? 'session' : work);
  return [...new Map(works.map((work) => [kindOf(work), work])).values()];
}

async function measurePoints(context: ScenarioContext, points: readonly Point[], asked: Contest): Promise<void> {
  const rounds = roundsOf(context.options, asked.rounds ?? ROUNDS);
  const roundMs = asked.roundMs ?? ROUND_MS;
  let top = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const load of asked.loads) {
      const turns = points.flatMap((point) =>
        point.load === load ? point.targets.map((target) => ({ point, target })) : [],
      );
      // Whoever comes first finds generator and machine at another load: it is not always the same one.
      if (round % 2 === 0) turns.reverse();
      for (const { point, target } of turns) {
        if (context.signal.aborted) return;
        context.step(`${labelOf(point)}, round ${round} of ${rounds}`);
        const { rate } = load;
        const perSecond = typeof rate === 'object' ? rateAt(top, rate.ofTop) : rate;
        if (perSecond === 0) continue;
        const report = await measurePoint(context, point, target, perSecond, roundMs);
        if (rate === undefined) top = throughputOf(report);
        if (report.seconds > 0) point.reports.push(report);
      }
    }
  }
}

/** Two digits: nobody reads more of a rate. */
function rateAt(top: number, share: number): number {
  return top === 0 ? 0 : Math.max(1, Number((top * share).toPrecision(2)));
}

async function measurePoint(
  { generator, options, signal }: ScenarioContext,
  { contestant, load, work }: Point,
  target: Target,
  rate: number | undefined,
  roundMs: number,
): Promise<LoadReport> {
  const { host, port } = target;
  const [durationMs, warmupMs] = [amountOf(options, roundMs), amountOf(options, WARM_UP_MS)];
  const endWatch = await contestant.watch?.(target, load);
  const report = await generator.run(
    { host, port, connections: load.clients, work, rate, durationMs, warmupMs },
    signal,
  );
  if (report.seconds > 0) await endWatch?.();
  return report;
}

function keyOf({ contestant, load: { work, clients, variant } }: Point) {
  return { subject: contestant.name, clients, p: typeof work === 'string' ? undefined : work.p, variant };
}

function labelOf(point: Point): string {
  const { work, rate } = point.load;
  const load = describeLoad({ ...keyOf(point), rate: typeof rate === 'object' ? undefined : rate });
  return `${point.contestant.name}, ${typeof work === 'string' ? work : 'session'}, ${load}`;
}

/** The rows of a point, none without a round; notes what a reader must know of them. */
function rowsOf(context: ScenarioContext, point: Point): Measured<Row>[] {
  const { reports } = point;
  const rows = rowsFromReports(keyOf(point), reports);
  const note = (text: string): void => context.note(`${labelOf(point)}: ${text}`);
  if (reports.length > 0 && rows.length === 0) note('no request was sent in its time.');
  if (reports.some((report) => report.generatorCpu > GENERATOR_CPU_LIMIT)) {
    note("the load generator used a whole core; the server's own limit is higher.");
  }
  for (const { query, order } of reports) {
    const samples = [...query.errorSamples, ...order.errorSamples].slice(0, ERRORS_NOTED_MAX);
    for (const sample of samples) note(`error: ${sample}`);
  }
  return rows;
}

function comparisonsOf(rows: readonly Measured<Row>[], { contestants, beside = {} }: Contest): Measured<Figure>[] {
  const subject = contestants[0].name;
  const isPair = Object.keys(beside).length > 1;
  return Object.entries(beside).flatMap(([baseline, bars]) => ratiosOf(rows, { baseline, subject, bars, isPair }));
}
