// shelf.ts: the toys that a run of chaos sells: plenty of some, so that selling never ends, and few of others, so that
// refusals are part of it from the first second.

import { stringify } from 'csv-stringify/sync';

export interface ChaosToy {
  readonly name: string;
  /** Before the first order. */
  readonly stock: number;
}

/** The plentiful ones first: they are bought most. Names that CSV must quote and URLs must encode are among them; so are the largest stock, the last toy and none. */
export const CHAOS_SHELF: readonly ChaosToy[] = [
  { name: 'Tux', stock: 4_294_967_295 },
  { name: 'Whale', stock: 1_000_000 },
  { name: 'Elephant', stock: 20_000 },
  { name: 'Bear, brown', stock: 700 },
  { name: 'Füchschen "Filou"', stock: 150 },
  { name: 'Python', stock: 40 },
  { name: 'Last one', stock: 1 },
  { name: 'Sold out', stock: 0 },
];

/** A toy that no shelf has. */
export const UNKNOWN_TOY = 'Unicorn';

/** The text of a seed file. */
export function seedCsv(shelf: readonly ChaosToy[]): string {
  return stringify([['name', 'price', 'quantity'], ...shelf.map(({ name, stock }) => [name, '9.99', String(stock)])]);
}
