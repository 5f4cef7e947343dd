// document-handlers.ts: what is told about the store rather than by it: its metrics and the description of its API.

import { readFileSync } from 'node:fs';
import { type Exchange, prepareHeaders } from '../http/index.js';
import { METRICS_CONTENT_TYPE } from '../metrics/index.js';
import { type MetricsSource, metricsPage } from '../store-metrics/metrics-page.js';

const METRICS_HEADERS = prepareHeaders({ 'Content-Type': METRICS_CONTENT_TYPE });
/** The media type of YAML: RFC 9512. */
const YAML_HEADERS = prepareHeaders({ 'Content-Type': 'application/yaml' });

const DESCRIPTION = readFileSync(new URL('../../../openapi.yaml', import.meta.url));

/** `GET /metrics`: the whole store on one page. */
export async function metrics(exchange: Exchange, sources: readonly MetricsSource[]): Promise<void> {
  exchange.send(200, await metricsPage(sources), METRICS_HEADERS);
}

/** `GET /openapi.yaml` */
export function openapi(exchange: Exchange): void {
  exchange.send(200, DESCRIPTION, YAML_HEADERS);
}
