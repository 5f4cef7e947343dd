// contest.ts: stores side by side under the same loads: what the scenarios that compare have in common.
//
//   start all ── warm each up under each load ── round 1: load 1: a b c, load 2: a b c, … ── round 2 … ── stop all
//
// All of them run all the time and are loaded in turn, round by round: whatever slows the machine slows each of them.

import type { Work } from '../load/load-job.js';
import type { Row } from '../run/results.js';
import { startAll, stopAll, type Target } from '../store/server-process.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, type Point, type Timing } from './measure-points.js';
import { describeConnections } from './ratios.js';
import type { ScenarioContext } from './scenario.js';
import { warmUp } from './warm-up.js';

/** What a connection sends: queries, orders, or sessions of both with this probability of an order. */
export type ContestWork = 'query' | 'order' | { readonly p: number };

/** One load of a contest. */
export interface ContestLoad {
  readonly work: ContestWork;
  readonly clients: number;
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
  readonly takes?: (load: ContestLoad) => boolean;
  /** As in a point. */
  readonly watch?: (target: Target, load: ContestLoad) => Point['watch'];
}

/** All of a contest. */
export interface Contest {
  readonly scenario: string;
  readonly contestants: readonly Contestant[];
  readonly loads: readonly ContestLoad[];
  readonly timing: Timing;
}

/** Runs it; its rows are added. */
export async function runContest(context: ScenarioContext, contest: Contest): Promise<Row[]> {
  const servers = contest.contestants.flatMap(({ name, start, instances = 1 }) =>
    typeof start === 'string' ? [] : Array.from({ length: instances }, () => ({ name, start })),
  );
  context.step(`starting ${servers.map(({ name }) => name).join(', ')}`);
  const started = await startAll(servers.map(({ start }) => start()));
  const targetsOf = ({ name, start }: Contestant): Target[] =>
    started.filter((_, index) => servers[index]!.name === (typeof start === 'string' ? start : name));
  try {
    for (const contestant of contest.contestants) {
      for (const target of targetsOf(contestant)) {
        for (const work of worksOf(contestant, contest)) await warmUp(context, target, work);
      }
    }
    const points = contest.loads.flatMap((load) =>
      contest.contestants
        .filter((contestant) => loadsOf(contestant, contest).includes(load))
        .map((contestant) => pointOf(contest.scenario, contestant, load, targetsOf(contestant))),
    );
    return await measurePoints(context, points, contest.timing);
  } finally {
    await stopAll(started);
  }
}

function loadsOf({ only, takes = () => true }: Contestant, { loads }: Contest): ContestLoad[] {
  return loads.filter((load) => (only === undefined || load.work === 'query') && takes(load));
}

/** Sessions differ by their probability only: one of them warms up for all. */
function worksOf(contestant: Contestant, contest: Contest): Work[] {
  const loads = loadsOf(contestant, contest);
  const kinds = new Map(loads.map((load) => [typeof load.work === 'string' ? load.work : 'session', load]));
  return [...kinds.values()].map((load) => workOf(contestant, load));
}

function workOf({ only }: Contestant, { work }: ContestLoad): Work {
  if (only !== undefined) return only;
  return typeof work === 'string' ? { kind: work, toys: TOYS } : { kind: 'session', toys: TOYS, p: work.p };
}

function pointOf(scenario: string, contestant: Contestant, load: ContestLoad, targets: readonly Target[]): Point {
  const { work, clients } = load;
  const p = typeof work === 'string' ? undefined : work.p;
  return {
    label: `${p === undefined ? work : `p ${p}`}, ${describeConnections(clients)}`,
    key: { scenario, subject: contestant.name, clients, p },
    targets,
    job: { connections: clients, work: workOf(contestant, load) },
    watch: contestant.watch?.(targets[0]!, load),
  };
}
