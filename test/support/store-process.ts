// store-process.ts: the store, or one of its services, as real processes on ports that the system chooses.

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isThorough } from './effort.js';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
/** A command of this name is the whole store in one process: one-process-store.ts. */
const ONE_PROCESS = 'one-process';
/** Starts a store whose processes are not what a test looks at: where time is short, it is one instead of four. */
export const ANY_STORE = isThorough ? 'start' : ONE_PROCESS;
const ONE_PROCESS_STORE = fileURLToPath(new URL('./one-process-store.js', import.meta.url));
/**
 * Threads of each service where a test does not say: with one a store starts in two thirds of the time, and few tests can tell.
 * Where there is time for it, as many as the machine has cores.
 */
const THREADS = isThorough ? String(availableParallelism()) : '1';
/** Generous: several stores may start at once on two slow cores. */
const READY_TIMEOUT_MS = 30_000;

export interface ProcessOptions {
  /** Settings by their environment names. */
  readonly env?: Record<string, string>;
  /** Kept if given; otherwise a new directory that is removed when the process is disposed of. */
  readonly dataDir?: string;
  /** In a process group of its own, out of reach of a Ctrl-C in the terminal; it still ends with this process. */
  readonly isDetached?: boolean;
  /** A limit of the shell's `ulimit`, such as `-f 8`: no file longer than 8 blocks of 512 bytes. */
  readonly ulimit?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One started command of src/cli.ts. */
export class StoreProcess implements AsyncDisposable {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<Exit>;
  readonly #waiting: { matches: () => unknown; resolve: () => void }[] = [];

  private constructor(
    readonly child: ChildProcess,
    readonly dataDir: string,
    readonly ownsDataDir: boolean,
    readonly readyPrefix: string,
  ) {
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    if (child.stdout) createInterface(child.stdout).on('line', (line) => this.#add(this.stdout, line));
    if (child.stderr) createInterface(child.stderr).on('line', (line) => this.#add(this.stderr, line));
  }

  /** Starts a command without waiting for anything. */
  static async spawn(command: string, options: ProcessOptions = {}, flags: string[] = []): Promise<StoreProcess> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'toystore-')));
    const env = {
      ...process.env,
      THREADS,
      FRONTEND_PORT: '0',
      CATALOG_PORT: '0',
      ORDER_PORT: '0',
      DATA_DIR: dataDir,
      ...options.env,
    };
    const { isDetached = false } = options;
    const stdio: StdioOptions = isDetached ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'];
    const program = [process.execPath, ...(command === ONE_PROCESS ? [ONE_PROCESS_STORE] : [CLI, command]), ...flags];
    if (options.ulimit !== undefined) program.unshift('sh', '-c', `ulimit ${options.ulimit} && exec "$0" "$@"`);
    const child = spawn(program[0]!, program.slice(1), { env, stdio, detached: isDetached });
    const readyPrefix = `${command === 'start' || command === ONE_PROCESS ? 'toystore' : command} ready on `;
    return new StoreProcess(child, dataDir, options.dataDir === undefined, readyPrefix);
  }

  /** Starts a command and waits for its ready line. */
  static async start(command: string, options: ProcessOptions = {}): Promise<StoreProcess> {
    const started = await StoreProcess.spawn(command, options);
    try {
      await started.until(() => started.address, `the ready line of ${command}`);
    } catch (error) {
      await started[Symbol.asyncDispose]();
      throw error;
    }
    return started;
  }

  /** What the command's own ready line says: `http://127.0.0.1:5000` or `127.0.0.1:5001`. */
  get address(): string {
    return this.stdout.find((line) => line.startsWith(this.readyPrefix))?.slice(this.readyPrefix.length) ?? '';
  }

  get port(): number {
    return Number(this.address.slice(this.address.lastIndexOf(':') + 1));
  }

  /** The JSON log lines on stderr. */
  get logs(): Record<string, unknown>[] {
    return this.stderr.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  /** The process id that a service under `start` wrote to its log when it last started. */
  servicePid(service: string): number {
    const line = this.logs.findLast((log) => log.service === service && log.message === 'started');
    if (typeof line?.pid !== 'number') throw new Error(`${service} has not logged its start`);
    return line.pid;
  }

  /** Where a service under `start` said, in its log, that it listens. */
  serviceAddress(service: string): string {
    const line = this.logs.findLast((log) => log.service === service && log.message === 'started');
    if (typeof line?.address !== 'string') throw new Error(`${service} has not logged its start`);
    return line.address;
  }

  /** Resolves when `matches` holds; looked at again after each line of output. Rejects when the process ends before. */
  async until(matches: () => unknown, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const matched = new Promise<void>((resolve) => {
      if (matches()) resolve();
      else this.#waiting.push({ matches, resolve });
    });
    const failed = new Promise<never>((_, reject) => {
      const fail = (why: string): void => reject(new Error(`${why} before ${what}: ${this.stderr.join('\n')}`));
      timer = setTimeout(() => fail('time ran out'), READY_TIMEOUT_MS);
      void this.exited.then((exit) => (matches() ? undefined : fail(`ended (${exit.code ?? exit.signal})`)));
    });
    await Promise.race([matched, failed]).finally(() => clearTimeout(timer));
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    if (this.ownsDataDir) await rm(this.dataDir, { recursive: true, force: true });
  }

  #add(lines: string[], line: string): void {
    lines.push(line);
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.matches()) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}
