// durable.ts: what group commit gives: durable orders per second through HTTP, and how many of them share one sync.
//
//   toystore        one fdatasync for all orders that came while the last one ran
//   fastify-fsync   the same API over unary gRPC calls, in both services one fdatasync for each order
//
// The store says itself how often its catalog synced.

import { median } from '../rounds.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Figure } from '../run/results.js';
import { startProgram, type Target } from '../store/server-process.js';
import { makeDataFolder, storeTarget } from '../store/toystore.js';
import { type Contest, runContest } from './contest.js';
import { timingOf } from './measure-points.js';
import { describeConnections, ratiosOf } from './ratios.js';
import type { Scenario } from './scenario.js';

const CONNECTIONS = [1, 8, 64, 256] as const;
const QUICK_CONNECTIONS = [1, 64] as const;
const ROUNDS = 5;
const ROUND_MS = 1500;
const STORE = 'toystore';
const PEER = 'fastify-fsync';
/** At 64 connections, five times what a sync for each order gives. */
const BARS = [{ operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 5 } }] as const;

/** For each number of connections, orders for each sync, round by round. */
type PerSync = Map<number, number[]>;

function contestOf(options: BenchOptions, perSync: PerSync = new Map()): Contest {
  const connections = options.connections ?? (options.quick ? QUICK_CONNECTIONS : CONNECTIONS);
  return {
    scenario: 'durable',
    contestants: [
      {
        name: STORE,
        start: () => storeTarget(options),
        watch: (target, { clients }) => {
          const rounds: number[] = [];
          perSync.set(clients, rounds);
          return () => watchSyncs(target, rounds);
        },
      },
      { name: PEER, start: startFsyncPeer },
    ],
    loads: connections.map((clients) => ({ work: 'order', clients })),
    timing: timingOf(options, ROUNDS, ROUND_MS),
  };
}

export const durable: Scenario = async (context) => {
  const perSync: PerSync = new Map();
  try {
    const rows = await runContest(context, contestOf(context.options, perSync));
    context.addFigures(ratiosOf(rows, { scenario: 'durable', baseline: PEER, subject: STORE, bars: BARS }));
  } finally {
    context.addFigures([...perSync].flatMap(([clients, rounds]) => figureOf(clients, rounds)));
  }
};

async function startFsyncPeer(): Promise<Target> {
  const { folder, remove } = await makeDataFolder();
  return startProgram(PEER, 'peers/peer-store.js', ['--fsync', folder], { cleanUp: remove });
}

async function watchSyncs(store: Target, rounds: number[]): Promise<() => Promise<void>> {
  const before = await readCounts(store);
  return async () => {
    const after = await readCounts(store);
    rounds.push((after.orders - before.orders) / Math.max(1, after.syncs - before.syncs));
  };
}

/** Orders, and syncs of the catalog's journal, since the store was started. @throws Error when /metrics has no such */
async function readCounts({ host, port }: Target): Promise<{ orders: number; syncs: number }> {
  const page = await (await fetch(`http://${host}:${port}/metrics`)).text();
  const sample = (name: string, service: string): number => {
    const value = new RegExp(`^${name}\\{[^}]*service="${service}"[^}]*\\} (\\S+)$`, 'm').exec(page)?.[1];
    if (value === undefined) throw new Error(`/metrics has no ${name} of the service ${service}`);
    return Number(value);
  };
  return {
    orders: sample('toystore_orders_total', 'order'),
    syncs: sample('toystore_journal_sync_seconds_count', 'catalog'),
  };
}

function figureOf(connections: number, rounds: readonly number[]): Figure[] {
  if (rounds.length === 0) return [];
  return [
    {
      scenario: 'durable',
      case: `order, ${describeConnections(connections)}, orders per fdatasync`,
      subject: 'catalog journal',
      value: median(rounds),
      unit: 'orders',
      better: 'higher',
      rounds,
    },
  ];
}
