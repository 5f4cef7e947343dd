// lock-layout.ts: the memory of one SharedRwLock: 64 words of 32 bits, all 0 when the lock is new and free.
//
//   word   0      state, below
//   word   1      reader event: counted up before waiting readers are woken; they sleep on it
//   word   2      writer event: the same for patient writers
//   word   3      impatient event: the same for impatient writers
//   words  4..7   unused
//   words  8..63  one per holder: who it is and what it does, so that repair() can undo it after its thread's death
//
// state, the whole truth in one word, so that every step of the algorithm is one compare-exchange:
//
//   bit  28      27          26      25        24       23..18      17..12    11..6     5..0
//       | woken | impatient | phase | granted | writer | impatient | waiting | waiting | readers |
//       |       |  readers  |       |         |        |  writers  | writers | readers |         |
//
//   readers            hold the lock for reading; readers let in but not yet awake are counted already
//   waiting readers    have lined up and have not been let in
//   waiting writers    the same for writers, impatient ones included
//   impatient writers  of those, and of the one that was granted the lock, so many have lost patience
//   writer             held for writing, or granted
//   granted            handed to an impatient writer that has not taken it yet: whichever of them looks first takes it
//   phase              flips when all waiting readers are let in; a reader that waits compares it with the phase it
//                      began to wait in. One bit is enough: the phase cannot flip again before each reader that was
//                      let in has noticed and released, since it flips only when the last holder leaves
//   impatient readers  one or more of the waiting readers has lost patience
//   woken              a waiter is awake, and will look at the state before it sleeps (again): nobody else need be
//                      woken when the lock comes free
//
// Everything stays below bit 30, so V8 keeps each value as a small integer and allocates nothing.

export const LOCK_WORDS = 64;

export const STATE_WORD = 0;
export const READER_EVENT_WORD = 1;
export const WRITER_EVENT_WORD = 2;
export const IMPATIENT_EVENT_WORD = 3;
export const FIRST_HOLDER_WORD = 8;
/** How many holders (lock objects, all threads together) one lock can have: fits each 6-bit count of the state word. */
export const HOLDERS_MAX = LOCK_WORDS - FIRST_HOLDER_WORD;

export const READER = 1;
export const READERS = 0x3f;
export const WAITING_READER = 1 << 6;
export const WAITING_READERS = 0x3f << 6;
export const WAITING_WRITER = 1 << 12;
export const WAITING_WRITERS = 0x3f << 12;
export const IMPATIENT_WRITER = 1 << 18;
export const IMPATIENT_WRITERS = 0x3f << 18;
export const WRITER = 1 << 24;
export const GRANTED = 1 << 25;
export const PHASE = 1 << 26;
export const IMPATIENT_READERS = 1 << 27;
export const WOKEN = 1 << 28;

/** Somebody has lost patience: the lock is never free then, but handed over, until that one has had it. */
export const STRICT = IMPATIENT_READERS | IMPATIENT_WRITERS;
/** Any of these keeps a reader out that comes along; and one that has lined up. */
export const KEEPS_READERS_OUT = WRITER | STRICT;
export const KEEPS_WAITING_READERS_OUT = WRITER | IMPATIENT_WRITERS;
/** Any of these keeps a writer out, whether it comes along or has lined up. */
export const KEEPS_WRITERS_OUT = WRITER | READERS;

// A holder's word: (thread id + 1) << 4 | what it does. 0 is a free place.
export const HOLDER_SHIFT = 4;
export const DOING = 0b1111;
export const IDLE = 0;
export const READING = 1;
export const WRITING = 2;
export const AWAITING_WRITE = 3;
/** Waiting to read since phase 0, and since phase 1. */
const AWAITING_READ_0 = 4;
const AWAITING_READ_1 = 5;
/** Added to one of the last three: it has lost patience. */
export const IMPATIENT = 0b1000;

/** What a reader that begins to wait in this state is doing. */
export function awaitingReadIn(state: number): number {
  return (state & PHASE) === 0 ? AWAITING_READ_0 : AWAITING_READ_1;
}

/** Whether one that waits holds the lock already without having noticed; or, of several writers, may take it. */
export function isLetIn(state: number, doing: number): boolean {
  switch (doing) {
    case AWAITING_WRITE:
      return false;
    case AWAITING_WRITE | IMPATIENT:
      return (state & GRANTED) !== 0;
    default:
      return awaitingReadIn(state) !== (doing & ~IMPATIENT);
  }
}

/** Whether one that waits holds the lock already, or nothing keeps it out. */
export function canEnter(state: number, doing: number): boolean {
  const keepsOut = (doing & ~IMPATIENT) === AWAITING_WRITE ? KEEPS_WRITERS_OUT : KEEPS_WAITING_READERS_OUT;
  return isLetIn(state, doing) || (state & keepsOut) === 0;
}

/** The state after one reader leaves. The last one hands over to an impatient writer, else to impatient readers. */
export function afterReader(state: number): number {
  const left = state - READER;
  if ((left & READERS) !== 0) return left;
  if ((left & IMPATIENT_WRITERS) !== 0) return granted(left);
  return (left & IMPATIENT_READERS) !== 0 ? allReadersLetIn(left) : upForGrabs(left);
}

/** The state after the writer leaves. It hands over to all readers if one is impatient, else to an impatient writer. */
export function afterWriter(state: number): number {
  const left = state - WRITER;
  if ((left & IMPATIENT_READERS) !== 0) return allReadersLetIn(left);
  return (left & IMPATIENT_WRITERS) !== 0 ? granted(left) : upForGrabs(left);
}

/** The state after one that waited has given up: those whom it kept out, or who rely on its being awake, must look. */
export function afterGivingUp(state: number): number {
  const left = (state & WAITING_READERS) === 0 ? state & ~IMPATIENT_READERS : state;
  return canReadersEnter(left) || canWriterEnter(left) ? left | WOKEN : left & ~WOKEN;
}

/** Whether readers wait and nothing keeps them out. */
export function canReadersEnter(state: number): boolean {
  return (state & WAITING_READERS) !== 0 && (state & KEEPS_WAITING_READERS_OUT) === 0;
}

/** Whether writers wait and nothing keeps them out. */
export function canWriterEnter(state: number): boolean {
  return (state & WAITING_WRITERS) !== 0 && (state & KEEPS_WRITERS_OUT) === 0;
}

function granted(free: number): number {
  return (free - WAITING_WRITER + WRITER + GRANTED) & ~WOKEN;
}

function allReadersLetIn(free: number): number {
  const waiting = (free & WAITING_READERS) / WAITING_READER;
  return ((free ^ PHASE) - waiting * (WAITING_READER - READER)) & ~(IMPATIENT_READERS | WOKEN);
}

/** Somebody must be awake to take it, if anybody waits. */
function upForGrabs(free: number): number {
  return (free & (WAITING_READERS | WAITING_WRITERS)) !== 0 ? free | WOKEN : free;
}
