// clock.ts: time and timers behind one interface, so that tests can move them by hand.
//
// Only what decides something by time takes a Clock (a probe, a period, a deadline); what merely measures a duration for
// a log line may ask it too, so that a simulated run prints the same lines every time.

/** A timer that has been set. Cancelling one that has fired, or was cancelled, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, as a wall clock shows them; may jump either way. */
  wallMs(): number;
  /** Milliseconds since some fixed moment, fractions included; never goes back. */
  monotonicMs(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now or a little later; never before `after` returns. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The machine's own clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** Resolves after that time, or earlier when `ending` is aborted. */
export function pause(clock: Clock, delayMs: number, ending?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      timer.cancel();
      ending?.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.after(delayMs, over);
    ending?.addEventListener('abort', over);
  });
}

const US_PER_SECOND = 1e6;
const NS_PER_US = 1e3;

/**
 * Microseconds on the one clock that all threads of a process share: whole, below 2^53 for any uptime. performance.now()
 * starts at 0 in each thread, so a time taken in one means nothing in another.
 */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * US_PER_SECOND + Math.floor(nanoseconds / NS_PER_US);
}
