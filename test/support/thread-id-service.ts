// thread-id-service.ts: a thread module whose answers say which thread gave them, and which can keep its thread busy.

import { HttpServer, Router } from '../../src/http/index.js';
import type { CreateThreadService } from '../../src/pool/index.js';

/** How long `GET /busy` blocks its thread. */
export const BUSY_MS = 200;

export const createThreadService: CreateThreadService = ({ threadIndex }) => {
  const router = new Router()
    .add('GET', '/thread', (exchange) => exchange.send(200, String(threadIndex)))
    .add('GET', '/busy', (exchange) => {
      const until = performance.now() + BUSY_MS;
      while (performance.now() < until);
      exchange.send(200, String(threadIndex));
    });
  return new HttpServer({ router });
};
