// thread-id-service.ts: a thread module whose answers say which thread gave them, and which can keep its thread busy.

import { HttpServer, Router } from '../../src/http/index.js';
import type { CreateThreadService } from '../../src/pool/index.js';

/** What the pool gives to each thread: `GET /busy` blocks its thread until word 0 is not 0 any more. */
export interface ThreadIdData {
  readonly gate: Int32Array;
}

/** A thread that is never let go ends its wait by itself, so that a failed test ends too. */
const BUSY_TIMEOUT_MS = 60_000;

export const createThreadService: CreateThreadService = ({ threadIndex, data }) => {
  const { gate } = data as ThreadIdData;
  const router = new Router()
    .add('GET', '/thread', (exchange) => exchange.send(200, String(threadIndex)))
    .add('GET', '/busy', (exchange) => exchange.send(200, Atomics.wait(gate, 0, 0, BUSY_TIMEOUT_MS)));
  return new HttpServer({ router });
};
