// request-spans.ts: the span of an HTTP request, in the words of OpenTelemetry's semantic conventions for HTTP servers:
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server

import type { Exchange } from '../http/index.js';
import { type Span, TRACEPARENT_HEADER, type Tracer } from '../tracing/index.js';

/** Any other could be a customer's invention. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const OTHER_METHOD = '_OTHER';

/** Gives a request that is recorded its span, to be found by spanOf(). */
export function beginRequestSpan(tracer: Tracer, exchange: Exchange, scheme: 'http' | 'https'): void {
  const span = tracer.begin(exchange.header(TRACEPARENT_HEADER), exchange, nameOf);
  if (span === undefined) return;
  exchange.companion = span;
  const { method, route, target } = exchange;
  span.set({
    'http.request.method': METHODS.has(method) ? method : OTHER_METHOD,
    ...(METHODS.has(method) ? {} : { 'http.request.method_original': method }),
    ...(route === '' ? {} : { 'http.route': route }),
    'url.path': pathOf(target),
    'url.scheme': scheme,
  });
}

/** The span of an exchange's companion; undefined where the request is not recorded. */
export function spanOf(companion: Exchange['companion']): Span | undefined {
  return companion as Span | undefined;
}

/** The request has its answer. */
export function endRequestSpan(span: Span, status: number): void {
  span.set({ 'http.response.status_code': status });
  // What a client did wrong is no error of a server.
  if (status >= 500) {
    span.set({ 'error.type': String(status) });
    span.fail('');
  }
  span.end();
}

function nameOf({ method, route }: Exchange): string {
  const name = METHODS.has(method) ? method : 'HTTP';
  return route === '' ? name : `${name} ${route}`;
}

/** Without the query, which may hold what is nobody's business; of an absolute-form the path too. */
function pathOf(target: string): string {
  const url = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '');
  return url.split('?', 1)[0] || '/';
}
