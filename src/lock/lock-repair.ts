// lock-repair.ts: undoes what the holders of a dead thread were doing to a SharedRwLock. What each was doing stands
// in its word; the state word is changed as that holder itself would have changed it next.
//
//   reading                     releases
//   writing                     lets the caller restore the data, then releases
//   waiting to write            stops waiting; if what was granted can only be its own, takes that and releases
//   waiting to read             stops waiting; if it has been let in, releases

import {
  AWAITING_WRITE,
  afterGivingUp,
  afterReader,
  afterWriter,
  awaitingReadIn,
  DOING,
  FIRST_HOLDER_WORD,
  GRANTED,
  HOLDER_SHIFT,
  IDLE,
  IMPATIENT,
  IMPATIENT_WRITER,
  IMPATIENT_WRITERS,
  LOCK_WORDS,
  READING,
  STATE_WORD,
  WAITING_READER,
  WAITING_WRITER,
  WOKEN,
  WRITING,
} from './lock-layout.js';
import type { LockMachine } from './lock-machine.js';

/** What repair() found that a dead thread was doing. */
export interface LockRepair {
  readonly readsEnded: number;
  /** True: the data under the lock may have been left half-written. */
  readonly wasWriting: boolean;
  readonly waitsEnded: number;
}

/** What was thrown; it may be undefined, so it is kept in a box. */
interface RestoreFailure {
  readonly error: unknown;
}

/**
 * Frees the holders of a thread. It wakes nobody: the caller wakes everybody, and then throws what `restore` has thrown.
 */
export function repairHolders(
  machine: LockMachine,
  words: Int32Array,
  deadThreadId: number,
  restore: () => void,
): LockRepair & { readonly restoreFailure: RestoreFailure | undefined } {
  let readsEnded = 0;
  let wasWriting = false;
  let waitsEnded = 0;
  let restoreFailure: RestoreFailure | undefined;
  const change = (next: (state: number) => number) => {
    for (;;) {
      const state = machine.load(words, STATE_WORD);
      if (machine.compareExchange(words, STATE_WORD, state, next(state)) === state) return;
    }
  };
  for (let word = FIRST_HOLDER_WORD; word < LOCK_WORDS; word += 1) {
    const holder = machine.load(words, word);
    if (holder >> HOLDER_SHIFT !== deadThreadId + 1) continue;
    const doing = holder & DOING;
    switch (doing) {
      case READING:
        readsEnded += 1;
        change(afterReader);
        break;
      case WRITING:
        wasWriting = true;
        try {
          restore();
        } catch (error) {
          restoreFailure = { error };
        }
        change(afterWriter);
        break;
      case AWAITING_WRITE:
        waitsEnded += 1;
        change((state) => state - WAITING_WRITER);
        break;
      case AWAITING_WRITE | IMPATIENT:
        waitsEnded += 1;
        change(withoutImpatientWriter);
        break;
      default:
        if (doing === IDLE) break;
        waitsEnded += 1;
        change((state) =>
          awaitingReadIn(state) === (doing & ~IMPATIENT) ? afterGivingUp(state - WAITING_READER) : afterReader(state),
        );
        break;
    }
    machine.compareExchange(words, word, holder, 0);
  }
  // Whoever was awake may be dead.
  change((state) => state & ~WOKEN);
  return { readsEnded, wasWriting, waitsEnded, restoreFailure };
}

function withoutImpatientWriter(state: number): number {
  const others = (state & IMPATIENT_WRITERS) - IMPATIENT_WRITER;
  return (state & GRANTED) !== 0 && others === 0
    ? afterWriter(state - GRANTED - IMPATIENT_WRITER)
    : state - WAITING_WRITER - IMPATIENT_WRITER;
}
