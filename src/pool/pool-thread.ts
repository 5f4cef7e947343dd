// pool-thread.ts: one thread as the pool sees it. worker-thread.ts is a real one, inline-thread.ts the accepting
// thread itself.
//
//   starting ──► ready ──► draining ──► dead        any state ──► dead, when the thread fails or is ended
//
// A thread to which a socket could not be sent because it has gone is 'draining' until the news of its end arrives.

import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { SendOutcome } from './handoff.js';
import type { SessionLedger } from './session-counters.js';

export type ThreadState = 'starting' | 'ready' | 'draining' | 'dead';

/** How a thread ended. */
export type ThreadExitReason =
  /** It was idle and more than the pool must keep. */
  | 'retired'
  /** The pool closed, and every session had ended. */
  | 'drained'
  /** The drain deadline passed, and the thread was ended with its sessions. */
  | 'terminated'
  /** It ended by itself: an uncaught error, process.exit(), out of memory. */
  | 'failed';

/** What is known of a thread that has ended. */
export interface ThreadExit {
  readonly threadIndex: number;
  /** worker_threads' id of the thread, as locks record it. 0 for the accepting thread; -1 where none could be made. */
  readonly threadId: number;
  readonly reason: ThreadExitReason;
  /** The uncaught error, if there was one. */
  readonly error: Error | undefined;
  /** Connections that ended with it: its sessions, and sockets on their way to it. */
  readonly connectionsLost: number;
}

export interface PoolThread {
  readonly threadIndex: number;
  readonly threadId: number;
  readonly state: ThreadState;
  /** Whether it is the accepting thread itself. */
  readonly isAcceptor: boolean;
  /** The owner's end of the service's port. */
  readonly port: MessagePort;
  /** What it was sent, and what became of that. */
  readonly ledger: SessionLedger;
  /** Resolves when it serves; rejects with PoolError THREAD_FAILED or NO_DESCRIPTORS if it dies first. */
  start(): Promise<void>;
  send(socket: Socket, acceptedAtUs: number): SendOutcome;
  setPressure(connectionsWait: boolean): void;
  /** Finishes its sessions and ends for the given reason. */
  drain(reason: 'retired' | 'drained'): Promise<void>;
  /** Ends it at once, for reason 'terminated'. */
  terminate(): Promise<void>;
}

/** What a thread tells the pool. */
export interface ThreadListener {
  /** A count of its ledger has changed, after requestNotice(). */
  onPlaceFree(): void;
  /** A socket that seemed sent has come back. */
  onReturned(socket: Socket, acceptedAtUs: number): void;
  /** Once, at the end. */
  onExit(thread: PoolThread, exit: ThreadExit): void;
}
