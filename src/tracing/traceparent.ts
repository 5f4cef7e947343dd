// traceparent.ts: where in which trace a request stands, as one process tells another.
//
//   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//   │  └ trace-id                       └ parent-id      └ trace-flags: bit 0 says that the caller records the trace
//   └ version
//
// W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header. Parsed strictly: what is malformed is none at
// all, and the trace begins anew.

/** The header of HTTP and the metadata of gRPC, in lower case. */
export const TRACEPARENT_HEADER = 'traceparent';

export interface Traceparent {
  /** 32 hexadecimal digits, lower case, not all 0. */
  readonly traceId: string;
  /** The caller's span: 16 hexadecimal digits, lower case, not all 0. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/** What the text says; undefined where it is malformed. A later version may have more behind the fields that are known. */
export function parseTraceparent(text: unknown): Traceparent | undefined {
  const [, version, traceId, spanId, flags, rest] = (typeof text === 'string' && FORM.exec(text)) || [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** The text for a place in a trace that is recorded. */
export function formatTraceparent(traceId: string, spanId: string): string {
  return `00-${traceId}-${spanId}-01`;
}
