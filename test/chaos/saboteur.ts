// saboteur.ts: kills and stops services of a running store at random instants.
//
//   burst: 1 to 4 blows, some of them while the one before is still felt ── the store must come back ── a while of peace
//
// A blow is a SIGKILL to one service, to two at once or to all three, or a SIGSTOP for a while that ends in SIGCONT or in
// SIGKILL. Which service comes next is dealt from a shuffled pack, so that none is spared. The seed decides the blows and
// the times between them; what they hit is up to the machine.

import { setTimeout as pause } from 'node:timers/promises';
import { waitUntilReady } from '../../src/store-readiness.js';
import { SeededRandom } from '../support/simulated-random.js';
import type { StoreProcess } from '../support/store-process.js';

export const SERVICES = ['catalog', 'order', 'frontend'] as const;

export type ServiceName = (typeof SERVICES)[number];

export interface SaboteurOptions {
  readonly store: StoreProcess;
  readonly seed: number;
  /** Aborted when it is enough. */
  readonly closing: AbortSignal;
  readonly onViolation: (what: string) => void;
}

const BLOWS_MAX = 4;
/** Within a burst: some blows hit a service that is just starting again, others one that has begun to sell. */
const NEXT_BLOW_MS = { soon: 250, later: 1_200 } as const;
const STOPPED_MS = { min: 20, max: 1_500 } as const;
const PEACE_MS_MAX = 800;
/** A dead service is back within 2 s (contract), each in turn; far more on a machine that does a lot besides. */
const COME_BACK_TIMEOUT_MS = 45_000;

export class Saboteur {
  readonly kills: Record<ServiceName, number> = { catalog: 0, order: 0, frontend: 0 };
  readonly stops: Record<ServiceName, number> = { catalog: 0, order: 0, frontend: 0 };
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
    if (dice < 0.55) return this.#kill(this.#deal(1));
    if (dice < 0.7) return this.#kill(this.#deal(2));
    if (dice < 0.75) return this.#kill(this.#deal(3));
    await this.#stopForAWhile(this.#deal(1), this.#random.chance(0.3));
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
