// store-books.ts: what must always hold when all services are up and idle, checked from the files and from what the
// buyers were told:
//
//   - initial stock - current stock = the sum of the quantities in orders.csv, for every toy
//   - order numbers are 0..n-1 without gap or repeat
//   - every number that a buyer was given is in the log with that toy and quantity
//   - no order that was asked for once is there twice, and none that was refused is there at all

import { parse } from 'csv-parse/sync';
import type { Market, Notes } from './store-buyers.js';

/** A row of orders.csv. */
export interface BookRow {
  readonly order_number: string;
  readonly name: string;
  readonly quantity: string;
  readonly key: string;
}

/** Throws an error that says which line of the books does not hold. */
export async function checkBooks(market: Market, notes: Notes): Promise<void> {
  const rows = market.rows?.() ?? rowsOfFile(market);
  checkNumbers(rows);
  checkStock(market, rows);
  checkIntents(rows, notes, market.mayLose);
  await checkAnswers(market, rows);
}

/** After a clean stop: catalog.csv says what the orders say. */
export function checkCatalogFile(market: Market): void {
  const rows = rowsOfFile(market);
  const toys = parse(market.catalog.disk.content('/catalog/catalog.csv')!, { columns: true }) as BookRow[];
  for (const { name, quantity } of toys) {
    const left = market.stock.get(name)! - sumOf(rows, name);
    if (Number(quantity) !== left)
      throw new Error(`catalog.csv has ${quantity} of ${name}, and the orders leave ${left}`);
  }
}

function rowsOfFile({ order }: Market): BookRow[] {
  return parse(order.disk.content('/order/orders.csv')!, { columns: true });
}

function checkNumbers(rows: readonly BookRow[]): void {
  for (const [index, row] of rows.entries()) {
    if (row.order_number !== String(index))
      throw new Error(`row ${index} of orders.csv has number ${row.order_number}`);
  }
}

function checkStock(market: Market, rows: readonly BookRow[]): void {
  for (const [name, initial] of market.stock) {
    const sold = sumOf(rows, name);
    const left = market.catalog.engine!.find([Buffer.from(name)]).quantities[0]!;
    if (initial - left !== sold) throw new Error(`${name}: ${initial} - ${left} in stock, but ${sold} in orders.csv`);
  }
}

function checkIntents(rows: readonly BookRow[], { intents }: Notes, mayLose: boolean): void {
  const byKey = new Map(intents.map((intent) => [intent.key, intent]));
  const seen = new Set<string>();
  for (const { key: rowKey, name, quantity, order_number } of rows) {
    const key = rowKey.split('#')[0]!;
    const intent = byKey.get(key);
    if (intent === undefined) throw new Error(`order ${order_number} has the key ${key}, which nobody used`);
    if (seen.has(key)) throw new Error(`${key} was ordered twice`);
    seen.add(key);
    if (intent.isRefused === true) throw new Error(`${key} was refused, and is order ${order_number}`);
    if (name !== intent.name || Number(quantity) !== intent.quantity) {
      throw new Error(
        `order ${order_number} is ${quantity} of ${name}; ${key} was ${intent.quantity} of ${intent.name}`,
      );
    }
  }
  for (const { key, number } of intents) {
    if (number === undefined || mayLose) continue;
    if (rows[number]?.key.split('#')[0] !== key)
      throw new Error(`${key} was given number ${number}, which is another order's`);
  }
}

/** The service says what the file says. */
async function checkAnswers({ order }: Market, rows: readonly BookRow[]): Promise<void> {
  for (const [number, row] of rows.entries()) {
    const found = await order.engine!.get(number);
    if (found?.name !== row.name || found.key !== row.key) throw new Error(`order ${number} is not found as it stands`);
  }
  if ((await order.engine!.get(rows.length)) !== undefined) throw new Error(`order ${rows.length} does not exist`);
}

function sumOf(rows: readonly BookRow[], name: string): number {
  return rows.reduce((sum, row) => (row.name === name ? sum + Number(row.quantity) : sum), 0);
}
