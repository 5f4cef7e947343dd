import type { Steps } from '../support/schedules.js';

const FREE = 0;
const TAKEN = 1;
/** Taken, and somebody may sleep: whoever releases has to wake one. */
const AWAITED = 2;

/** Takes the lock, or sleeps until it is free and tries again. */
export function* acquire(): Steps {
  let seen = yield { do: 'compareExchange', expected: FREE, value: TAKEN };
  while (seen !== FREE) {
    if (seen === TAKEN) yield { do: 'compareExchange', expected: TAKEN, value: AWAITED };
    yield { do: 'wait', expected: AWAITED };
    seen = yield { do: 'compareExchange', expected: FREE, value: TAKEN };
  }
}

/** A wake-up costs far more than a look at memory: nobody is woken where nobody sleeps. */
export function* release(): Steps {
  const seen = yield { do: 'load' };
  yield { do: 'store', value: FREE };
  if (seen === AWAITED) yield { do: 'notify' };
}
