import type { Steps } from '../support/schedules.js';

const FREE = 0;
const TAKEN = 1;

/** Takes the lock, or sleeps until it is free and tries again. */
export function* acquire(): Steps {
  for (;;) {
    const seen = yield { do: 'load' };
    if (seen === FREE) {
      yield { do: 'store', value: TAKEN };
      return;
    }
    yield { do: 'wait', expected: TAKEN };
  }
}

export function* release(): Steps {
  yield { do: 'store', value: FREE };
  yield { do: 'notify' };
}
