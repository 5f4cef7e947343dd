// touched-store.ts: a whole store in a directory that a test touches while it runs, or between two runs.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { isThorough } from './effort.js';
import { buy, call } from './store-client.js';
import { ANY_STORE, type ProcessOptions, StoreProcess } from './store-process.js';

const TOYS = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'];
const STOCK = 100;
const SERVICES = ['catalog', 'order', 'frontend'];
/** Files are not looked after by the threads that serve: where time is short there are none. */
const ENV: Record<string, string> = isThorough ? {} : { THREADS: '0' };

/** Of all stores of a process: one that goes on with the books of another must not repeat its keys. */
let keyCount = 0;

export class TouchedStore {
  /** Order numbers that were answered, with the toy. */
  readonly sold = new Map<number, string>();
  #running: StoreProcess | undefined;

  private constructor(
    readonly t: ExecutionContext,
    readonly parent: string,
  ) {}

  static async create(t: ExecutionContext): Promise<TouchedStore> {
    const store = new TouchedStore(t, await mkdtemp(join(tmpdir(), 'toystore-touched-')));
    t.teardown(async () => {
      await store.#running?.[Symbol.asyncDispose]();
      await rm(store.parent, { recursive: true, force: true });
    });
    return store;
  }

  get dataDir(): string {
    return join(this.parent, 'var');
  }

  get running(): StoreProcess {
    return this.#running!;
  }

  get port(): number {
    const address = this.running.serviceAddress('frontend');
    return Number(address.slice(address.lastIndexOf(':') + 1));
  }

  /** Starts it; resolves when it sells, or has said why it does not. Returns that line, '' if it sells. */
  async start(options: ProcessOptions = {}): Promise<string> {
    this.#running = await StoreProcess.spawn(ANY_STORE, {
      ...options,
      env: { ...ENV, ...options.env },
      dataDir: this.dataDir,
    });
    let line = '';
    await this.running.until(() => {
      line = this.refusal();
      return line !== '' || this.running.address !== '';
    }, 'selling, or the reason why not');
    await this.running.until(() => this.#hasStarted('frontend'), 'the start of the front end');
    return line;
  }

  /** What the order service says where it does not sell. */
  refusal(): string {
    const line = this.running.logs.find(
      ({ level, message }) => level === 'error' && /^not selling/.test(String(message)),
    );
    return String(line?.message ?? '');
  }

  /** Everything that was said of a file. */
  linesAbout(name: string): string[] {
    return this.#logsAbout(name).map(({ message }) => String(message));
  }

  /** When the newest of that was said, by the wall clock. */
  lastSaidMs(name: string): number {
    return Date.parse(String(this.#logsAbout(name).at(-1)?.time));
  }

  #logsAbout(name: string): Record<string, unknown>[] {
    return this.running.logs.filter(({ message }) => String(message).includes(name));
  }

  /** Orders one of each of that many toys; returns the statuses. */
  async buy(count: number): Promise<number[]> {
    const statuses: number[] = [];
    for (let index = 0; index < count; index++) {
      const name = TOYS[keyCount % TOYS.length]!;
      const answer = await buy(this.port, name, 1, `key-${keyCount++}`);
      if (answer.status === 200) this.sold.set(JSON.parse(answer.body).data.order_number, name);
      statuses.push(answer.status);
    }
    return statuses;
  }

  /** Runs a command of the shell in the data directory. */
  shell(command: string): void {
    execFileSync('sh', ['-c', command], { cwd: this.dataDir });
  }

  async stop(): Promise<void> {
    this.t.deepEqual(await this.running.stop(), { code: 0, signal: null });
    this.#running = undefined;
  }

  /** kill -9 for all of it, at once. */
  async kill(): Promise<void> {
    const pids = SERVICES.filter((service) => this.#hasStarted(service)).map((name) => this.running.servicePid(name));
    for (const pid of new Set([this.running.child.pid!, ...pids])) process.kill(pid, 'SIGKILL');
    await this.running.exited;
    this.#running = undefined;
  }

  /** Nothing that was answered is gone. */
  async checkOrders(): Promise<void> {
    for (const [number, name] of this.sold) {
      const answer = await call(this.port, 'GET', `/orders/${number}`);
      this.t.is(answer.body, JSON.stringify({ data: { number, name, quantity: 1 } }), `order ${number}`);
    }
  }

  /** Nothing that was answered is gone, and what was sold is what is missing from the stock. */
  async checkBooks(): Promise<void> {
    await this.checkOrders();
    const rows = parse(await readFile(join(this.dataDir, 'order/orders.csv')), { columns: true }) as { name: string }[];
    for (const name of TOYS) {
      const ordered = rows.filter((row) => row.name === name).length;
      const answer = await call(this.port, 'GET', `/products/${name}`);
      this.t.is(answer.status, 200, answer.body);
      const { quantity } = JSON.parse(answer.body).data;
      this.t.is(STOCK - quantity, ordered, `${name}: what is gone is what was ordered`);
    }
  }

  async status(target: string): Promise<number> {
    return (await call(this.port, 'GET', target)).status;
  }

  #hasStarted(service: string): boolean {
    return this.running.logs.some((log) => log.service === service && log.message === 'started');
  }
}
