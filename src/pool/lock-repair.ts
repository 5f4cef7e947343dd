// lock-repair.ts: undoes what the holders of a dead thread were doing to a SharedRwLock. What each was doing stands
// in its word; the state word is changed as that holder itself would have changed it next.
//
//   reading                     releases
//   writing                     lets the caller restore the data, then releases
//   waiting to write            stops waiting; if the only grant left must be its own, takes that and releases
//   waiting to read             stops waiting; if it has been let in, releases

import {
  AWAITING_READ_0,
  AWAITING_READ_1,
  AWAITING_WRITE,
  afterReader,
  afterWriter,
  awaitingReadIn,
  DOING,
  FIRST_HOLDER_WORD,
  GRANTED,
  HOLDER_SHIFT,
  HOLDERS_MAX,
  READING,
  STATE_WORD,
  WAITING_READER,
  WAITING_WRITER,
  WAITING_WRITERS,
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

/** Frees the holders of a thread. It wakes nobody: the caller wakes everybody. */
export function repairHolders(
  machine: LockMachine,
  words: Int32Array,
  firstWord: number,
  deadThreadId: number,
  restore: () => void,
): LockRepair {
  let readsEnded = 0;
  let wasWriting = false;
  let waitsEnded = 0;
  const change = (next: (state: number) => number) => {
    for (;;) {
      const state = machine.load(words, firstWord + STATE_WORD);
      if (machine.compareExchange(words, firstWord + STATE_WORD, state, next(state)) === state) return;
    }
  };
  for (let index = 0; index < HOLDERS_MAX; index += 1) {
    const word = firstWord + FIRST_HOLDER_WORD + index;
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
        } finally {
          change(afterWriter);
        }
        break;
      case AWAITING_WRITE:
        waitsEnded += 1;
        change(withoutWaitingWriter);
        break;
      case AWAITING_READ_0:
      case AWAITING_READ_1:
        waitsEnded += 1;
        change((state) => (awaitingReadIn(state) === doing ? state - WAITING_READER : afterReader(state)));
        break;
    }
    machine.compareExchange(words, word, holder, 0);
  }
  return { readsEnded, wasWriting, waitsEnded };
}

function withoutWaitingWriter(state: number): number {
  return (state & WAITING_WRITERS) !== 0 ? state - WAITING_WRITER : afterWriter(state - GRANTED);
}
