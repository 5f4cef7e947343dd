// pool-events.ts: what a ThreadPool emits, by name, with what each event carries.

import type { MessagePort } from 'node:worker_threads';
import type { ThreadExit } from './pool-thread.js';

export interface ThreadPoolEvents {
  /**
   * A thread is being started; its service's messages come over `port`, which must be listened to within this event.
   */
  spawn: [{ readonly threadIndex: number; readonly threadId: number; readonly port: MessagePort }];
  /** A thread has ended and runs no more code. */
  exit: [ThreadExit];
  /**
   * Connections cannot be accepted; the pool goes on. PoolError NO_DESCRIPTORS, once each time: they wait in the
   * kernel's backlog until descriptors are free.
   */
  acceptError: [Error];
}
