// run-database-chaos.ts: `npm run chaos -- --postgres` and `-- --cluster`, from their flags to their exit code.

import { parseFlags, UsageError, wantsHelp } from '../../src/flags.js';
import { EXIT_FAILED, EXIT_OK, waitForStop } from '../../src/process-end.js';
import { PatroniCluster } from '../postgres/support/patroni-cluster.js';
import { PostgresServer } from '../postgres/support/postgres-server.js';
import { type DatabaseChaosPlan, type DatabaseChaosResult, runDatabaseChaos } from './database-chaos.js';
import { LeaderSaboteur, ServerSaboteur } from './database-saboteur.js';
import { CHAOS_SHELF } from './shelf.js';

const NUMBER = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const OPTIONS = {
  postgres: FLAG,
  cluster: FLAG,
  seconds: NUMBER,
  kills: NUMBER,
  clients: NUMBER,
  seed: NUMBER,
  json: FLAG,
} as const;
const DEFAULTS = { seconds: 60, kills: 20, clients: 8 } as const;
const SEED_MAX = 0xffff_ffff;

const HELP = `Usage: npm run chaos -- --postgres [flags]
       npm run chaos -- --cluster [flags]

Two of each service and two front ends over a database of its own, with buyers who go on ordering.
--postgres: services are killed and paused, the server is killed and started again.
--cluster: three PostgreSQL under Patroni with etcd, in synchronous mode; the leader is killed again and again.
Then every line of the books is checked: from the tables, from queries, and from what the buyers were told.

Flags (default):
  --seconds N   how long blows fall, with --postgres (${DEFAULTS.seconds})
  --kills N     leaders to kill, with --cluster (${DEFAULTS.kills})
  --clients N   buyers at the same time (${DEFAULTS.clients})
  --seed N      the wishes and blows of an earlier run (drawn, and printed)
  --json        print one JSON object

Exit code: 0 the books are right, 1 they are not, 2 wrong usage.
`;

/** Runs the command; returns the exit code. */
export async function runDatabaseChaosCommand(argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(HELP);
    return EXIT_OK;
  }
  const flags = parseFlags(argv, OPTIONS, process.env);
  const number = (name: 'seconds' | 'kills' | 'clients' | 'seed', fallback: number): number => {
    const text = flags[name];
    if (text === undefined) return fallback;
    if (/^\d{1,10}$/.test(text)) return Number(text);
    throw new UsageError(`--${name} is ${JSON.stringify(text)}: it must be a whole number`);
  };
  const seed = number('seed', Math.floor(Math.random() * SEED_MAX));
  const clients = number('clients', DEFAULTS.clients);
  const closing = new AbortController();
  void waitForStop().then(() => closing.abort());
  const mode = flags.cluster === true ? '--cluster' : '--postgres';
  if (flags.json !== true) process.stdout.write(`npm run chaos -- ${mode} --seed ${seed} --clients ${clients}\n`);

  const plan = { seed, clients, shelf: CHAOS_SHELF };
  const result =
    flags.cluster === true
      ? await overCluster(plan, number('kills', DEFAULTS.kills), closing.signal)
      : await overServer(plan, number('seconds', DEFAULTS.seconds), closing.signal);
  process.stdout.write(flags.json === true ? `${JSON.stringify({ seed, clients, ...result })}\n` : format(result));
  return result.violations.length === 0 ? EXIT_OK : EXIT_FAILED;
}

type Plan = Omit<DatabaseChaosPlan, 'url' | 'createSaboteur'>;

async function overServer(plan: Plan, seconds: number, closing: AbortSignal): Promise<DatabaseChaosResult> {
  await using server = await PostgresServer.start();
  const url = await server.createDatabase();
  return await runDatabaseChaos(
    { ...plan, url, createSaboteur: (run) => new ServerSaboteur(run, server, plan.seed, seconds) },
    closing,
  );
}

async function overCluster(plan: Plan, kills: number, closing: AbortSignal): Promise<DatabaseChaosResult> {
  await using cluster = await PatroniCluster.start();
  let count = 0;
  const onKill = (silenceMs: number): void => {
    process.stderr.write(`leader ${++count} of ${kills}: silent for ${(silenceMs / 1000).toFixed(1)} s\n`);
  };
  return await runDatabaseChaos(
    { ...plan, url: cluster.url(), createSaboteur: (run) => new LeaderSaboteur(run, cluster, kills, onKill) },
    closing,
  );
}

function format(result: DatabaseChaosResult): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const { sold, refused, open, queries, blows, silencesMs, violations } = result;
  const sorted = [...silencesMs].sort((left, right) => left - right);
  const lines = [
    `${sold} orders sold, ${refused} refused, ${open} open; ${queries} queries; ${result.durationSeconds.toFixed(0)} s`,
    Object.entries(blows)
      .map(([what, times]) => `${what}: ${times}`)
      .join(', '),
    `longest time without an answer to an order: ${seconds(result.longestOutageMs)} s`,
  ];
  if (sorted.length > 0) {
    const median = sorted[sorted.length >> 1]!;
    lines.push(
      `silence after a leader was killed: ${seconds(sorted[0]!)} to ${seconds(sorted.at(-1)!)} s, median ${seconds(median)} s`,
    );
  }
  if (violations.length === 0) lines.push('the books are right: 0 lost, 0 doubled, 0 gaps');
  else lines.push(`THE BOOKS ARE WRONG (evidence: ${result.evidence})`, ...violations);
  return `${lines.join('\n')}\n`;
}
