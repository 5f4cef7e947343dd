// service-handlers.ts: what is told about the store rather than by it: whether it lives and can do its work, its metrics, and
// the description of its API.

import { readFileSync } from 'node:fs';
import { type Exchange, prepareHeaders } from '../http/index.js';
import { METRICS_CONTENT_TYPE } from '../metrics/index.js';
import { type MetricsSource, metricsPage } from '../store-metrics/metrics-page.js';
import type { Backends } from './backends.js';
import { RETRY_AFTER } from './store-handlers.js';

const METRICS_HEADERS = prepareHeaders({ 'Content-Type': METRICS_CONTENT_TYPE });
// RFC 9512
const YAML_HEADERS = prepareHeaders({ 'Content-Type': 'application/yaml' });

const DESCRIPTION = readFileSync(new URL('../../../openapi.yaml', import.meta.url));

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

/** `GET /metrics`: the whole store on one page. */
export async function metrics(exchange: Exchange, sources: readonly MetricsSource[]): Promise<void> {
  exchange.send(200, await metricsPage(sources), METRICS_HEADERS);
}

/** `GET /openapi.yaml` */
export function openapi(exchange: Exchange): void {
  exchange.send(200, DESCRIPTION, YAML_HEADERS);
}
