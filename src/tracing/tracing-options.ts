// tracing-options.ts: whether a process records traces, and how: from the environment, once, before its threads begin.

import { UsageError } from '../flags.js';
import type { Log } from '../log.js';
import { requirePackages } from './open-telemetry.js';
import { parseSampling, type Sampling } from './sampling.js';

/** For each thread that makes spans. Survives structuredClone. */
export interface TracingOptions {
  /** What the process is called in traces, where OTEL_SERVICE_NAME does not say. */
  readonly service: string;
  /** Without user, password and query. */
  readonly endpoint: string;
  readonly sampling: Sampling;
  /** One word that all threads share: whether it has been said that the collector does not take spans. */
  readonly trouble: SharedArrayBuffer;
}

/**
 * What the environment asks for; undefined: no traces, and nothing is loaded for them.
 *
 * @throws as requireTracing()
 */
export function readTracing(service: string, env: NodeJS.ProcessEnv, log: Log): TracingOptions | undefined {
  const wanted = requireTracing(env);
  if (wanted === undefined) return undefined;
  const { sampler, share } = wanted.sampling;
  log.info('traces are recorded', { endpoint: wanted.endpoint, sampler, share });
  return { service, ...wanted, trouble: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
}

/**
 * Whether what the environment asks for can be done; undefined: it asks for no traces.
 *
 * @throws UsageError for a value that does not fit; StartError where OpenTelemetry's packages are not installed
 */
export function requireTracing(env: NodeJS.ProcessEnv): Pick<TracingOptions, 'endpoint' | 'sampling'> | undefined {
  const url = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  if (url === undefined || url === '' || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  const wanted = { endpoint: originAndPath(url), sampling: parseSampling(env) };
  requirePackages();
  return wanted;
}

function originAndPath(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(
      'OTEL_EXPORTER_OTLP_ENDPOINT cannot be read: it must be the URL of an OTLP collector over HTTP, such as http://127.0.0.1:4318',
    );
  }
  return `${url.origin}${url.pathname}`;
}
