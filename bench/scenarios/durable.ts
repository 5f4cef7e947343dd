// durable.ts: what group commit gives: durable orders per second through HTTP, and how many of them share one sync.
//
//   toystore                  one fdatasync in each service for all orders that came while the last one ran
//   node-http-fsync           the same API over unary gRPC calls, in both services one fdatasync for each order
//   node-http-fsync-in-turn   the same, one order after the other, so that the file never has a gap: what the store
//                             would be without group commit
//
// All of them run all the time and are loaded in turn, round by round. The store says itself how often it synced.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import { COMPILED_FOLDER, DATA_FOLDER } from '../run/paths.js';
import type { Figure } from '../run/results.js';
import { type JournalCounts, readJournalCounts } from '../store/journal-counts.js';
import { startServer, type Target } from '../store/server-process.js';
import { startAll } from '../store/start-all.js';
import { TOYS } from '../store/toystore.js';
import { measurePoints, type Point, pointsSeconds, type Timing } from './measure-points.js';
import { describeConnections, ratiosOf } from './ratios.js';
import type { Scenario } from './scenario.js';
import { storeTarget } from './store-target.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

const CONNECTIONS = [1, 8, 64, 256] as const;
const QUICK_CONNECTIONS = [1, 64] as const;
/** Starting three stores at once, and stopping them. */
const START_SECONDS = 7;
const STORE = 'toystore';
const SUBJECTS = 3;
const SIDE_BY_SIDE = 'node-http-fsync';
const IN_TURN = 'node-http-fsync-in-turn';
/** At 64 connections, five times what a sync for each order gives. */
const BARS = [{ operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 5 } }] as const;

function timingOf({ quick, isOverview, rounds }: BenchOptions): Timing {
  if (quick) return { rounds: rounds ?? 2, durationMs: 250, warmupMs: 80 };
  if (isOverview) return { rounds: rounds ?? 2, durationMs: 600, warmupMs: 150 };
  return { rounds: rounds ?? 5, durationMs: 1500, warmupMs: 250 };
}

function connectionsOf({ connections, quick }: BenchOptions): readonly number[] {
  return connections ?? (quick ? QUICK_CONNECTIONS : CONNECTIONS);
}

/** For each round of one number of connections: orders and syncs from its start to its end. */
type Watched = JournalCounts[];

export const durable: Scenario = {
  plannedSeconds: (options) =>
    START_SECONDS +
    SUBJECTS * warmUpSeconds(options) +
    pointsSeconds(SUBJECTS * connectionsOf(options).length, timingOf(options)),
  run: async (context) => {
    const { options } = context;
    const targets = await startAll([
      storeTarget(options),
      startFsyncPeer(SIDE_BY_SIDE, 'side-by-side'),
      startFsyncPeer(IN_TURN, 'in-turn'),
    ]);
    const store = targets[0]!;
    const watched = new Map<number, Watched>();
    try {
      for (const target of targets) await warmUp(context, target);
      const points = connectionsOf(options).flatMap((connections) => {
        const rounds: Watched = [];
        watched.set(connections, rounds);
        const watch = () => watchJournals(store, rounds);
        return targets.map((target) => ({ ...pointOf(target, connections), ...(target === store ? { watch } : {}) }));
      });
      const secondsBefore = START_SECONDS + SUBJECTS * warmUpSeconds(options);
      const rows = await measurePoints(context, points, timingOf(options), secondsBefore);
      for (const [baseline, remark] of [
        [SIDE_BY_SIDE, 'syncs side by side'],
        [IN_TURN, 'syncs in turn'],
      ] as const) {
        const pair = rows.filter(({ subject }) => subject === STORE || subject === baseline);
        context.addFigures(ratiosOf(pair, { scenario: 'durable', baseline, subject: STORE, bars: BARS, remark }));
      }
    } finally {
      context.addFigures([...watched].flatMap(([connections, rounds]) => ordersPerSync(connections, rounds)));
      await Promise.all(targets.map((target) => target.stop()));
    }
  },
};

async function startFsyncPeer(name: string, writes: string): Promise<Target> {
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-fsync-'));
  const file = path.join(COMPILED_FOLDER, 'peers', 'peer-store.js');
  return startServer({
    name,
    args: [file, '--frontend', 'node-http', '--fsync', folder, '--writes', writes],
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}

function pointOf(target: Target, connections: number): Point {
  return {
    label: describeConnections(connections),
    key: { scenario: 'durable', subject: target.name, clients: connections },
    target,
    job: { connections, work: { kind: 'order', toys: TOYS } },
  };
}

async function watchJournals(store: Target, rounds: Watched): Promise<() => Promise<void>> {
  const before = await readJournalCounts(store);
  return async () => {
    const after = await readJournalCounts(store);
    rounds.push({
      orders: after.orders - before.orders,
      catalogSyncs: after.catalogSyncs - before.catalogSyncs,
      orderSyncs: after.orderSyncs - before.orderSyncs,
    });
  };
}

function ordersPerSync(connections: number, rounds: Watched): Figure[] {
  if (rounds.length === 0) return [];
  const figureOf = (journal: string, syncsOf: (counts: JournalCounts) => number): Figure => {
    const values = rounds.map((counts) => counts.orders / Math.max(1, syncsOf(counts)));
    return {
      scenario: 'durable',
      case: `order, ${describeConnections(connections)}, orders per fdatasync`,
      subject: journal,
      value: median(values),
      unit: 'orders',
      better: 'higher',
      rounds: values,
    };
  };
  return [
    figureOf('catalog journal', (counts) => counts.catalogSyncs),
    figureOf('order journal', (counts) => counts.orderSyncs),
  ];
}
