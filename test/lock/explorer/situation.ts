// situation.ts: everything that the lock explorer knows at one moment of one schedule, and how it tells whether it has
// been there before. There are millions, so they are told apart by short strings.

export interface ThreadSituation {
  place: number;
  asleep: boolean;
  isDead: boolean;
  inside: 'read' | 'write' | '';
  /** The event word that it has read last, to sleep on; negative if that has been counted up since; 0 for none. */
  seenEvent: number;
  /** -1, or how many writers went in since this reader lost patience. */
  writersPassed: number;
  /** -1, or how many crowds of readers were let in since this writer lost patience, or since a writer went in. */
  crowdsPassed: number;
}

export interface Situation {
  state: number;
  spuriousLeft: number;
  threads: ThreadSituation[];
}

/** What is left of 31 bits for the place, beside the rest of a thread's situation. */
const PLACE_BITS = 21;

/** It waits no more, or has not lost patience yet. */
export function forgetWait(thread: ThreadSituation): void {
  thread.writersPassed = -1;
  thread.crowdsPassed = -1;
}

/**
 * A string for each situation, and the same one only for those between which there is no difference.
 * @param twins for each thread the first one that it may trade places with
 */
export function keyOf({ state, spuriousLeft, threads }: Situation, twins: readonly number[]): string {
  const codes = threads.map(codeOf);
  for (let index = 1; index < codes.length; index += 1) {
    // Sorted within each group of twins, which stand side by side.
    for (let place = index; place > 0 && twins[place - 1] === twins[index] && codes[place - 1]! > codes[place]!; ) {
      [codes[place - 1], codes[place]] = [codes[place]!, codes[place - 1]!];
      place -= 1;
    }
  }
  let key = String.fromCharCode(state >>> 16, state & 0xffff, spuriousLeft);
  for (const code of codes) key += String.fromCharCode(code >>> 16, code & 0xffff);
  return key;
}

/** All about one thread in 31 bits. */
function codeOf({ place, asleep, isDead, inside, seenEvent, writersPassed, crowdsPassed }: ThreadSituation): number {
  if (place >= 1 << PLACE_BITS) throw new Error('more places than the key has room for');
  let code = place;
  code = code * 2 + (asleep ? 1 : 0);
  code = code * 2 + (isDead ? 1 : 0);
  code = code * 3 + (inside === '' ? 0 : inside === 'read' ? 1 : 2);
  code = code * 7 + (seenEvent + 3);
  code = code * 3 + (writersPassed + 1);
  return code * 3 + (crowdsPassed + 1);
}
