// store-contract.ts: the words and bounds that all three services share: they are the contract's, and stand in proto/ too.
//
// A service never imports another one, so what they must agree on lies here, in the ground. Nothing here does any work
// beyond checking a value.

/** Longest name of a toy, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;
/** Longest idempotency key: visible ASCII characters, so bytes as well. */
export const KEY_CHARACTERS_MAX = 64;
/** Largest quantity of a toy, in stock or in one order: what 32 bits hold. */
export const QUANTITY_MAX = 0xffff_ffff;

/** A UTF-16 unit is three bytes of UTF-8 at most (a pair of them is four): shorter names need not be measured. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

/** Whether a text can be the name of a toy: 1 to NAME_BYTES_MAX bytes. */
export function isName(name: string): boolean {
  if (name === '') return false;
  return name.length * UTF8_BYTES_PER_UNIT_MAX <= NAME_BYTES_MAX || Buffer.byteLength(name) <= NAME_BYTES_MAX;
}

/** Whether a text can be a customer's key; '' stands for none and can be. */
export function isKey(key: string): boolean {
  return key.length <= KEY_CHARACTERS_MAX && VISIBLE_ASCII.test(key);
}

/** What a key begins with that a front end made up for its own retries: no customer's key can. */
export const MADE_UP_KEY_MARK = ' ';
const MADE_UP_KEY = /^ [A-Za-z0-9_-]+$/;

/** Whether a key was made up. It is needed for as long as its front end tries again, a customer's key for a day. */
export function isMadeUpKey(key: string): boolean {
  return key.startsWith(MADE_UP_KEY_MARK);
}

/** Whether a text can be the key of an order among the services: a customer's, one that was made up, or ''. */
export function isOrderKey(key: string): boolean {
  return isKey(key) || (key.length <= KEY_CHARACTERS_MAX && MADE_UP_KEY.test(key));
}

export function isOrderQuantity(quantity: number): boolean {
  return Number.isInteger(quantity) && quantity >= 1 && quantity <= QUANTITY_MAX;
}

/** A price as it is written: 1999 cents are 19.99, 1950 are 19.5, 1900 are 19. */
export function priceText(cents: number): string {
  return String(cents / 100);
}

/**
 * What became of a find, a purchase or an order: the numbers of proto/toystore/v1.
 *
 * OPEN never travels: the purchase was sent, and whether it sold will be known later under its key.
 */
export const RESULT = {
  /** Found, or sold. */
  DONE: 0,
  UNKNOWN_TOY: -1,
  NOT_ENOUGH_STOCK: -2,
  /** The key belongs to another order. */
  KEY_TAKEN: -3,
  /** Nothing was sold, because nothing is sold just now. */
  NOT_SELLING: -4,
  OPEN: -5,
  /** A field is out of its bounds. */
  INVALID: -6,
  /** Sold, of a toy that is delegated to the front end it was ordered through: that one takes it from what it shows. */
  DELEGATED: 1,
} as const;

export type Result = (typeof RESULT)[keyof typeof RESULT];

const RESULT_NAMES = new Map<number, string>(Object.entries(RESULT).map(([name, result]) => [result, name]));

/** The name of a result, for people: `NOT_ENOUGH_STOCK`. */
export function resultName(result: number): string {
  return RESULT_NAMES.get(result) ?? String(result);
}

/**
 * Ties an order to the sale that it came from. Incarnations are given by the catalog, one for each start of the order
 * service; sequences count from 1 within each.
 */
export interface Tag {
  readonly incarnation: number;
  readonly sequence: number;
}

/** Whether a result says that something was sold. */
export function isSold(result: number): boolean {
  return result === RESULT.DONE || result === RESULT.DELEGATED;
}

/** Purchases under consecutive tags, in the words of the interface: the one at index i has firstSequence + i. */
export interface PurchaseBatch<Purchase> {
  readonly incarnation: number;
  readonly firstSequence: number;
  /** All tags up to this one have an outcome that is on the order service's disk. */
  readonly settledSequence: number;
  readonly purchases: readonly Purchase[];
  /** The front end that ordered all of them, as Watch has named it, where nobody else may learn of them: sales of what it
   *  holds may be delegated to it. 0 or left out: none. */
  readonly holder?: number;
  /** The answer waits until no toy is delegated of those that are by now. */
  readonly recall?: boolean;
}

/** The tag before all tags: what an empty log says it holds. */
export const NO_TAG: Tag = { incarnation: 0, sequence: 0 };

/** Less than, equal, greater than zero: as `left` is before, the same as, or after `right`. */
export function compareTags(left: Tag, right: Tag): number {
  return left.incarnation - right.incarnation || left.sequence - right.sequence;
}
