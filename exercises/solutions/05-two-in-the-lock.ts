import type { Steps } from '../support/schedules.js';

const FREE = 0;
const TAKEN = 1;

/** To look and to take must be one step: another thread's runs between any two. */
export function* acquire(): Steps {
  while ((yield { do: 'compareExchange', expected: FREE, value: TAKEN }) !== FREE) {
    yield { do: 'wait', expected: TAKEN };
  }
}

export function* release(): Steps {
  yield { do: 'store', value: FREE };
  yield { do: 'notify' };
}
