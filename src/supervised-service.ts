// supervised-service.ts: one service as a child process that is started again when it dies.
//
//   starting ──ready line──▶ ready ──exit──▶ waiting ──back-off──▶ starting        stop() from any state ──▶ stopped
//
// A child that ends by itself before it was ever ready has a mistake in its settings or files that a restart would not
// mend: that ends the whole store. The child leads a process group of its own, so that a Ctrl-C in the terminal reaches
// only the supervisor, which stops the services in order; an IPC channel tells the child when the supervisor is gone.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './log.js';
import { fatalLineOf, SUPERVISED_ENVIRONMENT } from './supervised.js';

/** The wait before the next start doubles from here while the service keeps dying young. */
const RESTART_DELAY_MIN_MS = 50;
/** The contract wants a dead service back within 2 s; starting takes a few hundred milliseconds of that. */
const RESTART_DELAY_MAX_MS = 1_000;
/** After a service that lived this long, the wait begins at its shortest again. */
const STABLE_AFTER_MS = 10_000;

export interface SupervisedServiceOptions {
  readonly name: string;
  /** The program that runs services, with the service's name as its argument. */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Told of each line on the child's stdout. */
  readonly onLine: (line: string) => void;
}

/** The child ended before it was ready; the message is what it said last. */
class ServiceStartError extends Error {
  override readonly name = 'ServiceStartError';

  constructor(
    service: string,
    readonly exitCode: number,
    lastWords = `${service} did not start`,
  ) {
    super(lastWords);
  }
}

export class SupervisedService {
  readonly #options: SupervisedServiceOptions;
  #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  /** The newest child that has said that it is ready. */
  #readyChild: ChildProcess | undefined;
  /** The fatal error of the newest child. */
  #lastWords: string | undefined;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartDelayMs = RESTART_DELAY_MIN_MS;

  constructor(options: SupervisedServiceOptions) {
    this.#options = options;
    this.#env = options.env;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the service and waits for its ready line.
   *
   * @returns the address in that line
   * @throws ServiceStartError if it ends before
   */
  async start(): Promise<string> {
    for (;;) {
      if (this.#stopping) throw new ServiceStartError(this.name, 1);
      const child = this.#spawn();
      const address = await this.#readiness(child);
      if (address !== undefined) {
        this.#keepAlive(child);
        return address;
      }
      const { signalCode: signal, exitCode } = child;
      if (this.#stopping || signal === null) {
        throw new ServiceStartError(this.name, exitCode ?? 1, this.#lastWords);
      }
      this.#options.log.warn('service was killed before it was ready: starting it again', { of: this.name, signal });
      await delay(this.#nextRestartDelayMs());
    }
  }

  /** Variables for the next starts: a port that the first one was given by the system is kept. */
  pin(env: NodeJS.ProcessEnv): void {
    this.#env = { ...this.#env, ...env };
  }

  /** Passes a SIGHUP on. One that is just starting has not asked for it yet: it reads all there is to read anyway. */
  hangUp(): void {
    if (this.#readyChild === this.#child) this.#child?.kill('SIGHUP');
  }

  /** Ends the service at once, without waiting until it is gone. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    this.#child?.kill('SIGKILL');
  }

  /**
   * Ends the service: SIGTERM, then SIGKILL after `timeoutMs`. Resolves when it is gone.
   *
   * @returns whether it stopped by itself and had nothing to complain of
   */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return true;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const force = setTimeout(() => {
      this.#options.log.error('service did not stop in time: killed', { of: this.name, timeoutMs });
      child.kill('SIGKILL');
    }, timeoutMs);
    await ended;
    clearTimeout(force);
    // Before it has a handler for it, a signal ends a process at once: nothing was begun then.
    return child.exitCode === 0 || child.signalCode === 'SIGTERM';
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [...process.execArgv, this.#options.program, this.name], {
      env: { ...this.#env, ...SUPERVISED_ENVIRONMENT },
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#lastWords = undefined;
    child.on('message', (message) => {
      this.#lastWords = fatalLineOf(message);
    });
    this.#options.log.info('service starts', { of: this.name, pid: child.pid });
    return child;
  }

  /** The address in the child's ready line; undefined if it ends before. */
  #readiness(child: ChildProcess): Promise<string | undefined> {
    const prefix = `${this.name} ready on `;
    return new Promise((resolve) => {
      // Not at its exit: its last words may come after that.
      child.once('close', () => resolve(undefined));
      child.once('error', () => resolve(undefined));
      if (child.stdout === null) return resolve(undefined);
      createInterface(child.stdout).on('line', (line) => {
        this.#options.onLine(line);
        if (!line.startsWith(prefix)) return;
        this.#readyChild = child;
        resolve(line.slice(prefix.length));
      });
    });
  }

  #keepAlive(child: ChildProcess): void {
    const startedAt = performance.now();
    const restart = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (this.#stopping) return;
      if (performance.now() - startedAt > STABLE_AFTER_MS) this.#restartDelayMs = RESTART_DELAY_MIN_MS;
      const error = this.#lastWords;
      this.#options.log.warn('service ended: starting it again', { of: this.name, code, signal, error });
      this.#restartTimer = setTimeout(() => void this.#restart(), this.#nextRestartDelayMs());
    };
    if (hasEnded(child)) restart(child.exitCode, child.signalCode);
    else child.once('close', restart);
  }

  #nextRestartDelayMs(): number {
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delayMs * 2, RESTART_DELAY_MAX_MS);
    return delayMs;
  }

  async #restart(): Promise<void> {
    const child = this.#spawn();
    const address = await this.#readiness(child);
    if (address !== undefined) this.#options.log.info('service is back', { of: this.name, address });
    this.#keepAlive(child);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
