// pause.ts: waiting, on the clock that is passed in.

import type { Clock } from '../clock.js';

/** Resolves after `delayMs`. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
