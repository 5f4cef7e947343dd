// request-id.ts: the name of a request in the logs of all three services.

import { randomUUID } from 'node:crypto';
import type { Exchange } from '../http/index.js';

/** Longer ids, or ones that could break a log line, are replaced by one of ours. */
const FOREIGN_ID = /^[\x21-\x7e]{1,128}$/;

// Random once in a thread, counted from there: a random id for each request would cost more than a find.
const prefix = randomUUID().slice(0, 8);
let count = 0;

/** The customer's `X-Request-Id`, or one made up. */
export function requestIdOf(exchange: Exchange): string {
  const foreign = exchange.header('x-request-id');
  return foreign !== undefined && FOREIGN_ID.test(foreign) ? foreign : `${prefix}-${count++}`;
}
