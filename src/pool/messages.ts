// messages.ts: every message that crosses between the pool and its worker threads. The sockets of the ipc handoff go
// by their own channel (ipc-handoff.ts), and session counts by shared memory (session-counters.ts), so that in steady
// state a connection costs no message at all beyond its own handoff.

import type { Socket } from 'node:net';
import type { RecordableHistogram } from 'node:perf_hooks';
import type { MessagePort } from 'node:worker_threads';

/** What a worker is started with, as its workerData. */
export interface ThreadStart {
  readonly moduleUrl: string;
  readonly threadIndex: number;
  readonly data: unknown;
  readonly port: MessagePort;
  /** See session-counters.ts. */
  readonly counters: Int32Array;
  /** Microseconds from accept to the thread having the socket; one histogram shared by all threads of the pool. */
  readonly waitTime: RecordableHistogram;
  /** Path of the Unix socket at which the pool waits for this thread's ipc channel; undefined with native handoff. */
  readonly channelPath: string | undefined;
  readonly allowHalfOpen: boolean;
}

/** Pool to thread. */
export type ToThread =
  /** Native handoff: the socket itself is transferred. */
  | { readonly kind: 'socket'; readonly socket: Socket; readonly acceptedAtUs: number }
  | { readonly kind: 'pressure'; readonly connectionsWait: boolean }
  /** Finish and say 'drained'. `sent` sockets were sent in all: with ipc handoff some may still be on their way. */
  | { readonly kind: 'drain'; readonly sent: number };

/** Thread to pool. */
export type FromThread =
  /** The service is made and takes sockets. */
  | { readonly kind: 'ready' }
  /** Asked for by the notice word (session-counters.ts): a session has ended, or sockets on their way have arrived. */
  | { readonly kind: 'place-free' }
  /** No session is left and the service is closed: the thread may be ended. */
  | { readonly kind: 'drained' };
