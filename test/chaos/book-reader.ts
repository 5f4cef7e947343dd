// book-reader.ts: the store's side of the books, from its files and from its answers.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { ClientConnection } from '../../src/http/index.js';
import { SeededRandom } from '../support/simulated-random.js';
import type { OrderRow, StoreBooks } from './books.js';
import type { ChaosToy } from './shelf.js';

/** Orders that are asked for by number: all of a short run, some of a long one. */
const LOOKUPS_MAX = 10_000;
/** A request that is answered with 503 or 504 alone for this long has failed. */
const ANSWER_TIMEOUT_MS = 20_000;
const RETRY_MS = 100;
/** Requests sent ahead on the connection. */
const LOOKUPS_AT_ONCE = 50;

/** Reads orders.csv and catalog.csv, and the stock that queries show if `port` is given. */
export async function readBooks(dataDir: string, shelf: readonly ChaosToy[], port?: number): Promise<StoreBooks> {
  const rows = await readCsv(join(dataDir, 'order', 'orders.csv'));
  const toys = await readCsv(join(dataDir, 'catalog', 'catalog.csv'));
  return {
    rows: rows.map(orderRow),
    filed: new Map(toys.map(({ name = '', quantity }) => [name, Number(quantity)])),
    shown: port === undefined ? undefined : await readShelf(port, shelf),
  };
}

/** Compares `GET /orders/<n>` with the rows; what is wrong, one sentence each. */
export async function checkLookups(port: number, rows: readonly OrderRow[], seed: number): Promise<string[]> {
  const connection = new ClientConnection({ host: '127.0.0.1', port });
  const violations: string[] = [];
  try {
    const chosen = choose(rows, seed);
    for (let first = 0; first < chosen.length; first += LOOKUPS_AT_ONCE) {
      const some = chosen.slice(first, first + LOOKUPS_AT_ONCE);
      const bodies = await Promise.all(some.map(({ number }) => get(connection, `/orders/${number}`)));
      for (const [index, { number, name, quantity }] of some.entries()) {
        const expected = `200 ${JSON.stringify({ data: { number, name, quantity } })}`;
        if (bodies[index] !== expected) {
          violations.push(`order ${number} is ${quantity} of ${name}, but is answered with ${bodies[index]}`);
        }
      }
    }
    const beyond = await get(connection, `/orders/${rows.length}`);
    if (!beyond.startsWith('404 ')) violations.push(`there is no order ${rows.length}, but it is answered: ${beyond}`);
  } finally {
    connection.close();
  }
  return violations;
}

/** Toy -> the stock that a query shows. */
export async function readShelf(port: number, shelf: readonly ChaosToy[]): Promise<Map<string, number>> {
  const connection = new ClientConnection({ host: '127.0.0.1', port });
  try {
    const shown = new Map<string, number>();
    for (const { name } of shelf) {
      const answer = await get(connection, `/products/${encodeURIComponent(name)}`);
      if (answer.startsWith('200 ')) shown.set(name, JSON.parse(answer.slice(4)).data.quantity);
    }
    return shown;
  } finally {
    connection.close();
  }
}

/** Status and body. A slow machine may make it 503 or 504, which says nothing about the books: then it is asked again. */
async function get(connection: ClientConnection, target: string): Promise<string> {
  const giveUpAt = performance.now() + ANSWER_TIMEOUT_MS;
  for (;;) {
    const { status, body } = await connection.request('GET', target);
    if ((status !== 503 && status !== 504) || performance.now() > giveUpAt) return `${status} ${body.toString()}`;
    await pause(RETRY_MS);
  }
}

function choose(rows: readonly OrderRow[], seed: number): readonly OrderRow[] {
  if (rows.length <= LOOKUPS_MAX) return rows;
  const random = new SeededRandom(seed);
  return Array.from({ length: LOOKUPS_MAX }, () => random.pick(rows));
}

async function readCsv(path: string): Promise<Record<string, string>[]> {
  return parse(await readFile(path), { columns: true }) as Record<string, string>[];
}

function orderRow(row: Record<string, string>): OrderRow {
  const { order_number, name = '', quantity, key, retry_key: retryKey } = row;
  return { number: Number(order_number), name, quantity: Number(quantity), key: key || retryKey || '' };
}
