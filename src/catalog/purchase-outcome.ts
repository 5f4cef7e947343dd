// purchase-outcome.ts: what may come of a purchase, with the numbers of the interface.

/** Sold: the quantity has left the stock. */
export const SOLD = 0;
/** There is no toy of that name. */
export const UNKNOWN_TOY = -1;
/** Fewer are left than were asked for. */
export const NOT_ENOUGH_STOCK = -2;
/** The store cannot write and sells nothing now. Nothing was sold, and a purchase under a tag never will be. */
export const NOT_SELLING = -4;

export type PurchaseOutcome = typeof SOLD | typeof UNKNOWN_TOY | typeof NOT_ENOUGH_STOCK | typeof NOT_SELLING;
