// database-saboteur.ts: what happens to a store over a database: services are killed and paused, those that serve and those
// that stand by; the server is killed and started again; or, in a cluster, the leader is killed again and again.
//
// The seed decides the blows; what they hit is up to the machine.

import { setTimeout as pause } from 'node:timers/promises';
import type { PatroniCluster } from '../postgres/support/patroni-cluster.js';
import type { PostgresServer } from '../postgres/support/postgres-server.js';
import type { Member } from '../postgres/support/standby-store.js';
import { SeededRandom } from '../support/simulated-random.js';
import type { ChaosNotes } from './chaos-notes.js';
import type { DatabaseChaosRun } from './database-chaos.js';

export interface DatabaseSaboteur {
  readonly blows: Readonly<Record<string, number>>;
  readonly silencesMs: readonly number[];
  /** Strikes until it is enough; resolves when everything runs again, or can start to. */
  run(): Promise<void>;
}

/** Short pauses are no more than a hiccup; long ones cost the process its seat. */
const PAUSE_MS = { min: 20, max: 5_000 } as const;
const PEACE_MS_MAX = 3_000;
const DOWN_MS_MAX = 2_000;
const SAMPLE_MS = 10;

/** Over one server, for so many seconds. */
export class ServerSaboteur implements DatabaseSaboteur {
  readonly blows = { 'services killed': 0, 'services paused': 0, 'server killed': 0 };
  readonly silencesMs: number[] = [];
  readonly #run: DatabaseChaosRun;
  readonly #server: PostgresServer;
  readonly #random: SeededRandom;
  readonly #untilMs: number;

  constructor(run: DatabaseChaosRun, server: PostgresServer, seed: number, seconds: number) {
    this.#run = run;
    this.#server = server;
    this.#random = new SeededRandom(Math.imul(seed, 10_007) - 1);
    this.#untilMs = performance.now() + seconds * 1_000;
  }

  async run(): Promise<void> {
    while (performance.now() < this.#untilMs && !this.#run.closing.aborted) {
      const dice = this.#random.next();
      if (dice < 0.4) this.#kill(this.#draw());
      else if (dice < 0.5) for (const member of [this.#draw(), this.#draw()]) this.#kill(member);
      else if (dice < 0.8) await this.#pauseForAWhile(this.#draw(), this.#random.chance(0.3));
      else await this.#killServer();
      await pause(this.#random.integer(0, PEACE_MS_MAX));
    }
  }

  #draw(): Member {
    return this.#random.pick(this.#run.store.members);
  }

  #kill({ process }: Member): void {
    if (process.child.kill('SIGKILL')) this.blows['services killed']++;
  }

  async #pauseForAWhile({ process }: Member, thenKill: boolean): Promise<void> {
    if (process.child.exitCode !== null || !process.child.kill('SIGSTOP')) return;
    this.blows['services paused']++;
    await pause(this.#random.integer(PAUSE_MS.min, PAUSE_MS.max));
    process.child.kill(thenKill ? 'SIGKILL' : 'SIGCONT');
  }

  async #killServer(): Promise<void> {
    await this.#server.kill();
    this.blows['server killed']++;
    await pause(this.#random.integer(0, DOWN_MS_MAX));
    await this.#server.resume();
  }
}

/** Over a cluster, so many times. */
export class LeaderSaboteur implements DatabaseSaboteur {
  readonly blows = { 'leaders killed': 0 };
  readonly silencesMs: number[] = [];
  readonly #run: DatabaseChaosRun;
  readonly #cluster: PatroniCluster;
  readonly #kills: number;
  readonly #onKill: (silenceMs: number) => void;

  constructor(run: DatabaseChaosRun, cluster: PatroniCluster, kills: number, onKill: (silenceMs: number) => void) {
    this.#run = run;
    this.#cluster = cluster;
    this.#kills = kills;
    this.#onKill = onKill;
  }

  async run(): Promise<void> {
    const { notes, closing } = this.#run;
    while (this.blows['leaders killed'] < this.#kills && !closing.aborted) {
      await pause(2_000);
      const killed = await this.#cluster.killLeader();
      this.blows['leaders killed']++;
      const healthy = this.#cluster
        .untilAnotherLeads(killed)
        // Not before: it would take its place again.
        .then(() => this.#cluster.revive(killed))
        .then(() => this.#cluster.untilHealthy());
      const silenceMs = await longestSilence(notes, healthy);
      this.silencesMs.push(silenceMs);
      this.#onKill(silenceMs);
    }
  }
}

/** The longest time without an answer to an order, from now until `end`, and the first answer after it. In milliseconds. */
async function longestSilence(notes: ChaosNotes, end: Promise<void>): Promise<number> {
  let hasEnded = false;
  const ended = end.then(() => {
    hasEnded = true;
  });
  let longestMs = 0;
  let seen = notes.sold;
  let lastMs = performance.now();
  for (let isOver = false; !isOver; ) {
    await pause(SAMPLE_MS);
    const now = performance.now();
    longestMs = Math.max(longestMs, now - lastMs);
    if (notes.sold === seen) continue;
    seen = notes.sold;
    lastMs = now;
    isOver = hasEnded;
  }
  await ended;
  return Math.round(longestMs);
}
