// interrupts.ts: what Ctrl-C means: the first ends the measurement and keeps what there is, the second ends everything.
//
//   terminal ── SIGINT ──► every process of the group: npm, this one, …
//                          npm ── SIGINT, once more ──► this one
//
// So one Ctrl-C arrives here twice, a moment apart, and only a later one is the user's second.

import type { EventEmitter } from 'node:events';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Longer than npm takes to pass a signal on, shorter than anyone takes to press the keys again and mean it. */
const ECHO_MS = 500;

/** What to do. */
export interface InterruptHandlers {
  readonly first: () => void;
  readonly second: () => void;
}

/** @param source the process; @param now in milliseconds */
export function onInterrupts(
  { first, second }: InterruptHandlers,
  source: EventEmitter = process,
  now: () => number = () => performance.now(),
): void {
  let firstMs: number | undefined;
  const onSignal = (): void => {
    if (firstMs === undefined) {
      firstMs = now();
      first();
    } else if (now() - firstMs > ECHO_MS) second();
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
}
