// order-clock.ts: the time that the order logic sees, so that a simulation can move it by hand.

export interface OrderClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once, after `delayMs`; the function that comes back takes that back. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's own clock. Its timers do not keep the process alive: sockets do. */
export const systemClock: OrderClock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. */
export function pause(clock: OrderClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}
