// request-id.ts: the name of a request in the logs of all services: `X-Request-Id` of HTTP, metadata `x-request-id` of
// gRPC, `request_id` in the messages that carry many requests.
//
// A name serves logs alone: nothing is decided by it, and a request without one is as good. So a name that does not fit is
// treated as none, and one is made up only where something is going to be logged, or sent that lasts.

import { randomUUID } from 'node:crypto';

/** The header of HTTP and the metadata of gRPC, in lower case. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Visible ASCII, so that a name breaks neither a log line nor a header; 128 holds two UUIDs and what is put between. */
const FITTING = /^[\x21-\x7e]{1,128}$/;

// Random once in a thread, counted from there: a random name for each request would cost more than a find.
const prefix = randomUUID().slice(0, 8);
let count = 0;

/** The name that a request brought, or '' where there is none that fits. */
export function fittingRequestId(text: unknown): string {
  return typeof text === 'string' && FITTING.test(text) ? text : '';
}

/** The name as a field of a log line: one without a name is left out. */
export function loggedRequestId(requestId: string): string | undefined {
  return requestId === '' ? undefined : requestId;
}

/** A name that nobody else gives. */
export function newRequestId(): string {
  return `${prefix}-${count++}`;
}
