// session-clock.ts: the time-outs of all connections of a thread, and the one timer that looks at them.
//
//   request ──→ head ──→ body ──→ request …   what a connection waits for from its peer, each with its own limit
//   linger                                    after the last answer: until the peer closes too
//   unsent                                    answers that wait for the peer to take them
//
// A tick looks at the first of each queue and at nobody else (deadline-queue.ts): idle connections cost nothing.
import type { HttpLimits } from '../limits.js';
import { DeadlineQueue } from './deadline-queue.js';

/** The clock is looked at this often, at least and at most; time-outs are that coarse. */
const TICK_MS_MAX = 250;
const TICK_MS_MIN = 10;
/** A time-out is noticed within this fraction of itself, above `TICK_MS_MIN`. */
const TICKS_PER_TIMEOUT = 4;
/** Unsent answers are looked at this often before the connection is cut: none of it may have been taken meanwhile. */
export const UNSENT_CHECKS = 4;

/** The coarse clock of a server's sessions. */
export class SessionClock {
  /** Milliseconds on a clock that only goes forward, as of the last tick. */
  nowMs = 0;
  /** Idle: for the next request. */
  readonly request = new DeadlineQueue();
  readonly head = new DeadlineQueue();
  readonly body = new DeadlineQueue();
  readonly linger = new DeadlineQueue();
  readonly unsent = new DeadlineQueue();
  private timer: NodeJS.Timeout | undefined;
  private tickedAtMs = 0;
  private tickMs = TICK_MS_MAX;

  /**
   * @param idleTimeoutMs how long a connection may be idle, as things are
   * @param onTick called with each tick
   */
  constructor(
    private readonly limits: HttpLimits,
    private readonly idleTimeoutMs: () => number,
    private readonly onTick: () => void,
  ) {}

  /** Runs until `stop()`. @param isDraining so that connections need not wait long for their end */
  start(isDraining: boolean): void {
    this.stop();
    this.tickMs = tickOf(this.limits, isDraining);
    this.tickedAtMs = performance.now();
    this.onTick();
    this.timer = setInterval(() => this.tick(), this.tickMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  get isRunning(): boolean {
    return this.timer !== undefined;
  }

  private tick(): void {
    const { limits } = this;
    this.setTime();
    this.onTick();
    const { nowMs } = this;
    this.request.expire(nowMs, this.idleTimeoutMs());
    this.head.expire(nowMs, limits.headTimeoutMs);
    this.body.expire(nowMs, limits.bodyTimeoutMs);
    this.linger.expire(nowMs, limits.lingerTimeoutMs);
    this.unsent.expire(nowMs, limits.writeTimeoutMs / UNSENT_CHECKS);
  }

  /**
   * After a stall of this thread timers run before sockets are read, so peers would be blamed for bytes that came in
   * time and wait to be read: a stall counts as two ticks, however long it was.
   */
  private setTime(): void {
    const atMs = performance.now();
    this.nowMs += Math.min(atMs - this.tickedAtMs, 2 * this.tickMs);
    this.tickedAtMs = atMs;
  }
}

/** The shortest time-out that can come says how often to look; that of draining comes only then. */
function tickOf(limits: HttpLimits, isDraining: boolean): number {
  const { drainIdleTimeoutMs, ...others } = limits;
  const timeouts = Object.entries(isDraining ? limits : others)
    .filter(([name, value]) => name.endsWith('TimeoutMs') && value > 0)
    .map(([, value]) => value);
  const wantedMs = Math.min(...timeouts) / TICKS_PER_TIMEOUT;
  return Math.max(TICK_MS_MIN, Math.min(TICK_MS_MAX, wantedMs));
}
