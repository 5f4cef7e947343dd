// store-id.ts: what a store is called in the tags of its orders, so that no other store's order log is taken for its own.

import { randomInt } from 'node:crypto';

/** Few enough to be typed, and enough that two stores never have the same one. */
const CHARACTERS = 8;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function newStoreId(): string {
  return Array.from({ length: CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]!).join('');
}
