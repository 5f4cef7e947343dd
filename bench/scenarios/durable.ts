// durable.ts: what group commit gives: durable orders per second through HTTP, and how many of them share one sync.
//
//   toystore        one fdatasync for all orders that came while the last one ran
//   fastify-fsync   the same API over unary gRPC calls, in both services one fdatasync for each order
//
// The store says itself how often its catalog synced.

import { figureOf } from '../figures.js';
import { describeLoad } from '../report/words.js';
import { startProgram, type Target } from '../store/server-process.js';
import { makeDataFolder, storeTarget } from '../store/toystore.js';
import { runContest } from './contest.js';
import type { Scenario } from './scenario.js';

const CONNECTIONS = [1, 8, 64, 256] as const;
const QUICK_CONNECTIONS = [1, 64] as const;
const STORE = 'toystore';
const PEER = 'fastify-fsync';
/** At 64 connections, five times what a sync for each order gives. */
const BARS = [{ operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 5 } }] as const;

export const durable: Scenario = async (context) => {
  const { options } = context;
  const connections = options.connections ?? (options.quick ? QUICK_CONNECTIONS : CONNECTIONS);
  /** Orders for each sync, round by round. */
  const perSync = new Map(connections.map((clients) => [clients, [] as number[]]));
  await runContest(context, {
    contestants: [
      {
        name: STORE,
        start: () => storeTarget(options),
        watch: (target, { clients }) => watchSyncs(target, perSync.get(clients)!),
      },
      { name: PEER, start: startFsyncPeer },
    ],
    loads: connections.map((clients) => ({ work: 'order', clients })),
    beside: { [PEER]: BARS },
  });
  const counted = [...perSync].filter(([, rounds]) => rounds.length > 0);
  context.addFigures(
    counted.map(([clients, rounds]) =>
      figureOf({
        case: `order, ${describeLoad({ clients })}, orders per fdatasync`,
        subject: 'catalog journal',
        unit: 'orders',
        better: 'higher',
        rounds,
      }),
    ),
  );
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
