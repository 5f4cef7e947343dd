// pools.ts: pools of the echo service, for each way of handoff that this Node.js has.

import { setTimeout as delay } from 'node:timers/promises';
import ava, { type ExecutionContext } from 'ava';
import { hasNativeHandoff, ThreadPool, type ThreadPoolOptions } from '../../../src/pool/index.js';

export const ECHO_THREAD = new URL('../fixtures/echo-thread.js', import.meta.url);

export interface RunningPool {
  readonly pool: ThreadPool;
  readonly port: number;
}

/** Starts a pool that is closed when the test ends. */
export async function startPool(
  t: ExecutionContext,
  options: Partial<ThreadPoolOptions>,
  beforeStart: (pool: ThreadPool) => void = () => {},
  poolClass = ThreadPool,
): Promise<RunningPool> {
  const pool = new poolClass({ module: ECHO_THREAD, threads: 2, ...options });
  beforeStart(pool);
  t.teardown(() => pool.close({ drainTimeoutMs: 0 }));
  await pool.start();
  const { port } = await pool.listen({ host: '127.0.0.1', port: 0 });
  return { pool, port };
}

/** Behind the title of a test that is skipped where Node.js does not transfer sockets between threads by itself. */
export const NO_NATIVE_HANDOFF = `; skipped: Node.js ${process.version} transfers no sockets, 24.20 and 26.6 do`;

/** Makes the test once for each way sockets can travel; the ways that this Node.js lacks are reported as skipped. */
export function forEachHandoff(
  test: (title: string, run: (t: ExecutionContext) => Promise<void>) => void,
  title: string,
  run: (t: ExecutionContext, handoff: 'native' | 'ipc') => Promise<void>,
): void {
  for (const handoff of ['ipc', 'native'] as const) {
    const isLacking = handoff === 'native' && !hasNativeHandoff();
    const make = isLacking ? ava.skip : test;
    make(`${handoff}: ${title}${isLacking ? NO_NATIVE_HANDOFF : ''}`, (t: ExecutionContext) => run(t, handoff));
  }
}

/**
 * Waits for a state that comes about by itself and tells nobody. The test's own time-out is the limit.
 */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1);
}

/** What holds a thread up until it is opened: data `gate` of the echo service. */
export class Gate {
  readonly word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  open(): void {
    Atomics.store(this.word, 0, 1);
    Atomics.notify(this.word, 0);
  }
}
