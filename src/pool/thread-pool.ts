// thread-pool.ts: starts, grows, replaces, retires and drains threads, and places each connection on one of them. The
// accepting thread does no more than that; a connection stays on its thread until it closes.
//
//   accept ──► a thread with a place? ── yes ──► the one with the fewest sessions
//                     │ no
//                     ├── fewer than maxThreads? ──► start one more (the connection waits meanwhile)
//                     ▼
//              the queue has room? ── yes ──► waits its turn; idle sessions are asked to give theirs up
//                     │ no
//                     ▼
//                 onRefused
//
// In steady state the pool learns of ended sessions from shared counters, not from messages (session-counters.ts).

import { EventEmitter } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import type { MessagePort } from 'node:worker_threads';
import { Acceptor, type ListenOptions } from './acceptor.js';
import { monotonicUs } from './clock.js';
import { chooseHandoff, type HandoffWay } from './handoff.js';
import { InlineThread } from './inline-thread.js';
import { PoolError } from './pool-error.js';
import {
  ON_THE_WAY_MAX,
  type RefusalReason,
  type SettledOptions,
  settleOptions,
  type ThreadPoolOptions,
} from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import type { PoolThread, ThreadExit, ThreadListener } from './pool-thread.js';
import { WaitQueue } from './wait-queue.js';
import { WorkerThread } from './worker-thread.js';

/** After this long without waiting connections the threads are told so: a queue that flickers must not flood them. */
const PRESSURE_OFF_DELAY_MS = 100;

/** A thread that dies is replaced at once, the second in a row after the first delay, then doubling up to the last. */
const RESPAWN_DELAY_MIN_MS = 20;
const RESPAWN_DELAY_MAX_MS = 1_000;

/** How long no socket is sent after the kernel had no room for one: threads take theirs within this. */
const HANDOFF_PAUSE_MS = 5;

/** How often idle threads are looked for, at most and at least. */
const SWEEP_MIN_MS = 5;
const SWEEP_MAX_MS = 1_000;

/** What the pool emits. */
export interface ThreadPoolEvents {
  /** A thread is being started; its service's messages come over `port`, which must be listened to within this event. */
  spawn: [{ readonly threadIndex: number; readonly threadId: number; readonly port: MessagePort }];
  /** A thread has ended and runs no more code. */
  exit: [ThreadExit];
  /** A connection has begun to wait, and the pool may not grow. */
  saturated: [];
  /** No connection waits any more. */
  drain: [];
  /** Accepting failed (EMFILE, ENFILE, …); the pool goes on. */
  acceptError: [Error];
}

interface Waiting {
  readonly socket: Socket;
  readonly acceptedAtUs: number;
}

/** A pool of threads that serve connections. Made, then start(), listen(), and in the end close(). */
export class ThreadPool extends EventEmitter<ThreadPoolEvents> implements AsyncDisposable {
  readonly #options: SettledOptions;
  readonly #way: HandoffWay;
  readonly #waitTimeUs = createHistogram();
  readonly #queue: WaitQueue<Waiting>;
  readonly #listener: ThreadListener;
  readonly #idleSince = new WeakMap<PoolThread, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #threads: PoolThread[] = [];
  #state: 'made' | 'running' | 'closing' | 'closed' = 'made';
  #acceptor: Acceptor | undefined;
  #closing: Promise<void> | undefined;
  #queueEmptied: (() => void) | undefined;
  #nextThread = 0;
  #isSaturated = false;
  #handoffsPaused = false;
  #hasPressure = false;
  #pressureOff: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #accepted = 0;
  #refused = 0;
  #lost = 0;
  #acceptErrors = 0;
  #spawned = 0;
  #retired = 0;
  #failed = 0;

