import type { Steps } from '../support/schedules.js';

const FREE = 0;
const TAKEN = 1;
/** Taken, and somebody may sleep: whoever releases has to wake one. */
const AWAITED = 2;

/**
 * Two faults. Whoever has slept cannot know whether it was the only one, so it takes the lock as awaited: with TAKEN the
 * others would sleep on, unknown to whoever releases. And to look and to set free must be one step (below).
 */
export function* acquire(): Steps {
  let seen = yield { do: 'compareExchange', expected: FREE, value: TAKEN };
  while (seen !== FREE) {
    if (seen === TAKEN) yield { do: 'compareExchange', expected: TAKEN, value: AWAITED };
    yield { do: 'wait', expected: AWAITED };
    seen = yield { do: 'compareExchange', expected: FREE, value: AWAITED };
  }
}

export function* release(): Steps {
  // Only the holder sets free, so the word is TAKEN or AWAITED; it may become AWAITED until the very moment.
  const seen = yield { do: 'compareExchange', expected: TAKEN, value: FREE };
  if (seen === TAKEN) return;
  yield { do: 'store', value: FREE };
  yield { do: 'notify' };
}
