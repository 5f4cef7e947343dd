// standby-store.ts: a store over one database: several processes of each service, each on a port of its own that it keeps
// over restarts, and front ends that know all of them.

import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreProcess } from '../../support/store-process.js';

export type Backend = 'catalog' | 'order';

/** One process and its successors at the same address. */
export interface Member {
  readonly service: Backend | 'frontend';
  readonly port: number;
  process: StoreProcess;
  /** Log lines of those that are gone. */
  readonly past: string[];
}

export interface StandbyStoreOptions {
  readonly url: string;
  readonly members?: number;
  readonly frontends?: number;
  readonly env?: Record<string, string>;
}

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export class StandbyStore implements AsyncDisposable {
  readonly members: Member[] = [];
  readonly #env: Record<string, string>;
  #isStopping = false;

  private constructor(env: Record<string, string>) {
    this.#env = env;
  }

  /** Starts everything, and waits until each listens; not until anything is sold. */
  static async start({ url, members = 2, frontends = 1, env = {} }: StandbyStoreOptions): Promise<StandbyStore> {
    const ports = async (count: number): Promise<number[]> => {
      const free: number[] = [];
      while (free.length < count) free.push(await lastingPort());
      return free;
    };
    const [catalogs, orders] = [await ports(members), await ports(members)];
    const list = (of: readonly number[]): string => of.map((port) => `127.0.0.1:${port}`).join();
    const store = new StandbyStore({
      THREADS: '1',
      ...env,
      DATABASE_URL: url,
      CATALOG_ADDRESS: list(catalogs),
      ORDER_ADDRESS: list(orders),
    });
    for (const port of catalogs) await store.#add('catalog', port);
    for (const port of orders) await store.#add('order', port);
    for (const port of await ports(frontends)) await store.#add('frontend', port);
    return store;
  }

  of(service: Member['service']): Member[] {
    return this.members.filter((member) => member.service === service);
  }

  /** `http://127.0.0.1:5000` of each front end. */
  get urls(): string[] {
    return this.of('frontend').map(({ port }) => `http://127.0.0.1:${port}`);
  }

  /** The one that serves now, by its own log: the last to say so. */
  serving(service: Backend): Member {
    const said = this.of(service).map((member) => {
      const line = member.process.logs.findLast(({ message }) => message === 'serving from now on');
      return { member, epoch: Number(line?.epoch ?? 0) };
    });
    return said.reduce((best, one) => (one.epoch > best.epoch ? one : best)).member;
  }

  /** Starts a process in the place of one that has ended. */
  async revive(member: Member): Promise<void> {
    await member.process.exited;
    member.past.push(...member.process.stderr);
    member.process = await this.#spawn(member.service, member.port);
  }

  /** From now on every process that ends has a successor, as under a supervisor; `onError` hears of one that does not start. */
  keepUp(onError: (error: unknown) => void): void {
    for (const member of this.members) void this.#keepUp(member).catch(onError);
  }

  /** Stops every process in order, front ends first; resolves to their exit codes. */
  async stop(): Promise<(number | null)[]> {
    this.#isStopping = true;
    const codes: (number | null)[] = [];
    for (const service of ['frontend', 'order', 'catalog'] as const) {
      const exits = await Promise.all(this.of(service).map(({ process }) => process.stop()));
      codes.push(...exits.map(({ code }) => code));
    }
    return codes;
  }

  async untilReady(url = this.urls[0]!): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    let last = '';
    while (performance.now() < giveUpAt) {
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      last = (await answer?.text()) ?? 'no answer';
      if (answer?.status === 200) return;
      await pause(POLL_MS);
    }
    throw new Error(`the store did not become ready: ${last}\n${this.logs}`);
  }

  get logs(): string {
    return this.members
      .map(({ service, port, process, past }) => `== ${service} ${port}\n${[...past, ...process.stderr].join('\n')}`)
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    // A process that is stopped in its tracks would not hear of anything else.
    for (const { process } of this.members) process.child.kill('SIGCONT');
    for (const service of ['frontend', 'order', 'catalog'] as const) {
      await Promise.all(this.of(service).map(({ process }) => process[Symbol.asyncDispose]()));
    }
  }

  async #keepUp(member: Member): Promise<void> {
    for (;;) {
      await member.process.exited;
      if (this.#isStopping) return;
      await this.revive(member);
    }
  }

  async #add(service: Member['service'], port: number): Promise<void> {
    this.members.push({ service, port, process: await this.#spawn(service, port), past: [] });
  }

  #spawn(service: Member['service'], port: number): Promise<StoreProcess> {
    const env = { ...this.#env, [`${service.toUpperCase()}_PORT`]: `${port}` };
    return StoreProcess.start(service, { env, isDetached: true });
  }
}

/** Below the ports that the system gives to whoever connects: it must still be free when a process comes back to it. */
const LASTING_PORTS = { first: 20_000, count: 10_000 } as const;

async function lastingPort(): Promise<number> {
  for (;;) {
    const port = LASTING_PORTS.first + Math.floor(Math.random() * LASTING_PORTS.count);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
