// thread-pool.ts: places each accepted connection on a thread, where it stays until it closes. The accepting thread
// does no more than that, unless it is told to serve the first few connections itself (`acceptorSessions`).
//
//   accept ──► a thread with a place? ── yes ──► the one that is being packed, or has the fewest sessions
//                     │ no
//                     ├── fewer than maxThreads? ──► start one more (the connection waits meanwhile)
//                     ▼
//              the queue has room? ── yes ──► waits its turn; idle sessions are asked to give theirs up
//                     │ no
//                     ▼
//                 onRefused
//
// In steady state the pool learns of ended sessions from shared counters, not from messages (session-counters.ts). Only
// while connections wait does it ask the threads to say when a place comes free.

import { EventEmitter } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import { monotonicUs } from '../clock.js';
import { Acceptor, type ListenOptions } from './acceptor.js';
import { connectionsWithinLimit } from './descriptor-limit.js';
import { chooseHandoff, type HandoffWay } from './handoff.js';
import { PoolError } from './pool-error.js';
import type { ThreadPoolEvents } from './pool-events.js';
import { type SettledOptions, settleOptions, type ThreadPoolOptions } from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import { Pressure } from './pressure.js';
import { Refusals } from './refusals.js';
import { ThreadCrew } from './thread-crew.js';
import { Timers } from './timers.js';
import { type Waiting, WaitingRoom } from './waiting-room.js';

/** How long no socket is sent after one could not be: within this, threads take theirs and dead ones are noticed. */
const HANDOFF_PAUSE_MS = 5;

/** A pool of threads that serve connections. Made, then start(), listen(), and in the end close(). */
export class ThreadPool extends EventEmitter<ThreadPoolEvents> implements AsyncDisposable {
  readonly #options: SettledOptions;
  readonly #way: HandoffWay;
  readonly #waitTimeUs = createHistogram();
  readonly #queue: WaitingRoom;
  readonly #crew: ThreadCrew;
  readonly #refusals: Refusals;
  readonly #timers = new Timers();
  readonly #pressure = new Pressure(this.#timers, (connectionsWait) => this.#crew.setPressure(connectionsWait));
  readonly #totals = { accepted: 0, lost: 0, acceptErrors: 0 };
  #state: 'made' | 'starting' | 'running' | 'closing' | 'closed' = 'made';
  #acceptor: Acceptor | undefined;
  #connectionsMax = Number.POSITIVE_INFINITY;
  #closing: Promise<void> | undefined;
  #onQueueEmptied: (() => void) | undefined;
  #isHandoffPaused = false;

