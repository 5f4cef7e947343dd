// toys.ts: what every measured store and every peer sells, and more of it than any run can sell.

/** The six toys of the repository's toys.csv. */
export const TOYS: readonly string[] = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'];
export const PRICE_CENTS = 1599;
/** The most that a toy may have. */
export const STOCK = 4_294_967_295;

/** The text of a toys.csv. */
export function toysCsv(names: readonly string[] = TOYS): string {
  return `name,price,quantity\n${names.map((name) => `${name},${PRICE_CENTS / 100},${STOCK}\n`).join('')}`;
}
