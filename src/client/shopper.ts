// shopper.ts: one customer. A session on one connection: look at a random toy; if some are left, perhaps buy one; check
// every answer for its status, its shape and the name that was asked for.
//
//   draw toy, draw intention -> GET /products/<toy> -> stock above 0 and intends to buy? -> POST /orders -> …
//
// The intention is drawn for every query, whether or not there is stock, so that a seed always means the same session.

import type { Answer, StoreConnection } from './store-connection.js';
import { ConnectionLost } from './store-connection.js';
import type { Tally } from './tally.js';

/** What a session consists of. */
export interface ShoppingPlan {
  readonly toys: readonly string[];
  /** Probability of an order after a query that showed stock. */
  readonly p: number;
  /** How many queries; orders come on top. */
  readonly requests: number;
  /** Numbers from 0 to 1. */
  readonly random: () => number;
}

/** Where a session's outcomes are counted. An order refused because the stock ran out since the query is an answer. */
export interface Tallies {
  readonly query: Tally;
  readonly order: Tally;
}

const OK = 200;
const NOT_ENOUGH_STOCK = 409;
/** A wrong answer is quoted in an error up to so many characters. */
const QUOTED_CHARACTERS_MAX = 120;

/**
 * Goes through one session, to its end or until `signal` is aborted.
 *
 * @throws StoreUnreachable when the connection was lost and could not be made again
 */
export async function shop(
  plan: ShoppingPlan,
  connection: StoreConnection,
  tallies: Tallies,
  signal: AbortSignal,
): Promise<void> {
  for (let done = 0; done < plan.requests && !signal.aborted; done++) {
    const toy = plan.toys[Math.floor(plan.random() * plan.toys.length)]!;
    const intendsToBuy = plan.random() < plan.p;
    let stock = 0;
    await measure(tallies.query, signal, async () => {
      const answer = await connection.get(`/products/${encodeURIComponent(toy)}`);
      const shown = shownStock(answer, toy);
      if (shown === undefined) return `asked for ${toy}, got ${quote(answer)}`;
      stock = shown;
      return undefined;
    });
    if (stock === 0 || !intendsToBuy || signal.aborted) continue;
    await measure(tallies.order, signal, async () => {
      const answer = await connection.post('/orders', JSON.stringify({ name: toy, quantity: 1 }));
      return isReceipt(answer) || isSoldOut(answer) ? undefined : `ordered ${toy}, got ${quote(answer)}`;
    });
  }
}

/** Times one exchange; `ask` resolves with what was wrong with the answer. What the end of the run broke off is not counted. */
async function measure(tally: Tally, signal: AbortSignal, ask: () => Promise<string | undefined>): Promise<void> {
  const start = performance.now();
  try {
    const problem = await ask();
    if (problem === undefined) tally.answered(performance.now() - start);
    else tally.failed(problem);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    if (!signal.aborted) tally.failed(error.message);
  }
}

function shownStock(answer: Answer, toy: string): number | undefined {
  if (answer.status !== OK) return undefined;
  const data = dataOf(answer);
  const isToy = data?.name === toy && typeof data.price === 'number' && isWholeNumber(data.quantity);
  return isToy ? (data.quantity as number) : undefined;
}

function isReceipt(answer: Answer): boolean {
  return answer.status === OK && isWholeNumber(dataOf(answer)?.order_number);
}

function isSoldOut(answer: Answer): boolean {
  if (answer.status !== NOT_ENOUGH_STOCK) return false;
  const { error } = (parse(answer.body) ?? {}) as { error?: { code?: unknown } };
  return error?.code === NOT_ENOUGH_STOCK;
}

function dataOf(answer: Answer): Record<string, unknown> | undefined {
  const { data } = (parse(answer.body) ?? {}) as { data?: unknown };
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : undefined;
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    return undefined;
  }
}

function isWholeNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function quote(answer: Answer): string {
  const body = Buffer.from(answer.body).toString().slice(0, QUOTED_CHARACTERS_MAX).replaceAll(/\s+/g, ' ');
  return `${answer.status} ${body}`.trimEnd();
}
