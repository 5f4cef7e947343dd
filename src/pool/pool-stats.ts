// pool-stats.ts: the pool's readable state, as one plain object taken at one moment.

import type { RecordableHistogram } from 'node:perf_hooks';
import type { HandoffWay } from './handoff.js';
import type { ThreadState } from './pool-thread.js';

export interface ThreadStats {
  readonly threadIndex: number;
  readonly threadId: number;
  readonly state: ThreadState;
  /** Sessions now, with sockets on their way. */
  readonly sessions: number;
}

export interface PoolStats {
  readonly handoff: HandoffWay;
  readonly threads: readonly ThreadStats[];
  /** Sessions of all threads together. */
  readonly sessions: number;
  /** Connections that wait for a place. */
  readonly queueLength: number;
  /** Time from accept until a thread has the socket, in microseconds, since the pool was made; the live histogram. */
  readonly waitTimeUs: RecordableHistogram;
  /** Totals since the pool was made. */
  readonly accepted: number;
  readonly refused: number;
  /** Connections lost with a thread, and handoffs that arrived without their descriptor. */
  readonly lost: number;
  readonly acceptErrors: number;
  readonly threadsSpawned: number;
  readonly threadsRetired: number;
  /** Threads that ended by themselves. */
  readonly threadsFailed: number;
}
