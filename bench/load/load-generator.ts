// load-generator.ts: the parent's side of the load generator: starts its process, hands it jobs, reads its reports.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { serverEnvironment } from '../store/server-process.js';
import type { FromGenerator, LoadJob, LoadReport, ToGenerator } from './load-job.js';

/** Near one whole core, the generator is the limit and the store's own is higher. */
export const GENERATOR_CPU_LIMIT = 0.9;

/** A load generator in its own process. One job at a time. */
export class LoadGenerator {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)), [], {
      // Nothing that a user sets for other processes (profilers, inspectors) may slow the generator down.
      execArgv: [],
      env: serverEnvironment({}),
      serialization: 'advanced',
    });
  }

  /**
   * Runs one job. An aborted `signal` ends it early; the report then covers the time until there.
   *
   * @throws Error when no connection could be made, or the process died
   */
  run(job: LoadJob, signal?: AbortSignal): Promise<LoadReport> {
    const child = this.#child;
    if (!child.connected) return Promise.reject(new Error('the load generator died'));
    return new Promise((resolve, reject) => {
      const onMessage = (message: FromGenerator): void => {
        settle();
        if (message.type === 'report') resolve(message.report);
        else reject(new Error(`the load could not start: ${message.message}`));
      };
      const onExit = (): void => {
        settle();
        reject(new Error('the load generator died'));
      };
      const onAbort = (): void => this.#send({ type: 'stop' });
      const settle = (): void => {
        child.off('message', onMessage);
        child.off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
      };
      child.on('message', onMessage);
      child.on('exit', onExit);
      signal?.addEventListener('abort', onAbort);
      this.#send({ type: 'run', job });
      if (signal?.aborted) onAbort();
    });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #send(message: ToGenerator): void {
    // Where it has ended meanwhile, its exit says so.
    this.#child.send(message, () => {});
  }
}
