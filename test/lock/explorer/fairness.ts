// fairness.ts: what no change of a lock's state may do to those who have lost patience (see lock-explorer.ts).

import {
  GRANTED,
  IMPATIENT_READERS,
  IMPATIENT_WRITERS,
  PHASE,
  READER,
  READERS,
  STRICT,
  WRITER,
} from '../../../src/lock/lock-layout.js';
import type { ThreadSituation } from './situation.js';

/** Something happened that must not. */
export class Violation extends Error {}

/**
 * Looks at one change of the state word, and counts the crowds of readers let in.
 * @param isWaiting whether the thread that makes the change has lined up
 */
export function checkFairness(
  threads: readonly ThreadSituation[],
  isWaiting: boolean,
  before: number,
  after: number,
): void {
  const goesIn = after - before === READER || after - before === WRITER;
  if (goesIn && !isWaiting && (before & STRICT) !== 0) {
    throw new Violation('not phase-fair: one who came along went in past an impatient waiter');
  }
  const isLetIn = ((before ^ after) & PHASE) !== 0;
  const isImpatientWriterPassed = isWaiting && (before & IMPATIENT_WRITERS) !== 0 && (before & GRANTED) === 0;
  if (isImpatientWriterPassed && !isLetIn && ((after & READERS) > (before & READERS) || after & ~before & WRITER)) {
    throw new Violation('not phase-fair: a patient waiter went in past an impatient writer');
  }
  if (isLetIn) {
    if ((before & IMPATIENT_WRITERS) !== 0 && (before & IMPATIENT_READERS) === 0) {
      throw new Violation('not phase-fair: patient readers were let in before an impatient writer');
    }
    for (const other of threads) {
      // Readers that are let in wait no more, though they may not know it yet.
      other.writersPassed = -1;
      if (other.crowdsPassed < 0) continue;
      other.crowdsPassed += 1;
      if (other.crowdsPassed > 1) {
        throw new Violation('not phase-fair: readers were let in twice while an impatient writer waited');
      }
    }
  }
  if ((after & STRICT) !== 0 && (after & (WRITER | READERS)) === 0) {
    throw new Violation('not phase-fair: free although somebody is impatient');
  }
  if ((after & GRANTED) !== 0 && ((after & WRITER) === 0 || (after & IMPATIENT_WRITERS) === 0)) {
    throw new Violation('granted to nobody');
  }
}
