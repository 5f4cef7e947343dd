// pool-options.ts: what a thread pool can be told, with every default and limit, its unit and its reason.

import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { PoolError } from './pool-error.js';

/**
 * Connections one thread serves at a time unless told otherwise: far more than a busy thread can use, few enough to
 * bound its memory.
 */
const SESSIONS_PER_THREAD = 1024;

/** Connections that may wait for a place: about what a listening socket would hold back for us anyway. */
const QUEUE_MAX = 1024;

/**
 * Longer than most clients' patience: whoever is still there after it had better be told than left waiting, and a place
 * in the queue is not held for ever by a peer that has gone.
 */
const QUEUE_TIMEOUT_MS = 60_000;

/**
 * Half a minute without a session: long enough to outlast a lull, short enough that a burst is not paid for all day.
 */
const IDLE_THREAD_TIMEOUT_MS = 30_000;

/** Under the 10 seconds that `docker stop` and most supervisors wait before they kill. */
const DRAIN_TIMEOUT_MS = 8_000;

/**
 * Sockets on their way to one thread that has not taken them yet. A thread that is this far behind is blocked, and gets
 * no more until it has caught up. Below what a Unix socket holds by default on Linux (278 one-descriptor messages).
 */
export const ON_THE_WAY_MAX = 128;

/** Why a connection was not placed. */
export type RefusalReason =
  /** All threads are full and so is the queue. */
  | 'queue-full'
  /** It has waited for a place for `queueTimeoutMs`. */
  | 'queue-timeout'
  /** The process is about to run out of descriptors. */
  | 'descriptor-limit'
  /** The pool is closing, and no place came free before the drain deadline. */
  | 'closing';

export interface ThreadPoolOptions {
  /** The service's thread module: a URL that every thread can import (see thread-service.ts). */
  readonly module: URL;
  /** Given to every thread's service; must survive structuredClone. Default: undefined. */
  readonly data?: unknown;
  /** Threads that are always there; 0 serves on the accepting thread. Default: number of cores. */
  readonly threads?: number;
  /**
   * Connections that the accepting thread serves itself before it hands any on; it is then one of the `threads`. Not 0
   * where the service's state lives on that thread and each connection to it saves two changes of threads for each
   * message; few, since accepting and the state have to share the thread with them. Default: 0. Ignored with
   * threads: 0.
   */
  readonly acceptorSessions?: number;
  /**
   * Connections that a thread is given before another one gets its first; above that the fewest decide, as ever. More than
   * 1 where what connections of one thread ask for travels together: few of them on many threads cost a message each.
   * Default: 1.
   */
  readonly packedSessions?: number;
  /** The pool may grow to this many when all places are taken. Default: `threads`. Ignored with threads: 0. */
  readonly maxThreads?: number;
  /**
   * Connections that one thread serves at a time; 1 is strict thread-per-connection, Infinity no limit. Default:
   * 1024.
   */
  readonly sessionsPerThread?: number;
  /** Connections that may wait for a place, first come, first served. Default: 1024. */
  readonly queueMax?: number;
  /**
   * How long a connection may wait for a place before it is refused, from its accept; Infinity: as long as it likes.
   * Milliseconds. Default: 60,000.
   */
  readonly queueTimeoutMs?: number;
  /** A thread beyond `threads` without a session for this long is ended. Milliseconds. Default: 30,000. */
  readonly idleThreadTimeoutMs?: number;
  /** How long close() waits for sessions to finish before it ends them. Milliseconds. Default: 8,000. */
  readonly drainTimeoutMs?: number;
  /** How sockets reach the threads: 'native', 'ipc', or native where the runtime has it ('auto'). Default: 'auto'. */
  readonly handoff?: 'auto' | 'native' | 'ipc';
  /** Whether a peer may close its sending side and still be answered (as HTTP/1.1 servers do). Default: true. */
  readonly allowHalfOpen?: boolean;
  /**
   * Told of a connection that cannot be placed, to say so in the service's protocol and end it. What the peer sends is
   * discarded, and the socket destroyed after a second at the latest. Default: destroys it.
   */
  readonly onRefused?: (socket: Socket, reason: RefusalReason) => void;
  /** Shown as the threads' name in debuggers and profiles. Default: 'pool'. */
  readonly name?: string;
}

const DEFAULTS = {
  acceptorSessions: 0,
  packedSessions: 1,
  sessionsPerThread: SESSIONS_PER_THREAD,
  queueMax: QUEUE_MAX,
  queueTimeoutMs: QUEUE_TIMEOUT_MS,
  idleThreadTimeoutMs: IDLE_THREAD_TIMEOUT_MS,
  drainTimeoutMs: DRAIN_TIMEOUT_MS,
  handoff: 'auto',
  allowHalfOpen: true,
  onRefused: (socket: Socket) => void socket.destroy(),
  name: 'pool',
} as const;

/** The options with every default filled in. */
export type SettledOptions = Required<Omit<ThreadPoolOptions, 'data'>> & { readonly data?: unknown };

/** Fills in defaults. Throws PoolError INVALID_OPTION naming the first option that is out of range. */
export function settleOptions(options: ThreadPoolOptions): SettledOptions {
  const threads = options.threads ?? availableParallelism();
  const maxThreads = threads === 0 ? 0 : (options.maxThreads ?? threads);
  const settled = { ...DEFAULTS, ...options, threads, maxThreads };
  requireWhole('threads', threads, 0);
  requireWhole('maxThreads', maxThreads, threads);
  requireWhole('acceptorSessions', settled.acceptorSessions, 0);
  requireWhole('packedSessions', settled.packedSessions, 1);
  requireWholeOrInfinite('sessionsPerThread', settled.sessionsPerThread, 1);
  requireWholeOrInfinite('queueTimeoutMs', settled.queueTimeoutMs, 0);
  requireWhole('queueMax', settled.queueMax, 0);
  requireWhole('idleThreadTimeoutMs', settled.idleThreadTimeoutMs, 0);
  requireWhole('drainTimeoutMs', settled.drainTimeoutMs, 0);
  return settled;
}

function requireWhole(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new PoolError('INVALID_OPTION', `${name} must be a whole number from ${min}, not ${value}`);
}

function requireWholeOrInfinite(name: string, value: number, min: number): void {
  if (value !== Number.POSITIVE_INFINITY) requireWhole(name, value, min);
}