  /** Throws PoolError INVALID_OPTION or HANDOFF_UNSUPPORTED. */
  constructor(options: ThreadPoolOptions) {
    super();
    this.#options = settleOptions(options);
    this.#way = this.#options.threads === 0 ? 'inline' : chooseHandoff(this.#options.handoff);
    this.#queue = new WaitQueue(this.#options.queueMax);
    this.#listener = {
      onPlaceFree: () => this.#placeWaiting(),
      onReturned: (socket, acceptedAtUs) => this.#place({ socket, acceptedAtUs }),
      onExit: (thread, exit) => this.#onExit(thread, exit),
    };
  }

  /** Resolves when all `threads` threads serve. Rejects with PoolError THREAD_FAILED if one cannot; the pool is then closed. */
  async start(): Promise<void> {
    if (this.#state !== 'made') throw new PoolError('NOT_RUNNING', 'a pool can be started once');
    this.#options.signal?.throwIfAborted();
    this.#state = 'running';
    const count = Math.max(1, this.#options.threads);
    try {
      await Promise.all(Array.from({ length: count }, () => this.#spawn().start()));
    } catch (error) {
      await this.close({ drainTimeoutMs: 0 });
      throw error;
    }
    this.#options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Accepts connections at an address. Rejects with the system's error (EADDRINUSE, EACCES, …). */
  async listen(options: ListenOptions): Promise<AddressInfo> {
    this.#requireRunning();
    if (this.#acceptor !== undefined) throw new PoolError('ALREADY_LISTENING', 'the pool listens already');
    const acceptor = new Acceptor(
      this.#options.allowHalfOpen,
      (socket) => this.accept(socket),
      (error) => this.#onAcceptError(error),
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
    this.#accepted += 1;
    if (this.#state === 'running') this.#place({ socket, acceptedAtUs: monotonicUs() });
    else this.#refuse(socket, 'closing');
  }

  /** The pool at this moment. */
  stats(): PoolStats {
    const threads = this.#threads.map((thread) => ({
      threadIndex: thread.threadIndex,
      threadId: thread.threadId,
      state: thread.state,
      sessions: thread.sessions,
      sessionsEnded: thread.ended,
    }));
    return {
      handoff: this.#way,
      threads,
      sessions: threads.reduce((sum, thread) => sum + thread.sessions, 0),
      queueLength: this.#queue.length,
      waitTimeUs: this.#waitTimeUs,
      accepted: this.#accepted,
      refused: this.#refused,
      lost: this.#threads.reduce((sum, thread) => sum + thread.lost, this.#lost),
      acceptErrors: this.#acceptErrors,
      threadsSpawned: this.#spawned,
      threadsRetired: this.#retired,
      threadsFailed: this.#failed,
    };
  }

  /**
   * Stops accepting, lets waiting connections have their turn and sessions finish, and ends the threads; whatever is left at
   * the deadline is ended with its thread. Resolves when no thread is left. Never rejects; a second call joins the first.
   */
  close(options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? this.#options.drainTimeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onAbort = (): void => void this.close();

  // ---- placing -------------------------------------------------------------------------------------------------------

  #place(waiting: Waiting): void {
    if (this.#queue.length === 0 && this.#sendToLeastBusy(waiting)) return;
    if (this.#queue.push(waiting)) this.#onWaiting();
    else this.#refuse(waiting.socket, 'queue-full');
  }

  /** Places as many waiting connections as there are places for, in their order. */
  #placeWaiting(): void {
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      if (this.#sendToLeastBusy(waiting)) continue;
      this.#queue.unshift(waiting);
      break;
    }
    if (this.#queue.length > 0) this.#onWaiting();
    else this.#onQueueEmpty();
  }

  #onWaiting(): void {
    this.#grow();
    this.#setPressure();
    for (const thread of this.#threads) thread.requestNotice();
    // A place may have come free before the notice was requested: then nobody would tell us.
    if (this.#findLeastBusy() !== undefined) this.#placeWaiting();
    else if (!this.#isSaturated && this.#threads.length >= this.#options.maxThreads) {
      this.#isSaturated = true;
      this.emit('saturated');
    }
  }

  #onQueueEmpty(): void {
    this.#queueEmptied?.();
    if (this.#hasPressure) this.#pressureOff ??= this.#after(PRESSURE_OFF_DELAY_MS, () => this.#clearPressure());
    if (!this.#isSaturated) return;
    this.#isSaturated = false;
    this.emit('drain');
  }

  #sendToLeastBusy(waiting: Waiting): boolean {
    // Each turn places the connection or finds that a thread has gone: there are fewer turns than threads.
    for (let thread = this.#findLeastBusy(); thread !== undefined; thread = this.#findLeastBusy()) {
      switch (thread.send(waiting.socket, waiting.acceptedAtUs)) {
        case 'sent':
          return true;
        case 'socket-gone':
          this.#lost += 1;
          waiting.socket.destroy();
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

  /** The ready thread with the fewest sessions and a place; equals take turns. */
  #findLeastBusy(): PoolThread | undefined {
    const count = this.#threads.length;
    let best: PoolThread | undefined;
    let bestSessions = this.#options.sessionsPerThread;
    let bestIndex = 0;
    if (this.#handoffsPaused) return undefined;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#nextThread + step) % count;
      const thread = this.#threads[index]!;
      if (thread.state !== 'ready') continue;
      const { sessions } = thread;
      if (sessions >= bestSessions || thread.onTheWay >= ON_THE_WAY_MAX) continue;
      best = thread;
      bestSessions = sessions;
      bestIndex = index;
    }
    if (best !== undefined) this.#nextThread = bestIndex + 1;
    return best;
  }

  /** The kernel has no room for descriptors on their way: connections wait, and after a moment it is tried again. */
  #pauseHandoffs(): void {
    this.#handoffsPaused = true;
    this.#after(HANDOFF_PAUSE_MS, () => {
      this.#handoffsPaused = false;
      this.#placeWaiting();
    });
  }

  #refuse(socket: Socket, reason: RefusalReason): void {
    this.#refused += 1;
    // Nobody has listened for its errors so far, and the service's farewell may well fail.
    socket.on('error', () => socket.destroy());
    this.#options.onRefused(socket, reason);
  }

  #setPressure(): void {
    if (this.#pressureOff !== undefined) this.#cancel(this.#pressureOff);
    this.#pressureOff = undefined;
    if (this.#hasPressure) return;
    this.#hasPressure = true;
    for (const thread of this.#threads) if (thread.state === 'ready') thread.setPressure(true);
  }

  #clearPressure(): void {
    this.#pressureOff = undefined;
    this.#hasPressure = false;
    for (const thread of this.#threads) if (thread.state === 'ready') thread.setPressure(false);
  }

  // ---- threads -------------------------------------------------------------------------------------------------------

  #spawn(): PoolThread {
    const thread =
      this.#way === 'inline'
        ? new InlineThread(this.#options, this.#waitTimeUs, this.#listener)
        : new WorkerThread(this.#freeIndex(), this.#options, this.#way, this.#waitTimeUs, this.#listener);
    this.#threads.push(thread);
    this.#spawned += 1;
    this.emit('spawn', { threadIndex: thread.threadIndex, threadId: thread.threadId, port: thread.port });
    return thread;
  }

  #freeIndex(): number {
    const taken = new Set(this.#threads.map((thread) => thread.threadIndex));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }

  /** Starts a thread beyond the first ones, in the background: what goes wrong is reported by its exit. */
  #spawnInBackground(): void {
    const thread = this.#spawn();
    thread.start().then(
      () => {
        this.#failuresInRow = 0;
        if (this.#hasPressure) thread.setPressure(true);
        this.#placeWaiting();
        this.#watchIdleThreads();
      },
      () => {},
    );
  }

  #grow(): void {
    if (this.#state !== 'running' || this.#failuresInRow > 0) return;
    const starting = this.#threads.filter((thread) => thread.state === 'starting').length;
    let placesComing = starting * this.#options.sessionsPerThread;
    while (this.#threads.length < this.#options.maxThreads && placesComing < this.#queue.length) {
      this.#spawnInBackground();
      placesComing += this.#options.sessionsPerThread;
    }
  }

  #onExit(thread: PoolThread, exit: ThreadExit): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.#lost += exit.connectionsLost + thread.lost;
    if (exit.reason === 'retired') this.#retired += 1;
    if (exit.reason === 'failed') {
      this.#failed += 1;
      this.#replaceLater();
    }
    this.emit('exit', exit);
  }

  #replaceLater(): void {
    if (this.#state !== 'running') return;
    const delay =
      this.#failuresInRow === 0
        ? 0
        : Math.min(RESPAWN_DELAY_MAX_MS, RESPAWN_DELAY_MIN_MS * 2 ** (this.#failuresInRow - 1));
    this.#failuresInRow += 1;
    this.#after(delay, () => {
      if (this.#state === 'running' && this.#threads.length < this.#options.threads) this.#spawnInBackground();
    });
  }

  #watchIdleThreads(): void {
    if (this.#sweep !== undefined || this.#threads.length <= this.#options.threads) return;
    const period = Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, Math.floor(this.#options.idleThreadTimeoutMs / 4)));
    this.#sweep = this.#after(period, () => {
      this.#sweep = undefined;
      this.#retireIdleThreads();
      this.#watchIdleThreads();
    });
  }

  #retireIdleThreads(): void {
    const now = performance.now();
    let spare = this.#threads.filter((thread) => thread.state === 'ready').length - this.#options.threads;
    for (const thread of this.#threads.toReversed()) {
      if (thread.state !== 'ready' || thread.sessions > 0) {
        this.#idleSince.delete(thread);
        continue;
      }
      const since = this.#idleSince.get(thread) ?? now;
      this.#idleSince.set(thread, since);
      if (spare > 0 && now - since >= this.#options.idleThreadTimeoutMs) {
        spare -= 1;
        void thread.drain('retired');
      }
    }
  }

  // ---- closing -------------------------------------------------------------------------------------------------------

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#state = 'closing';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#acceptor?.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#letQueueEmpty(drainTimeoutMs / 2);
    for (let waiting = this.#queue.shift(); waiting !== undefined; waiting = this.#queue.shift()) {
      this.#refuse(waiting.socket, 'closing');
    }
    const deadline = this.#after(drainTimeoutMs, () => {
      for (const thread of this.#threads) void thread.terminate();
    });
    await Promise.all(this.#threads.map((thread) => thread.drain('drained')));
    this.#cancel(deadline);
    this.#state = 'closed';
  }

  #letQueueEmpty(timeoutMs: number): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#after(timeoutMs, resolve);
      this.#queueEmptied = () => {
        this.#cancel(timer);
        resolve();
      };
    });
  }

  #requireRunning(): void {
    if (this.#state !== 'running') throw new PoolError('NOT_RUNNING', `the pool is ${this.#state}`);
  }

  #onAcceptError(error: Error): void {
    this.#acceptErrors += 1;
    this.emit('acceptError', error);
  }

  #after(delayMs: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
