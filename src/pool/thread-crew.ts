// thread-crew.ts: the threads of a pool: started, chosen from, grown, retired when idle, replaced when dead, drained
// in the end. It knows nothing of waiting connections; the pool tells it how many there are.
//
//   failed ──► replaced at once; failed again within a second ──► after 20 ms, 40 ms, … 1 s, while growth pauses too

import type { RecordableHistogram } from 'node:perf_hooks';
import type { HandoffWay } from './handoff.js';
import { InlineThread } from './inline-thread.js';
import { ON_THE_WAY_MAX, type SettledOptions } from './pool-options.js';
import type { PoolThread, ThreadExit, ThreadListener } from './pool-thread.js';
import { Timers } from './timers.js';
import { startError, WorkerThread } from './worker-thread.js';

/**
 * A thread that dies is replaced at once, the next one in a row after the first delay, then doubling up to the last.
 */
const RESPAWN_DELAY_MIN_MS = 20;
const RESPAWN_DELAY_MAX_MS = 1_000;
/** A thread that served this long did not die of how it starts: the row ends. */
const SOUND_AFTER_MS = 1_000;

/** The id of a thread that could not even be made. */
const NEVER_STARTED = -1;

/** How often idle threads are looked for, at least and at most. */
const SWEEP_MIN_MS = 5;
const SWEEP_MAX_MS = 1_000;

/** Since when a thread has been seen without a session, and how many sessions had ended there by then. */
interface Idleness {
  readonly sinceMs: number;
  readonly ended: number;
}

/** What the crew tells the pool. */
export interface CrewListener {
  /** A socket that seemed sent has come back, or a place may have come free. */
  readonly onReturned: ThreadListener['onReturned'];
  readonly onPlaceFree: () => void;
  readonly onSpawn: (thread: PoolThread) => void;
  /** A thread beyond the first ones serves. */
  readonly onReady: (thread: PoolThread) => void;
  readonly onExit: (exit: ThreadExit) => void;
}

export class ThreadCrew {
  readonly #options: SettledOptions;
  readonly #way: HandoffWay;
  readonly #waitTimeUs: RecordableHistogram;
  readonly #pool: CrewListener;
  readonly #timers = new Timers();
  readonly #readySince = new WeakMap<PoolThread, number>();
  readonly #idleSince = new WeakMap<PoolThread, Idleness>();
  #threads: PoolThread[] = [];
  #nextIndex = 0;
  #sweep: NodeJS.Timeout | undefined;
  #respawn: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #isClosing = false;
  /** Totals since the pool was made. */
  readonly totals = { spawned: 0, retired: 0, failed: 0, connectionsLost: 0 };

  constructor(options: SettledOptions, way: HandoffWay, waitTimeUs: RecordableHistogram, pool: CrewListener) {
    this.#options = options;
    this.#way = way;
    this.#waitTimeUs = waitTimeUs;
    this.#pool = pool;
  }

  get threads(): readonly PoolThread[] {
    return this.#threads;
  }

