// store-handlers.ts: the three requests that customers make: request -> call -> answer, one short function for each.

import type { Exchange, HeadAnswer, ReadyBody } from '../http/index.js';
import { prepareHeaders } from '../http/index.js';
import { newRequestId } from '../request-id.js';
import { RpcError } from '../rpc/index.js';
import { isName } from '../store-contract.js';
import type { CatalogClient, Toy } from './catalog-client.js';
import type { HeldToys } from './held-toys.js';
import type { Noted } from './lease-board.js';
import type { OrderClient, OrderOutcome } from './order-client.js';
import { checkContentType, checkKey, parseOrder } from './order-request.js';
import { spanOf } from './request-spans.js';
import { orderJson, orderNumberJson, productBody } from './store-json.js';

/** What a customer is asked to wait, in seconds: a service is back within 2 s, and reconnecting takes at most 1 s. */
const RETRY_AFTER_SECONDS = 1;
export const RETRY_AFTER = prepareHeaders({ 'Retry-After': String(RETRY_AFTER_SECONDS) });

/** Order numbers as they are written: without sign or leading zeros, and exact in a double. */
const ORDER_NUMBER = /^(?:0|[1-9]\d{0,15})$/;

/** `GET /products/<name>` */
export function findProduct(exchange: Exchange, catalog: CatalogClient, held: HeldToys | undefined): void {
  const name = exchange.parameter('name');
  const ready = held?.find(name);
  if (ready !== undefined) return exchange.sendReady(200, ready);
  if (!isName(name)) return productNotFound(exchange);
  const noted = held?.note(name);
  catalog.find(name, exchange.requestId, spanOf(exchange.companion)).then(
    (toy) => {
      if (toy === undefined) productNotFound(exchange);
      else exchange.sendReady(200, bodyOf(name, toy, held, noted));
    },
    (error: unknown) => sendUnavailable(exchange, error, 'the catalog'),
  );
}

function bodyOf(name: string, toy: Toy, held: HeldToys | undefined, noted: Noted | undefined): ReadyBody {
  if (held !== undefined && noted !== undefined && toy.isHoldable) return held.hold(name, toy, noted);
  return productBody(name, toy.priceCents, toy.quantity);
}

/** What the headers of `POST /orders` alone decide. */
export function checkOrderHead(exchange: Exchange): HeadAnswer | undefined {
  const key = exchange.header('idempotency-key');
  return checkContentType(exchange.header('content-type')) ?? (key === undefined ? undefined : checkKey(key));
}

/** `POST /orders` whose headers are right. */
export function placeOrder(exchange: Exchange, orders: OrderClient): void {
  const request = parseOrder(exchange.body);
  if ('status' in request) return exchange.sendError(request.status, request.message);
  const key = exchange.header('idempotency-key');
  // An order lasts: it has a name in the logs of the other services, whether or not the customer gave it one.
  if (exchange.requestId === '') exchange.requestId = newRequestId();
  orders.place(request.name, request.quantity, key, exchange.requestId, spanOf(exchange.companion)).then(
    (outcome) => sendOutcome(exchange, outcome),
    (error: unknown) => sendUnavailable(exchange, error, 'the order service'),
  );
}

/** `GET /orders/<number>` */
export function findOrder(exchange: Exchange, orders: OrderClient): void {
  const text = exchange.parameter('number');
  const number = Number(text);
  if (!ORDER_NUMBER.test(text) || !Number.isSafeInteger(number)) return orderNotFound(exchange);
  orders.get(number, exchange.requestId, spanOf(exchange.companion)).then(
    (order) => {
      if (order === undefined) orderNotFound(exchange);
      else exchange.send(200, orderJson(number, order.name, order.quantity));
    },
    (error: unknown) => sendUnavailable(exchange, error, 'the order service'),
  );
}

function sendOutcome(exchange: Exchange, outcome: OrderOutcome): void {
  switch (outcome.kind) {
    case 'sold':
      return exchange.send(200, orderNumberJson(outcome.orderNumber));
    case 'unknown-toy':
      return productNotFound(exchange);
    case 'not-enough-stock':
      return exchange.sendError(409, 'not enough stock');
    case 'key-conflict':
      return exchange.sendError(422, 'this Idempotency-Key belongs to another order');
    case 'not-selling':
      return exchange.sendError(503, 'the store does not sell at the moment', RETRY_AFTER);
    case 'invalid':
      return exchange.sendError(400, 'the order service takes no such name, quantity or Idempotency-Key');
  }
}

function sendUnavailable(exchange: Exchange, error: unknown, who: string): void {
  const { status, message, headers } = unavailableAnswer(error, who);
  exchange.sendError(status, message, headers);
}

/** The only place where a failed call becomes a status. @param who was called */
export function unavailableAnswer(error: unknown, who: string): HeadAnswer {
  const { code } = RpcError.from(error);
  switch (code) {
    case 'DEADLINE_EXCEEDED':
      return { status: 504, message: `${who} did not answer in time` };
    case 'UNAVAILABLE':
      return { status: 503, message: `${who} cannot be reached`, headers: RETRY_AFTER };
    case 'RESOURCE_EXHAUSTED':
      return { status: 503, message: `too many requests wait for ${who} already`, headers: RETRY_AFTER };
    default:
      // It was reached, and said something else than an answer: another version, or a fault of one of the two.
      return { status: 503, message: `${who} did not answer as its protocol says (${code})`, headers: RETRY_AFTER };
  }
}

function productNotFound(exchange: Exchange): void {
  exchange.sendError(404, 'product not found');
}

function orderNotFound(exchange: Exchange): void {
  exchange.sendError(404, 'order not found');
}
