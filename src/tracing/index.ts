// The face of src/tracing: spans for whoever does the work, sent to a collector over OTLP. It knows traces, and nothing of
// toys.

export { BatchSpans } from './batch-spans.js';
export { type Span, traceFields, traceIdsOf } from './span.js';
export { TRACEPARENT_HEADER } from './traceparent.js';
export { openTracer, type Tracer } from './tracer.js';
export { readTracing, requireTracing, type TracingOptions } from './tracing-options.js';
