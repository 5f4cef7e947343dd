// saboteur.ts: kills, pauses and stops services of a running store at random instants, and plays tricks on their files and
// on the second front end.
//
//   burst: 1 to 4 blows, some of them while the one before is still felt ── the store must come back ── a while of peace
//
// A blow is a SIGKILL to one service, to two at once or to all three; a SIGSTOP for a while that ends in SIGCONT or in
// SIGKILL; a SIGTERM, after which the service stops cleanly and is started again; a file that is removed, renamed or
// swapped for a copy; or a connection of the second front end that breaks or falls silent. What a person does to the files
// of a service that has stopped cleanly is meant so, and no trick: so no trick is played then. Which service comes next is dealt from a shuffled pack, so that none is spared. The seed decides the blows and
// the times between them; what they hit is up to the machine.

import { setTimeout as pause } from 'node:timers/promises';
import { waitUntilReady } from '../../src/http-probe.js';
import { SeededRandom } from '../support/simulated-random.js';
import type { StoreProcess } from '../support/store-process.js';
import { FILE_OWNERS, playTrick } from './file-tricks.js';
import type { UnsteadyLink } from './unsteady-link.js';

export const SERVICES = ['catalog', 'order', 'frontend'] as const;

export type ServiceName = (typeof SERVICES)[number];

export interface SaboteurOptions {
  readonly store: StoreProcess;
  /** The second front end: it is paused, never killed, and its connections to the catalog break. */
  readonly second: { readonly child: { kill(signal: NodeJS.Signals): boolean } };
  readonly link: UnsteadyLink;
  readonly seed: number;
  /** Aborted when it is enough. */
  readonly closing: AbortSignal;
  readonly onViolation: (what: string) => void;
}

const BLOWS_MAX = 4;
const POLL_MS = 20;
/** Within a burst: some blows hit a service that is just starting again, others one that has begun to sell. */
const NEXT_BLOW_MS = { soon: 250, later: 1_200 } as const;
const STOPPED_MS = { min: 20, max: 1_500 } as const;
/** Longer than a lease, or much shorter. */
const SILENT_MS = { min: 50, max: 2_500 } as const;
const PEACE_MS_MAX = 800;
/** For a service to stop cleanly: 10 s are promised. */
const CLEAN_STOP_TIMEOUT_MS = 30_000;
/** A dead service is back within 2 s (contract), each in turn; far more on a machine that does a lot besides. */
const COME_BACK_TIMEOUT_MS = 45_000;

export class Saboteur {
  readonly kills: Record<ServiceName, number> = { catalog: 0, order: 0, frontend: 0 };
  readonly stops: Record<ServiceName, number> = { catalog: 0, order: 0, frontend: 0 };
  /** What else was done, and how often. */
  readonly tricks = new Map<string, number>();
  readonly #options: SaboteurOptions;
  readonly #random: SeededRandom;
  readonly #killed = new Set<number>();
  #pack: ServiceName[] = [];

  constructor(options: SaboteurOptions) {
    this.#options = options;
    this.#random = new SeededRandom(Math.imul(options.seed, 10_007) - 1);
  }

