// books.ts: what must always hold when all services are up and idle, line by line:
//
//   1  order numbers are 0..n-1 without gap or repeat
//   2  initial stock - current stock = the sum of the orders, for every toy, by the queries and by catalog.csv
//   3  every number that a buyer was given is in the log with that toy, quantity and key, and is nobody else's
//   4  no key is in the log twice, the front end's own included, and none whose buyer was told that nothing was sold
//   5  of the orders without a key as many are in the log as were told, and no more than were sent
//
// Pure: from both sides of the books to the sentences that say what is wrong. Reading them is book-reader.ts.

import { type ChaosNotes, nameOf, type Wish } from './chaos-notes.js';
import type { ChaosToy } from './shelf.js';

/** A row of orders.csv. */
export interface OrderRow {
  readonly number: number;
  readonly name: string;
  readonly quantity: number;
  /**
   * The buyer's key, or the front end's own where it had none. In orders.csv they stand in columns of their own, but for
   * an order that was completed after a crash: the catalog does not know whose key it kept.
   */
  readonly key: string;
}

/** The store's side. */
export interface StoreBooks {
  readonly rows: readonly OrderRow[];
  /** Toy -> the stock that stands in catalog.csv. */
  readonly filed: ReadonlyMap<string, number>;
  /** Toy -> the stock that a query shows; undefined once the store has stopped. */
  readonly shown: ReadonlyMap<string, number> | undefined;
}

/** What is wrong, one sentence each; empty when the books are right. */
export function checkBooks(
  shelf: readonly ChaosToy[],
  books: StoreBooks,
  { wishes }: Pick<ChaosNotes, 'wishes'>,
): string[] {
  return [
    ...checkNumbers(books.rows),
    ...checkStock(shelf, books),
    ...checkToldNumbers(books.rows, wishes),
    ...checkKeys(books.rows, wishes),
    ...checkOrdersWithoutKey(books.rows, wishes),
  ];
}

function* checkNumbers(rows: readonly OrderRow[]): Generator<string> {
  for (const [index, { number }] of rows.entries()) {
    if (number !== index) yield `row ${index} of orders.csv has number ${number}`;
  }
}

function* checkStock(shelf: readonly ChaosToy[], { rows, filed, shown }: StoreBooks): Generator<string> {
  const sold = new Map<string, number>();
  for (const { name, quantity } of rows) sold.set(name, (sold.get(name) ?? 0) + quantity);
  for (const { name, stock } of shelf) {
    const left = stock - (sold.get(name) ?? 0);
    const sum = `${name}: ${stock} at first, the orders leave ${left}`;
    if (left < 0) yield `${sum}: more was sold than there was`;
    if (filed.get(name) !== left) yield `${sum}, but catalog.csv says ${filed.get(name)}`;
    if (shown !== undefined && shown.get(name) !== left) yield `${sum}, but a query shows ${shown.get(name)}`;
    sold.delete(name);
  }
  for (const name of sold.keys()) yield `${name}: in orders.csv, but not a toy of this store`;
}

function* checkToldNumbers(rows: readonly OrderRow[], wishes: readonly Wish[]): Generator<string> {
  const owners = new Map<number, Wish>();
  for (const wish of wishes) {
    const { number, key, toy, quantity } = wish;
    if (number === undefined) continue;
    const row = rows[number];
    if (row === undefined) {
      yield `${nameOf(wish)}: given number ${number}, which is not in orders.csv`;
    } else if (row.name !== toy || row.quantity !== quantity || (key ?? row.key) !== row.key) {
      yield `${nameOf(wish)}: given number ${number}, which is ${row.quantity} of ${row.name} for key "${row.key}"`;
    }
    const owner = owners.get(number);
    if (owner !== undefined) yield `number ${number} was given to ${nameOf(owner)} and to ${nameOf(wish)}`;
    owners.set(number, wish);
  }
}

function* checkKeys(rows: readonly OrderRow[], wishes: readonly Wish[]): Generator<string> {
  const byKey = new Map(wishes.map((wish) => [wish.key, wish]));
  const seen = new Map<string, number>();
  for (const { number, name, quantity, key } of rows) {
    const wish = byKey.get(key);
    const before = seen.get(key);
    seen.set(key, number);
    if (before !== undefined) yield `${key}: both order ${before} and order ${number}`;
    else if (wish === undefined) continue;
    else if (wish.refusal !== undefined) yield `${nameOf(wish)}: refused with ${wish.refusal}, and is order ${number}`;
    else if (name !== wish.toy || quantity !== wish.quantity) {
      yield `${nameOf(wish)}: is order ${number}, ${quantity} of ${name}`;
    }
  }
}

/** Nobody can say which of them is whose: only how many of a kind there may be. */
function* checkOrdersWithoutKey(rows: readonly OrderRow[], wishes: readonly Wish[]): Generator<string> {
  const kinds = new Map<string, { told: number; open: number; logged: number }>();
  const kindOf = (toy: string, quantity: number) => {
    const kind = `${quantity} of ${toy}`;
    const counts = kinds.get(kind) ?? { told: 0, open: 0, logged: 0 };
    kinds.set(kind, counts);
    return counts;
  };
  const buyersKeys = new Set<string>();
  for (const { key, toy, quantity, number, refusal } of wishes) {
    if (key !== undefined) {
      buyersKeys.add(key);
      continue;
    }
    if (number !== undefined) kindOf(toy, quantity).told++;
    else if (refusal === undefined) kindOf(toy, quantity).open++;
  }
  for (const { name, quantity, key } of rows) if (!buyersKeys.has(key)) kindOf(name, quantity).logged++;
  for (const [kind, { told, open, logged }] of kinds) {
    if (logged >= told && logged <= told + open) continue;
    yield `${kind} without a key: ${logged} in orders.csv, but ${told} buyers were given a number and ${open} no answer`;
  }
}
