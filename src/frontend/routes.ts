// routes.ts: the public API as a table.

import { Router } from '../http/index.js';
import type { MetricsSource } from '../store-metrics/metrics-page.js';
import type { Backends } from './backends.js';
import type { HeldToys } from './held-toys.js';
import type { LiveStreams } from './live/live-streams.js';
import { addPage } from './page.js';
import { healthz, metrics, openapi, readyz } from './service-handlers.js';
import { checkOrderHead, findOrder, findProduct, placeOrder } from './store-handlers.js';

/** An order is a name of 64 bytes and a number; room for escapes, spaces and members that nobody reads. */
const ORDER_BODY_BYTES_MAX = 4_096;

/**
 * @param held undefined: every find asks the catalog
 * @param metricsSources what `/metrics` shows
 * @param live who watches
 */
export function createRouter(
  backends: Backends,
  held: HeldToys | undefined,
  metricsSources: readonly MetricsSource[],
  live: LiveStreams,
): Router {
  const { catalog, orders } = backends;
  return addPage(new Router())
    .add('GET', '/products/:name', (exchange) => findProduct(exchange, catalog, held))
    .add('POST', '/orders', (exchange) => placeOrder(exchange, orders), {
      bodyBytesMax: ORDER_BODY_BYTES_MAX,
      checkHead: checkOrderHead,
    })
    .add('GET', '/orders/:number', (exchange) => findOrder(exchange, orders))
    .add('GET', '/healthz', healthz)
    .add('GET', '/readyz', (exchange) => readyz(exchange, backends))
    .add('GET', '/metrics', (exchange) => metrics(exchange, metricsSources))
    .add('GET', '/openapi.yaml', openapi)
    .add('GET', '/live', (exchange) => live.serve(exchange));
}