  /** Goes on until closing time; resolves when all services are up again. */
  async run(): Promise<void> {
    const { closing } = this.#options;
    while (!closing.aborted) {
      await this.#rest(this.#random.integer(0, PEACE_MS_MAX));
      for (let blows = this.#random.integer(1, BLOWS_MAX); blows > 0 && !closing.aborted; blows--) {
        await this.#strike();
        const wait = this.#random.chance(0.5) ? NEXT_BLOW_MS.soon : NEXT_BLOW_MS.later;
        if (blows > 1) await this.#rest(this.#random.integer(0, wait));
      }
      if (!(await this.#storeIsBack())) return;
    }
  }

  async #strike(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.35) return this.#kill(this.#deal(1));
    if (dice < 0.42) return this.#kill(this.#deal(2));
    if (dice < 0.45) return this.#kill(this.#deal(3));
    if (dice < 0.6) return this.#stopForAWhile(this.#deal(1), this.#random.chance(0.3));
    if (dice < 0.68) return this.#stopCleanly(this.#deal(1)[0]!);
    if (dice < 0.84) return this.#touchFile();
    return this.#disturbSecond();
  }

  async #stopCleanly(service: ServiceName): Promise<void> {
    const pid = runningPid(this.#options.store, service);
    if (!this.#signal(service, 'SIGTERM')) return;
    this.#note(`${service} stopped cleanly`);
    const giveUpAt = performance.now() + CLEAN_STOP_TIMEOUT_MS;
    // Not cut short at closing time: whoever stops cleanly is not to be disturbed.
    while (runningPid(this.#options.store, service) === pid) {
      if (performance.now() > giveUpAt) return this.#options.onViolation(`${service} did not stop within 30 s`);
      await pause(POLL_MS);
    }
  }

  async #touchFile(): Promise<void> {
    const owner = this.#random.pick(FILE_OWNERS);
    if (!this.#hasListened(owner)) return;
    const trick = await playTrick(this.#options.store.dataDir, owner, this.#random);
    if (trick !== undefined) this.#note(trick);
  }

  async #disturbSecond(): Promise<void> {
    const { second, link } = this.#options;
    const dice = this.#random.next();
    const ms = this.#random.integer(SILENT_MS.min, SILENT_MS.max);
    if (dice < 0.35) {
      if (link.cutOne(this.#random)) this.#note('a connection cut');
    } else if (dice < 0.7) {
      const goOn = link.holdOne(this.#random);
      if (goOn === undefined) return;
      this.#note('a connection silent');
      // Other blows may fall meanwhile.
      setTimeout(goOn, ms);
    } else {
      second.child.kill('SIGSTOP');
      this.#note('the second front end paused');
      setTimeout(() => second.child.kill('SIGCONT'), ms);
    }
  }

  #note(trick: string): void {
    this.tricks.set(trick, (this.tricks.get(trick) ?? 0) + 1);
  }

  /** Whether the present process of a service has come so far as to listen. */
  #hasListened(service: ServiceName): boolean {
    const pid = runningPid(this.#options.store, service);
    if (pid === undefined || this.#killed.has(pid)) return false;
    return this.#options.store.logs.some((log) => log.pid === pid && log.message === 'started');
  }

  #kill(services: readonly ServiceName[]): void {
    for (const service of services) if (this.#signal(service, 'SIGKILL')) this.kills[service]++;
  }

  async #stopForAWhile(services: readonly ServiceName[], thenKill: boolean): Promise<void> {
    for (const service of services) if (this.#signal(service, 'SIGSTOP')) this.stops[service]++;
    await this.#rest(this.#random.integer(STOPPED_MS.min, STOPPED_MS.max));
    if (thenKill) this.#kill(services);
    else for (const service of services) this.#signal(service, 'SIGCONT');
  }

  /** The next services of the pack: all different. */
  #deal(count: number): ServiceName[] {
    const dealt = new Set<ServiceName>();
    while (dealt.size < count) {
      if (this.#pack.length === 0) this.#pack = this.#shuffled();
      dealt.add(this.#pack.pop()!);
    }
    return [...dealt];
  }

  #shuffled(): ServiceName[] {
    const services: ServiceName[] = [...SERVICES];
    for (let last = services.length - 1; last > 0; last--) {
      const other = this.#random.integer(0, last);
      [services[last], services[other]] = [services[other]!, services[last]!];
    }
    return services;
  }

  /** False if the service is down at the moment. */
  #signal(service: ServiceName, signal: NodeJS.Signals): boolean {
    const pid = runningPid(this.#options.store, service);
    if (pid === undefined || this.#killed.has(pid)) return false;
    if (signal === 'SIGKILL') this.#killed.add(pid);
    try {
      return process.kill(pid, signal);
    } catch {
      return false;
    }
  }

  async #rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#options.closing }).catch(() => undefined);
  }

  async #storeIsBack(): Promise<boolean> {
    const { store, onViolation } = this.#options;
    const giveUpAt = performance.now() + COME_BACK_TIMEOUT_MS;
    while (!(await waitUntilReady(store.address))) {
      if (performance.now() < giveUpAt) continue;
      onViolation(`the store was not ready ${COME_BACK_TIMEOUT_MS / 1000} s after the last kill`);
      return false;
    }
    return true;
  }
}

/** The process id of a service, from its first moment to its last; undefined in between. */
function runningPid(store: StoreProcess, service: ServiceName): number | undefined {
  const last = store.logs.findLast(
    ({ of, message }) =>
      of === service && (message === 'service starts' || message === 'service ended: starting it again'),
  );
  return last?.message === 'service starts' ? (last.pid as number) : undefined;
}
