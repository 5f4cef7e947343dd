import test from 'ava';
import { explore, type Steps } from '../support/schedules.js';
import { acquire, release } from './lock.js';

function* program(): Steps {
  yield* acquire();
  yield { do: 'enter' };
  yield { do: 'leave' };
  yield* release();
}

for (const threads of [1, 2, 3]) {
  test(`${threads} threads, every schedule`, (t) => t.is(explore(threads, program), undefined));
}
