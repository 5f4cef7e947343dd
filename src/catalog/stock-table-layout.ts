// stock-table-layout.ts: where the parts of the table of toys lie in shared memory. What they are: stock-table.ts.

import { SharedRwLock } from '../lock/index.js';

/** Front ends that can hold toys at a time: the bits of a word. */
export const HOLDER_SLOTS = 32;

export const HEADER_WORDS = 16;
export const SLOT_WORDS = 2;
/** Behind the lock's words, at a place where doubles may stand. */
export const HEADER_AT = Math.ceil((SharedRwLock.WORDS * 4) / 8) * 8;

/** Where each part of the table begins, in bytes. */
interface Layout {
  readonly holderNumbers: number;
  readonly prices: number;
  readonly slots: number;
  readonly nameEnds: number;
  readonly shown: number;
  readonly holders: number;
  readonly changing: number;
  readonly asked: number;
  readonly holdStates: number;
  readonly names: number;
  readonly end: number;
}

export function layOut(toys: number, slots: number, namesBytes: number): Layout {
  const holderNumbers = HEADER_AT + HEADER_WORDS * 4;
  const prices = holderNumbers + HOLDER_SLOTS * 8;
  const slotsAt = prices + toys * 8;
  const nameEnds = slotsAt + slots * SLOT_WORDS * 4;
  const shown = nameEnds + (toys + 1) * 4;
  const holders = shown + toys * 4;
  const changing = holders + toys * 4;
  const asked = changing + toys * 4;
  const holdStates = asked + toys * 4;
  const names = holdStates + toys * 4;
  const end = names + namesBytes;
  return { holderNumbers, prices, slots: slotsAt, nameEnds, shown, holders, changing, asked, holdStates, names, end };
}
