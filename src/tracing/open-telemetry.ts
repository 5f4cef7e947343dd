// open-telemetry.ts: OpenTelemetry's packages, as far as they are used here, and what is made of them: spans wait in a
// bounded queue and go to the collector in groups, over OTLP. Whatever the collector does, nobody waits for it.
//
//   span.end() ─► queue (2,048; full: dropped) ─► 512 at a time, or each 5 s ─► POST <endpoint>/v1/traces
//
// The packages are optional, so nothing of them is imported before tracing is asked for, not even a type: what is used of
// them is written down here. They read OTEL_EXPORTER_OTLP_…, OTEL_BSP_…, OTEL_SPAN_… and OTEL_RESOURCE_ATTRIBUTES by
// themselves. No context manager is registered: what belongs to what is said by hand, which costs nothing where nothing is
// recorded.

import { StartError } from '../start-error.js';
import type { Attributes } from './span.js';

export interface SdkSpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
}

export interface SdkSpan {
  spanContext(): SdkSpanContext;
  setAttributes(attributes: Attributes): void;
  setStatus(status: { readonly code: number; readonly message: string }): void;
  addLink(link: { readonly context: SdkSpanContext }): void;
  end(): void;
}

export interface SdkTracer {
  startSpan(
    name: string,
    options: {
      readonly kind: number;
      readonly links: readonly { readonly context: SdkSpanContext }[];
    },
    context: unknown,
  ): SdkSpan;
}

interface ExportResult {
  /** 0: the collector has them. */
  readonly code: number;
  readonly error?: Error;
}

interface SdkExporter {
  export(spans: unknown, done: (result: ExportResult) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface SdkResource {
  merge(other: SdkResource): SdkResource;
}

type Constructor<Options, Made> = new (options: Options) => Made;

interface Packages {
  readonly api: {
    readonly ROOT_CONTEXT: unknown;
    readonly trace: { setSpanContext(context: unknown, spanContext: SdkSpanContext): unknown };
  };
  readonly sdk: {
    readonly AlwaysOnSampler: new () => unknown;
    readonly BatchSpanProcessor: Constructor<SdkExporter, { forceFlush(): Promise<void> }>;
    readonly BasicTracerProvider: Constructor<
      { readonly resource: SdkResource; readonly sampler: unknown; readonly spanProcessors: readonly unknown[] },
      { getTracer(name: string): SdkTracer }
    >;
  };
  readonly resources: {
    readonly envDetector: unknown;
    defaultResource(): SdkResource;
    resourceFromAttributes(attributes: Attributes): SdkResource;
    detectResources(config: { readonly detectors: readonly unknown[] }): SdkResource;
  };
  readonly exporter: { readonly OTLPTraceExporter: new () => SdkExporter };
}

const NAMES: Readonly<Record<keyof Packages, string>> = {
  api: '@opentelemetry/api',
  sdk: '@opentelemetry/sdk-trace-base',
  resources: '@opentelemetry/resources',
  exporter: '@opentelemetry/exporter-trace-otlp-proto',
};

/** OpenTelemetry in one thread. */
export interface OpenTelemetry {
  readonly tracer: SdkTracer;
  /** The context in which a part of the work of that span is done; undefined: a trace begins. */
  contextOf(parent: SdkSpanContext | undefined): unknown;
  /** Resolves when all spans that have ended are at the collector, or are given up. */
  flush(): Promise<void>;
}

/** @throws StartError where a package is not installed */
export function requirePackages(): void {
  for (const name of Object.values(NAMES)) {
    try {
      import.meta.resolve(name);
    } catch {
      throw new StartError(
        `OTEL_EXPORTER_OTLP_ENDPOINT is set, but the optional package ${name} is not installed: run npm ci --include=optional, or unset the variable`,
      );
    }
  }
}

/**
 * Loads the packages and sets them up.
 *
 * @param scope what the spans are made by
 * @param attributes what all of them say of where they come from; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME go before it
 * @param onExport told after each group whether the collector has it, with the reason where not
 */
export async function setUpOpenTelemetry(
  scope: string,
  attributes: Attributes,
  onExport: (isDelivered: boolean, error: Error | undefined) => void,
): Promise<OpenTelemetry> {
  const [api, sdk, resources, exporter] = (await Promise.all([
    import(NAMES.api),
    import(NAMES.sdk),
    import(NAMES.resources),
    import(NAMES.exporter),
  ])) as [Packages['api'], Packages['sdk'], Packages['resources'], Packages['exporter']];
  const sending = new exporter.OTLPTraceExporter();
  const processor = new sdk.BatchSpanProcessor({
    export: (spans, done) => {
      sending.export(spans, (result) => {
        onExport(result.code === 0, result.error);
        done(result);
      });
    },
    forceFlush: () => sending.forceFlush(),
    shutdown: () => sending.shutdown(),
  });
  const provider = new sdk.BasicTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes(attributes))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    // What comes here has been decided already: sampling.ts.
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [processor],
  });
  return {
    tracer: provider.getTracer(scope),
    contextOf: (parent) =>
      parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent),
    flush: async () => {
      await processor.forceFlush();
      // The group that was under way already.
      await sending.forceFlush();
    },
  };
}
