// span.ts: a piece of work in a trace, as those who do the work see it. Who has none, because nothing is recorded, has
// undefined: `span?.end()`.

import type { LogFields } from '../log.js';

/** What is known of a piece of work, under the names of OpenTelemetry's semantic conventions where they have one. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Which side of a call between two programs it is; `internal`: none. */
export type SpanKind = 'internal' | 'server' | 'client';

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** For whoever does a part of the work elsewhere. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** It did not succeed. @param reason shown with it */
  fail(reason: string): void;
  /** Says that the other one has to do with it, in this trace or another. */
  link(other: Span): void;
  /** Once. What has no end is not shown. */
  end(): void;
}

/** The fields of a log line that belongs to a span, under the names that log viewers look for; none without one. */
export function traceFields(span: Span | undefined): LogFields | undefined {
  return span && { trace_id: span.traceId, span_id: span.spanId };
}

/** The traces of several, once each; undefined: none of them is recorded. */
export function traceIdsOf(spans: readonly (Span | undefined)[]): string[] | undefined {
  const ids = new Set(spans.flatMap((span) => span?.traceId ?? []));
  return ids.size === 0 ? undefined : [...ids];
}