  /** Whether a waiting connection can only wait: nothing more will be started for it. */
  get #isFullyGrown(): boolean {
    return this.#threads.length >= this.#options.maxThreads;
  }

  /** Starts the threads that are always there. Rejects with a PoolError if one of them cannot start. */
  async start(): Promise<void> {
    const count = Math.max(1, this.#options.threads);
    // Each in a promise of its own: a thread that cannot even be made must not keep the others' ends from being heard of.
    await Promise.all(Array.from({ length: count }, async () => this.#start(this.#spawn())));
  }

  /**
   * The thread for the next connection: the accepting one while it has fewer sessions of its own than it may, else a worker
   * that has begun and is not packed yet, else the one with the fewest; equals take turns. Undefined: all are full, or behind.
   */
  nextToServe(): PoolThread | undefined {
    const acceptor = this.#acceptor;
    if (acceptor === undefined) return this.#nextWorker();
    const { acceptorSessions, sessionsPerThread } = this.#options;
    if (acceptor.ledger.sessions < Math.min(acceptorSessions, sessionsPerThread)) return acceptor;
    // Without a worker to go to, it may as well be served here.
    return this.#nextWorker() ?? (acceptor.ledger.sessions < sessionsPerThread ? acceptor : undefined);
  }

  /** The accepting thread, if it serves. */
  get #acceptor(): PoolThread | undefined {
    const first = this.#threads[0];
    return first?.isAcceptor && first.state === 'ready' ? first : undefined;
  }

  #nextWorker(): PoolThread | undefined {
    const { sessionsPerThread } = this.#options;
    const count = this.#threads.length;
    let best: PoolThread | undefined;
    let bestIndex = 0;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#nextIndex + step) % count;
      const thread = this.#threads[index]!;
      if (thread.state !== 'ready' || thread.isAcceptor) continue;
      if (thread.ledger.sessions >= sessionsPerThread || thread.ledger.onTheWay >= ON_THE_WAY_MAX) continue;
      if (best !== undefined && this.#load(thread) >= this.#load(best)) continue;
      best = thread;
      bestIndex = index;
    }
    if (best !== undefined) this.#nextIndex = bestIndex + 1;
    return best;
  }

  /** What the next connection is placed by: the least gets it. Threads that are being packed come first, the fullest of them. */
  #load({ ledger }: PoolThread): number {
    const { sessions } = ledger;
    return sessions > 0 && sessions < this.#options.packedSessions ? -sessions : sessions;
  }

  /** Starts as many threads as `waiting` connections need, within maxThreads. */
  grow(waiting: number): void {
    if (this.#isClosing || this.#respawn !== undefined) return;
    const starting = this.#threads.filter((thread) => thread.state === 'starting').length;
    let placesComing = starting * this.#options.sessionsPerThread;
    while (!this.#isFullyGrown && placesComing < waiting && this.#respawn === undefined) {
      this.#spawnInBackground();
      placesComing += this.#options.sessionsPerThread;
    }
  }

  setPressure(connectionsWait: boolean): void {
    for (const thread of this.#threads) if (thread.state === 'ready') thread.setPressure(connectionsWait);
  }

  requestNotice(): void {
    for (const thread of this.#threads) thread.ledger.requestNotice();
  }

  /** Lets every thread finish, and ends what is left at the deadline. Resolves when no thread is left. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    this.#timers.clear();
    const deadline = setTimeout(() => {
      for (const thread of this.#threads) void thread.terminate();
    }, timeoutMs);
    await Promise.all(this.#threads.map((thread) => thread.drain('drained')));
    clearTimeout(deadline);
  }

  #spawn(): PoolThread {
    const listener: ThreadListener = {
      onPlaceFree: this.#pool.onPlaceFree,
      onReturned: this.#pool.onReturned,
      onExit: (thread, exit) => this.#onExit(thread, exit),
    };
    // The first is never retired and dies with its process alone: it stays the first.
    const isAcceptor = this.#way === 'inline' || (this.#options.acceptorSessions > 0 && this.#threads.length === 0);
    const thread = isAcceptor
      ? new InlineThread(this.#options, this.#waitTimeUs, listener)
      : this.#makeWorker(this.#way, listener);
    this.#threads.push(thread);
    this.totals.spawned += 1;
    this.#pool.onSpawn(thread);
    return thread;
  }

  /** Throws a PoolError. */
  #makeWorker(way: 'native' | 'ipc', listener: ThreadListener): WorkerThread {
    const threadIndex = this.#freeIndex();
    try {
      return new WorkerThread(threadIndex, this.#options, way, this.#waitTimeUs, listener);
    } catch (error) {
      throw startError(threadIndex, error as Error);
    }
  }

  async #start(thread: PoolThread): Promise<void> {
    await thread.start();
    this.#readySince.set(thread, performance.now());
  }

  #spawnInBackground(): void {
    let thread: PoolThread;
    try {
      thread = this.#spawn();
    } catch (error) {
      return this.#onNotSpawned(error as Error);
    }
    this.#start(thread).then(
      () => {
        this.#pool.onReady(thread);
        this.#watchIdleThreads();
      },
      () => {}, // its exit is reported, and that is where it is replaced
    );
  }

  /** No thread has begun: there was no memory, no descriptor, or no place for its socket. Later there may be. */
  #onNotSpawned(error: Error): void {
    this.totals.failed += 1;
    this.#respawnLater(false);
    const threadIndex = this.#freeIndex();
    this.#pool.onExit({ threadIndex, threadId: NEVER_STARTED, reason: 'failed', error, connectionsLost: 0 });
  }

  #freeIndex(): number {
    const taken = new Set(this.#threads.map((thread) => thread.threadIndex));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }

  #onExit(thread: PoolThread, exit: ThreadExit): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    this.totals.connectionsLost += exit.connectionsLost + thread.ledger.lost;
    if (exit.reason === 'retired') this.totals.retired += 1;
    if (exit.reason === 'failed') {
      this.totals.failed += 1;
      this.#replace(thread);
    }
    this.#pool.onExit(exit);
    this.#refill();
  }

  /**
   * Starts those that must always be there, and then lets the pool see that there may be room for one more: while an
   * idle thread was on its way out, it stood in the way of those that connections wait for.
   */
  #refill(): void {
    if (this.#isClosing || this.#respawn !== undefined) return;
    const isStaying = (thread: PoolThread) => thread.state !== 'draining';
    let missing = this.#options.threads - this.#threads.filter(isStaying).length;
    for (; missing > 0 && !this.#isFullyGrown && this.#respawn === undefined; missing -= 1) this.#spawnInBackground();
    this.#pool.onPlaceFree();
  }

  #replace(dead: PoolThread): void {
    const readySince = this.#readySince.get(dead);
    this.#respawnLater(readySince !== undefined && performance.now() - readySince >= SOUND_AFTER_MS);
  }

  /** @param wasSound whether what failed did not die of how threads start */
  #respawnLater(wasSound: boolean): void {
    if (this.#isClosing) return;
    this.#failuresInRow = wasSound ? 1 : this.#failuresInRow + 1;
    const delay =
      this.#failuresInRow === 1
        ? 0
        : Math.min(RESPAWN_DELAY_MAX_MS, RESPAWN_DELAY_MIN_MS * 2 ** (this.#failuresInRow - 2));
    this.#respawn ??= this.#timers.after(delay, () => {
      this.#respawn = undefined;
      this.#refill();
    });
  }

  #watchIdleThreads(): void {
    if (this.#sweep !== undefined || this.#isClosing || this.#threads.length <= this.#options.threads) return;
    const period = Math.min(SWEEP_MAX_MS, Math.max(SWEEP_MIN_MS, Math.floor(this.#options.idleThreadTimeoutMs / 4)));
    this.#sweep = this.#timers.after(period, () => {
      this.#sweep = undefined;
      this.#retireIdleThreads();
      this.#watchIdleThreads();
    });
  }

  #retireIdleThreads(): void {
    const now = performance.now();
    let spare = this.#threads.filter((thread) => thread.state === 'ready').length - this.#options.threads;
    for (const thread of this.#threads.toReversed()) {
      if (thread.state !== 'ready' || thread.ledger.sessions > 0 || thread.isAcceptor) {
        this.#idleSince.delete(thread);
        continue;
      }
      const { ended } = thread.ledger;
      const seen = this.#idleSince.get(thread);
      // Sessions that came and went between two looks count as well.
      const idle = seen?.ended === ended ? seen : { sinceMs: now, ended };
      this.#idleSince.set(thread, idle);
      if (spare > 0 && now - idle.sinceMs >= this.#options.idleThreadTimeoutMs) {
        spare -= 1;
        void thread.drain('retired');
        // It has no session to finish; a service that does not come to an end all the same is not waited for.
        this.#timers.after(this.#options.drainTimeoutMs, () => void thread.terminate());
      }
    }
  }
}