  /** Throws PoolError INVALID_OPTION or HANDOFF_UNSUPPORTED. */
  constructor(options: ThreadPoolOptions) {
    super();
    this.#options = settleOptions(options);
    this.#way = this.#options.threads === 0 ? 'inline' : chooseHandoff(this.#options.handoff);
    this.#queue = new WaitingRoom(this.#options.queueMax, this.#options.queueTimeoutMs, ({ socket }) => {
      this.#refusals.refuse(socket, 'queue-timeout');
      if (this.#queue.length === 0) this.#onQueueEmpty();
    });
    this.#refusals = new Refusals(this.#options.onRefused);
    this.#crew = new ThreadCrew(this.#options, this.#way, this.#waitTimeUs, {
      onPlaceFree: () => this.#placeWaiting(),
      onReturned: (socket, acceptedAtUs) => this.#takeBack({ socket, acceptedAtUs }),
      onSpawn: ({ threadIndex, threadId, port }) => this.emit('spawn', { threadIndex, threadId, port }),
      onReady: (thread) => {
        if (this.#pressure.isOn) thread.setPressure(true);
        this.#placeWaiting();
      },
      onExit: (exit) => this.emit('exit', exit),
    });
  }

  /**
   * Resolves when all `threads` threads serve. Rejects with PoolError THREAD_FAILED, NO_DESCRIPTORS or HANDOFF_FAILED if
   * one cannot; the pool is then closed. Rejects with NOT_RUNNING if it is closed meanwhile.
   */
  async start(): Promise<void> {
    if (this.#state !== 'made')
      throw new PoolError('NOT_RUNNING', 'the pool has been started already, and a pool can be started only once');
    this.#state = 'starting';
    try {
      await this.#crew.start();
    } catch (error) {
      if (this.#closing === undefined) {
        await this.close({ drainTimeoutMs: 0 });
        throw error;
      }
    }
    if (this.#closing !== undefined) {
      await this.#closing;
      throw new PoolError('NOT_RUNNING', 'the pool was closed while it started');
    }
    this.#connectionsMax = connectionsWithinLimit(this.#options.maxThreads - this.#options.threads);
    this.#state = 'running';
  }

  /**
   * Accepts connections at an address, once the pool has started. Rejects with the system's error (EADDRINUSE, EACCES, …),
   * or with PoolError NOT_RUNNING or ALREADY_LISTENING.
   */
  async listen(options: ListenOptions): Promise<AddressInfo> {
    if (this.#state !== 'running')
      throw new PoolError('NOT_RUNNING', `cannot listen: the pool is ${this.#state}, not running`);
    if (this.#acceptor !== undefined) throw new PoolError('ALREADY_LISTENING', 'the pool listens already');
    const acceptor = new Acceptor(
      this.#options.allowHalfOpen,
      (socket) => this.accept(socket),
      (error) => {
        this.#totals.acceptErrors += 1;
        this.emit('acceptError', error);
      },
    );
    this.#acceptor = acceptor;
    try {
      return await acceptor.listen(options);
    } catch (error) {
      this.#acceptor = undefined;
      throw error;
    }
  }

  /** Places one connected socket, which must be paused and never read from (option pauseOnConnect of net.Server). */
  accept(socket: Socket): void {
    this.#totals.accepted += 1;
    if (this.#state !== 'running') this.#refusals.refuse(socket, 'closing');
    else if (this.#connections >= this.#connectionsMax) this.#refusals.refuse(socket, 'descriptor-limit');
    else this.#place({ socket, acceptedAtUs: monotonicUs() });
  }

  stats(): PoolStats {
    const threads = this.#crew.threads.map((thread) => ({
      threadIndex: thread.threadIndex,
      threadId: thread.threadId,
      state: thread.state,
      sessions: thread.ledger.sessions,
    }));
    const lostOnArrival = this.#crew.threads.reduce((sum, thread) => sum + thread.ledger.lost, 0);
    return {
      handoff: this.#way,
      threads,
      sessions: threads.reduce((sum, thread) => sum + thread.sessions, 0),
      queueLength: this.#queue.length,
      waitTimeUs: this.#waitTimeUs,
      accepted: this.#totals.accepted,
      refused: this.#refusals.total,
      lost: this.#totals.lost + this.#crew.totals.connectionsLost + lostOnArrival,
      acceptErrors: this.#totals.acceptErrors,
      threadsSpawned: this.#crew.totals.spawned,
      threadsRetired: this.#crew.totals.retired,
      threadsFailed: this.#crew.totals.failed,
    };
  }

  /**
   * Stops accepting, lets waiting connections have their turn for up to half the time, then lets sessions finish, and
   * ends the threads; whatever is left at the deadline is ended with its thread. Resolves when no thread is left. A
   * second call joins the first.
   */
  close(options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? this.#options.drainTimeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Connections that this process holds descriptors for. */
  get #connections(): number {
    const elsewhere = this.#queue.length + this.#refusals.lingering;
    return this.#crew.threads.reduce((sum, thread) => sum + thread.ledger.sessions + thread.ledger.onTheWay, elsewhere);
  }

  #place(waiting: Waiting): void {
    if (this.#queue.length === 0 && this.#send(waiting)) return;
    if (this.#queue.push(waiting)) {
      this.#onWaiting();
    } else {
      // Also where nobody may wait: the next one will find the place.
      this.#crew.grow(this.#queue.length + 1);
      this.#refusals.refuse(waiting.socket, 'queue-full');
    }
  }

  /** A connection whose handoff failed after all keeps its turn. What made it fail may last: the next try waits. */
  #takeBack(waiting: Waiting): void {
    this.#pauseHandoffs();
    if (this.#state === 'closed') this.#refusals.refuse(waiting.socket, 'closing');
    else if (this.#queue.putBack(waiting)) this.#onWaiting();
    else this.#refusals.refuse(waiting.socket, 'queue-full');
  }

  /** Places as many waiting connections as there are places for, in their order. */
  #placeWaiting(): void {
    // Taken out before it is sent: sending may bring us here again.
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      if (this.#send(waiting)) continue;
      this.#queue.putBack(waiting);
      break;
    }
    if (this.#queue.length > 0) this.#onWaiting();
    else this.#onQueueEmpty();
  }

  #onWaiting(): void {
    this.#crew.grow(this.#queue.length);
    this.#pressure.begin();
    this.#crew.requestNotice();
    // A place may have come free before the notice was requested: then nobody would tell us.
    if (!this.#isHandoffPaused && this.#crew.nextToServe() !== undefined) this.#placeWaiting();
  }

  #onQueueEmpty(): void {
    this.#onQueueEmptied?.();
    this.#pressure.end();
  }

  /** True: the connection is off our hands. */
  #send({ socket, acceptedAtUs }: Waiting): boolean {
    if (this.#isHandoffPaused) return false;
    // Each turn places the connection or finds that a thread has gone: there are fewer turns than threads.
    for (let thread = this.#crew.nextToServe(); thread !== undefined; thread = this.#crew.nextToServe()) {
      switch (thread.send(socket, acceptedAtUs)) {
        case 'sent':
          return true;
        case 'socket-gone':
          this.#totals.lost += 1;
          socket.destroy();
          return true;
        case 'try-later':
          this.#pauseHandoffs();
          return false;
        case 'thread-gone':
          break;
      }
    }
    return false;
  }

  /** The kernel has no room for descriptors on their way: connections wait, and after a moment it is tried again. */
  #pauseHandoffs(): void {
    if (this.#isHandoffPaused) return;
    this.#isHandoffPaused = true;
    this.#timers.after(HANDOFF_PAUSE_MS, () => {
      this.#isHandoffPaused = false;
      this.#placeWaiting();
    });
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    const deadline = performance.now() + drainTimeoutMs;
    this.#state = 'closing';
    this.#acceptor?.close();
    await this.#letQueueEmpty(drainTimeoutMs / 2);
    this.#refuseWaiting();
    await this.#crew.close(Math.max(0, deadline - performance.now()));
    this.#state = 'closed';
    // What came back from a dying thread meanwhile has nowhere to go.
    this.#refuseWaiting();
    this.#timers.clear();
  }

  #refuseWaiting(): void {
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      this.#refusals.refuse(waiting.socket, 'closing');
    }
  }

  #letQueueEmpty(timeoutMs: number): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#timers.after(timeoutMs, resolve);
      this.#onQueueEmptied = () => {
        this.#timers.cancel(timer);
        resolve();
      };
    });
  }
}
