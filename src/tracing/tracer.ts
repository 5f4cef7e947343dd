// tracer.ts: what a thread makes its spans with. Without tracing there is no Tracer, and a request that is not recorded has
// no Span: either costs whoever asks one look at an undefined.
//
//   begin(traceparent)   at the edge: decides whether the request is recorded
//   join(traceparent)    a part of what somebody else has begun: recorded there, so recorded here
//   batch(items)         work that is done for several at once: a part of the first one's trace, linked with all of them in
//                        both directions, for a span has one parent only

import type { Log } from '../log.js';
import { type OpenTelemetry, type SdkSpan, type SdkSpanContext, setUpOpenTelemetry } from './open-telemetry.js';
import { isRecorded } from './sampling.js';
import type { Attributes, Span, SpanKind } from './span.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';
import type { TracingOptions } from './tracing-options.js';

/** How long a stop waits for the collector, in milliseconds: it fits behind the drain in the shortest of the stop budgets. */
const FLUSH_MS_MAX = 250;

const KINDS: Readonly<Record<SpanKind, number>> = { internal: 0, server: 1, client: 2 };
const STATUS_ERROR = 2;
const SAMPLED = 1;

export class Tracer {
  readonly #options: TracingOptions;
  readonly #openTelemetry: OpenTelemetry;

  /** Loads OpenTelemetry into this thread. */
  static async create(options: TracingOptions, log: Log): Promise<Tracer> {
    const { service, endpoint, trouble } = options;
    const isTroubled = new Int32Array(trouble);
    const attributes = { 'service.name': service, 'process.pid': process.pid };
    const openTelemetry = await setUpOpenTelemetry(service, attributes, (isDelivered, error) => {
      // Said once by all threads together, not for each group.
      const wasTroubled = Atomics.exchange(isTroubled, 0, isDelivered ? 0 : 1) === 1;
      if (isDelivered && wasTroubled) log.info('traces reach the collector again', { endpoint });
      if (isDelivered || wasTroubled) return;
      log.warn('traces do not reach the collector: they are dropped, and all else goes on', { endpoint, error });
    });
    return new Tracer(options, openTelemetry);
  }

  private constructor(options: TracingOptions, openTelemetry: OpenTelemetry) {
    this.#options = options;
    this.#openTelemetry = openTelemetry;
  }

  /**
   * A request that comes from outside.
   *
   * @param traceparent as it came; undefined where it brought none
   * @param nameOf gives its span a name; called only where it is recorded
   * @returns undefined: it is not
   */
  begin<Request>(
    traceparent: string | undefined,
    request: Request,
    nameOf: (request: Request) => string,
  ): Span | undefined {
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    if (!isRecorded(this.#options.sampling, parent)) return undefined;
    return this.#start(nameOf(request), 'server', parent && remote(parent.traceId, parent.spanId), []);
  }

  /** A part of what the traceparent names; undefined where that is not recorded, '' or malformed. */
  join(traceparent: string | undefined, name: string): Span | undefined {
    if (traceparent === undefined || traceparent === '') return undefined;
    const parent = parseTraceparent(traceparent);
    if (parent?.isSampled !== true) return undefined;
    return this.#start(name, 'server', remote(parent.traceId, parent.spanId), []);
  }

  /** Work for all of the items; undefined where none of them is recorded. */
  batch<Item>(
    name: string,
    kind: SpanKind,
    items: readonly Item[],
    spanOf: (item: Item) => Span | undefined,
  ): Span | undefined {
    if (!items.some((item) => spanOf(item) !== undefined)) return undefined;
    const spans = items.flatMap((item) => spanOf(item) ?? []);
    const [first] = spans;
    const links = spans.map(({ traceId, spanId }) => ({ context: local(traceId, spanId) }));
    const batch = this.#start(name, kind, first && local(first.traceId, first.spanId), links);
    batch.set({ 'batch.items': items.length });
    for (const span of spans) span.link(batch);
    return batch;
  }

  /** Sends what has ended, as far as the collector takes it in time. Never rejects. */
  async flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS_MAX);
    });
    await Promise.race([this.#openTelemetry.flush().catch(() => undefined), timeout]);
    clearTimeout(timer);
  }

  #start(
    name: string,
    kind: SpanKind,
    parent: SdkSpanContext | undefined,
    links: readonly { readonly context: SdkSpanContext }[],
  ): Span {
    const { tracer, contextOf } = this.#openTelemetry;
    return new RecordedSpan(tracer.startSpan(name, { kind: KINDS[kind], links }, contextOf(parent)));
  }
}

let opened: Promise<Tracer> | undefined;

/** The tracer of this thread, the same for all of its parts; undefined where nothing is recorded. */
export async function openTracer(options: TracingOptions | undefined, log: Log): Promise<Tracer | undefined> {
  if (options === undefined) return undefined;
  opened ??= Tracer.create(options, log);
  return opened;
}

class RecordedSpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly #span: SdkSpan;

  constructor(span: SdkSpan) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.#span = span;
  }

  get traceparent(): string {
    return formatTraceparent(this.traceId, this.spanId);
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.#span.setStatus({ code: STATUS_ERROR, message: reason });
  }

  link({ traceId, spanId }: Span): void {
    this.#span.addLink({ context: local(traceId, spanId) });
  }

  end(): void {
    this.#span.end();
  }
}

function local(traceId: string, spanId: string): SdkSpanContext {
  return { traceId, spanId, traceFlags: SAMPLED };
}

function remote(traceId: string, spanId: string): SdkSpanContext {
  return { traceId, spanId, traceFlags: SAMPLED, isRemote: true };
}
