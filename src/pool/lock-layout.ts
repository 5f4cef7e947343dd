// lock-layout.ts: the memory of one SharedRwLock: 64 words of 32 bits, all 0 when the lock is new and free.
//
//   word   0      state, below
//   word   1      reader event: counted up before waiting readers are woken; they sleep on it
//   word   2      writer event: the same for writers
//   words  3..7   unused
//   words  8..63  one per holder: who it is and what it does, so that repair() can undo it after its thread's death
//
// state, the whole truth in one word, so that every step of the algorithm is one compare-exchange:
//
//   bit   23       22        21      20..14            13..7             6..0
//       | phase | granted | writer | waiting writers | waiting readers | readers |
//
//   readers          hold the lock for reading; readers let in but not yet awake are counted already
//   waiting readers  asleep or about to be, not let in yet
//   waiting writers  the same for writers; while there is one, no new reader gets in
//   writer           held for writing, or granted
//   granted          handed to a waiting writer that has not taken it yet: whichever of them looks first takes it
//   phase            flips when a releasing writer lets in all waiting readers; a reader that waits compares it with
//                    the phase it began to wait in. One bit is enough: the phase cannot flip again before each reader
//                    that was let in has noticed and released: only a writer flips it, and readers keep writers out
//
// Everything stays below bit 30, so V8 keeps each value as a small integer and allocates nothing.

/** Words of one lock. */
export const LOCK_WORDS = 64;

export const STATE_WORD = 0;
export const READER_EVENT_WORD = 1;
export const WRITER_EVENT_WORD = 2;
export const FIRST_HOLDER_WORD = 8;
/** How many holders (lock objects, all threads together) one lock can have: fits each 7-bit count of the state word. */
export const HOLDERS_MAX = LOCK_WORDS - FIRST_HOLDER_WORD;

export const READER = 1;
export const READERS = 0x7f;
export const WAITING_READER = 1 << 7;
export const WAITING_READERS = 0x7f << 7;
export const WAITING_WRITER = 1 << 14;
export const WAITING_WRITERS = 0x7f << 14;
export const WRITER = 1 << 21;
export const GRANTED = 1 << 22;
export const PHASE = 1 << 23;

/** Any of these keeps a reader out. */
export const KEEPS_READERS_OUT = WRITER | WAITING_WRITERS;
/** Any of these keeps a writer out. */
export const KEEPS_WRITERS_OUT = WRITER | READERS;

// A holder's word: (thread id + 1) << 3 | what it does. 0 is a free place.
export const HOLDER_SHIFT = 3;
export const DOING = 0b111;
export const IDLE = 0;
export const READING = 1;
export const WRITING = 2;
export const AWAITING_WRITE = 3;
/** Waiting to read since phase 0, and since phase 1. */
export const AWAITING_READ_0 = 4;
export const AWAITING_READ_1 = 5;

/** What a reader that begins to wait in this state is doing. */
export function awaitingReadIn(state: number): number {
  return (state & PHASE) === 0 ? AWAITING_READ_0 : AWAITING_READ_1;
}

/** The state after one reader leaves; the last one hands the lock to a waiting writer. */
export function afterReader(state: number): number {
  const left = state - READER;
  return (left & READERS) === 0 && (left & WAITING_WRITERS) !== 0 ? left - WAITING_WRITER + WRITER + GRANTED : left;
}

/** The state after the writer leaves: all readers that wait go first, else one writer, else it is free. */
export function afterWriter(state: number): number {
  const waitingReaders = (state & WAITING_READERS) / WAITING_READER;
  if (waitingReaders > 0) return ((state - WRITER) ^ PHASE) - waitingReaders * (WAITING_READER - READER);
  if ((state & WAITING_WRITERS) !== 0) return state - WAITING_WRITER + GRANTED;
  return state - WRITER;
}
