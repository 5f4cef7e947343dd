// health-handlers.ts: whether this process lives, and whether the store behind it can do its work.

import type { Exchange } from '../http/index.js';
import type { Backends } from './backends.js';
import { RETRY_AFTER } from './store-handlers.js';

/** `GET /healthz`: this thread answers. */
export function healthz(exchange: Exchange): void {
  exchange.send(200, '{"data":{"status":"alive"}}');
}

/** `GET /readyz`: the backends answer, and sell. */
export async function readyz(exchange: Exchange, backends: Backends): Promise<void> {
  const unready = await backends.unready();
  if (unready.length === 0) exchange.send(200, '{"data":{"status":"ready"}}');
  else exchange.sendError(503, `not ready: ${unready.join(', ')}`, RETRY_AFTER);
}
