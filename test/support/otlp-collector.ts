// otlp-collector.ts: a collector of traces: takes OTLP over HTTP, in protobuf, and keeps the spans as plain data.
// The messages, as far as they are looked at: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';

const SCHEMA = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    uint32 kind = 6;
    fixed64 start_time_unix_nano = 7;
    fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9;
    repeated Link links = 13;
    Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string text = 1; bool flag = 2; int64 whole = 3; double real = 4; } }
  message Status { uint32 code = 3; }
`;
const REQUEST = protobuf.parse(SCHEMA).root.lookupType('Request');
/** Generous, for slow machines; what is awaited comes within a second. */
const WAIT_MS_MAX = 30_000;
const KINDS = ['', 'internal', 'server', 'client'];

type Value = string | number | boolean;

export interface CollectedSpan {
  readonly service: Value | undefined;
  readonly resource: Readonly<Record<string, Value>>;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for the first of a trace. */
  readonly parentId: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, Value>>;
  /** Ids of spans. */
  readonly links: readonly string[];
  readonly isError: boolean;
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly text?: string; readonly flag?: boolean; readonly whole?: string; readonly real?: number };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: KeyValue[];
  readonly links?: { readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface OtlpRequest {
  readonly resourceSpans?: {
    readonly resource: { readonly attributes: KeyValue[] };
    readonly scopeSpans: { readonly spans: OtlpSpan[] }[];
  }[];
}

/** What it does with a request beyond keeping its spans; the default answers 200. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class OtlpCollector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** Path, content type, and what else was sent, of each request. */
  readonly requests: IncomingMessage[] = [];
  #waiting: { matches: () => unknown; resolve: () => void }[] = [];
  readonly #server = createServer((request, response) => void this.#receive(request, response));
  readonly #answer: Answer;

  private constructor(answer: Answer) {
    this.#answer = answer;
  }

  static async listen(answer: Answer = (_, response) => response.end()): Promise<OtlpCollector> {
    const collector = new OtlpCollector(answer);
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  trace(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** Resolves when `matches` holds; looked at again after each request. Rejects when that takes too long. */
  async until(matches: () => unknown): Promise<void> {
    if (matches()) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ matches, resolve });
      const late = (): void => reject(new Error(`not among ${this.spans.map(({ name }) => name).join(', ')}`));
      timer = setTimeout(late, WAIT_MS_MAX);
    }).finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await buffer(request);
    this.requests.push(request);
    const decoded = REQUEST.toObject(REQUEST.decode(bytes), { longs: String, bytes: String }) as OtlpRequest;
    for (const { resource, scopeSpans } of decoded.resourceSpans ?? []) {
      const from = valuesOf(resource.attributes);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(collected(span, from));
    }
    this.#answer(request, response);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.matches()) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }
}

function collected(span: OtlpSpan, resource: Record<string, Value>): CollectedSpan {
  const { name, kind, startTimeUnixNano, endTimeUnixNano, attributes = [], links = [], status } = span;
  return {
    service: resource['service.name'],
    resource,
    name,
    kind: KINDS[kind]!,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentId: hex(span.parentSpanId ?? ''),
    startNs: BigInt(startTimeUnixNano),
    endNs: BigInt(endTimeUnixNano),
    attributes: valuesOf(attributes),
    links: links.map(({ spanId }) => hex(spanId)),
    isError: status?.code === 2,
  };
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, Value> {
  return Object.fromEntries(
    attributes.map(({ key, value: { text, flag, whole, real } }) => [
      key,
      text ?? flag ?? real ?? (whole === undefined ? '' : Number(whole)),
    ]),
  );
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
