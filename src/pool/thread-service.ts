// thread-service.ts: the contract between the pool and what it runs. A service writes one module whose export
// `createThreadService` makes a ThreadService; the pool loads that module in each worker thread (or, with threads: 0 or
// `acceptorSessions`, on the accepting thread) and hands it sockets. The service cannot tell the two apart, and need not.
//
//   owner of the pool ── port ──►  service in thread 0 ◄── serve(socket) ── pool
//                     ── port ──►  service in thread 1 ◄── serve(socket) ── pool
//
// Nothing here knows a protocol: an HTTP server and a gRPC server both fit.

import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';

/** What a thread's service is told when it is made. */
export interface ThreadContext {
  /** Place of this thread in the pool, from 0. A replacement takes over the index of the thread that died. */
  readonly threadIndex: number;
  /** The pool's option `data`, structured-cloned; SharedArrayBuffers in it are shared, not copied. */
  readonly data: unknown;
  /**
   * Messages between this service and the owner of the pool (its end comes with the event `spawn`). The pool reads
   * none.
   */
  readonly port: MessagePort;
  /**
   * Says that the session of this socket takes no place any more, though its socket stays open: a stream of events that
   * lasts for hours and costs next to nothing keeps no customer waiting. The service bounds their number itself.
   */
  readonly freePlace: (socket: Socket) => void;
}

/** One thread's service: it is given sockets and owns them from then on. */
export interface ThreadService {
  /**
   * Takes a connected socket over. It is paused and has never been read from (attach listeners, then `resume()`; an
   * HTTP/2 server needs `read(0)`). The session lasts until the socket's 'close' event. Must not throw: what it
   * throws is an uncaught error of the thread. It may be called after `drain()`, for a connection placed before.
   */
  serve(socket: Socket): void;
  /**
   * Told when connections begin (true) or cease (false) to wait for a place: while they wait, a session that is idle
   * should give its place up after its idle time-out.
   */
  setPressure?(connectionsWait: boolean): void;
  /**
   * Finishes what is in flight and closes idle sessions; resolves when no session is left. Called once. A session
   * that was handed over a moment ago is not idle yet: its first request may be on the wire, or in the socket and
   * unread.
   */
  drain(): Promise<void>;
  /**
   * Releases everything, at once. Called after `drain()`, or alone when the drain deadline has passed on an inline
   * pool.
   */
  close?(): Promise<void> | void;
}

/** What a service's thread module exports under the name `createThreadService`. */
export type CreateThreadService = (context: ThreadContext) => ThreadService | Promise<ThreadService>;

/** The shape of a service's thread module. */
export interface ThreadModule {
  readonly createThreadService: CreateThreadService;
}
