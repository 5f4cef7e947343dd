// Spans of one thread, received by a collector: the packages of OpenTelemetry themselves, over HTTP.

import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { Log } from '../../src/log.js';
import { BatchSpans } from '../../src/tracing/batch-spans.js';
import { type Span, traceFields, traceIdsOf } from '../../src/tracing/span.js';
import { Tracer } from '../../src/tracing/tracer.js';
import { readTracing, requireTracing } from '../../src/tracing/tracing-options.js';
import { freePort } from '../support/free-port.js';
import { hasOpenTelemetry, WITHOUT_OPEN_TELEMETRY } from '../support/optional-packages.js';
import { type Answer, OtlpCollector } from '../support/otlp-collector.js';

const test = anyTest as TestFn;
/** The packages read the environment of the process, so one test at a time. */
const tracing = (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
  if (hasOpenTelemetry) test.serial(title, body);
  else test.serial.skip(`${title} (${WITHOUT_OPEN_TELEMETRY})`, body);
};

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`;

interface Traced extends AsyncDisposable {
  readonly tracer: Tracer;
  readonly collector: OtlpCollector;
  readonly lines: Record<string, unknown>[];
}

async function createTracer(env: Record<string, string> = {}, answer?: Answer): Promise<Traced> {
  const collector = await OtlpCollector.listen(answer);
  const lines: Record<string, unknown>[] = [];
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20', ...env };
  Object.assign(process.env, all);
  const log = new Log('info', {}, (line) => lines.push(JSON.parse(line)));
  const tracer = await Tracer.create(readTracing('shop', process.env, log)!, log);
  return {
    tracer,
    collector,
    lines,
    [Symbol.asyncDispose]: async () => {
      for (const name of Object.keys(all)) delete process.env[name];
      await collector[Symbol.asyncDispose]();
    },
  };
}

const nameOf = (name: string): string => name;

tracing('a request: its name, its caller, what is known of it, and where it comes from', async (t) => {
  await using traced = await createTracer({ OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' });
  const { tracer, collector } = traced;
  const span = tracer.begin(CALLER, 'GET /', nameOf)!;
  span.set({ 'http.response.status_code': 503, 'is.late': true });
  span.fail('the stock is out');
  span.end();
  await tracer.flush();
  const [received, ...others] = collector.spans;
  t.deepEqual(others, []);
  t.like(received, {
    service: 'shop',
    name: 'GET /',
    kind: 'server',
    traceId: TRACE,
    spanId: span.spanId,
    parentId: '00f067aa0ba902b7',
    attributes: { 'http.response.status_code': 503, 'is.late': true },
    isError: true,
  });
  t.is(received!.resource['deployment.environment.name'], 'test');
  t.is(span.traceparent, `00-${TRACE}-${span.spanId}-01`);
  t.deepEqual(traceFields(span), { trace_id: TRACE, span_id: span.spanId });
  t.like(collector.requests[0], { url: '/v1/traces' });
});

tracing('OTEL_SERVICE_NAME goes before the name that the process has', async (t) => {
  await using traced = await createTracer({ OTEL_SERVICE_NAME: 'corner-shop' });
  traced.tracer.begin(CALLER, 'GET /', nameOf)!.end();
  await traced.tracer.flush();
  t.is(traced.collector.spans[0]!.service, 'corner-shop');
});

tracing('begin() makes a trace up where there is none, or a malformed one, and it is to be recorded', async (t) => {
  await using traced = await createTracer({ OTEL_TRACES_SAMPLER_ARG: '1' });
  const spans = [undefined, 'malformed', `${CALLER}-more`].map((text) => traced.tracer.begin(text, 'GET /', nameOf)!);
  for (const span of spans) span.end();
  await traced.tracer.flush();
  t.deepEqual(
    traced.collector.spans.map(({ parentId }) => parentId),
    ['', '', ''],
  );
  t.is(new Set(traced.collector.spans.map(({ traceId }) => traceId)).size, 3);
});

tracing(
  'begin() asks for no name where nothing is recorded; join() records only what is recorded already',
  async (t) => {
    await using traced = await createTracer({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const { tracer } = traced;
    const never = (): string => {
      throw new Error('asked for a name');
    };
    t.is(tracer.begin(undefined, '', never), undefined);
    t.is(tracer.begin(CALLER.replace(/1$/, '0'), '', never), undefined);
    for (const text of [undefined, '', 'malformed', CALLER.replace(/1$/, '0')])
      t.is(tracer.join(text, 'part'), undefined);
    t.is(tracer.join(CALLER, 'part')!.traceId, TRACE);
  },
);

tracing('a batch is a part of the first trace in it, and linked with all of them in both directions', async (t) => {
  await using traced = await createTracer({ OTEL_TRACES_SAMPLER_ARG: '1' });
  const { tracer, collector } = traced;
  const one = tracer.begin(undefined, 'one', nameOf)!;
  const two = tracer.begin(undefined, 'two', nameOf)!;
  const spanOf = (item: Span | undefined): Span | undefined => item;
  t.is(tracer.batch('batch', 'client', [undefined, undefined], spanOf), undefined);
  const stream = new BatchSpans(tracer, 'batch', 'client', spanOf);
  const items = [undefined, one, undefined, two];
  stream.begin(items);
  stream.end([undefined]);
  stream.end(items);
  stream.end(items);
  one.end();
  two.end();
  await tracer.flush();
  const batches = collector.spans.filter(({ name }) => name === 'batch');
  t.is(batches.length, 1);
  t.like(batches[0], { traceId: one.traceId, parentId: one.spanId, kind: 'client', attributes: { 'batch.items': 4 } });
  t.deepEqual(batches[0]!.links, [one.spanId, two.spanId]);
  for (const name of ['one', 'two']) {
    t.deepEqual(collector.spans.find((span) => span.name === name)!.links, [batches[0]!.spanId]);
  }
  t.deepEqual(traceIdsOf([undefined, one, one, two]), [one.traceId, two.traceId]);
  t.is(traceIdsOf([undefined]), undefined);
});

tracing(
  'a collector that takes no spans is one line for all threads, and one more when it takes them again',
  async (t) => {
    let status = 400; // is not tried again
    await using traced = await createTracer({ OTEL_TRACES_SAMPLER_ARG: '1' }, (_, response) => {
      response.statusCode = status;
      response.end();
    });
    const { tracer, lines } = traced;
    for (let group = 0; group < 3; group++) {
      tracer.begin(undefined, 'lost', nameOf)!.end();
      await tracer.flush();
    }
    status = 200;
    for (let group = 0; group < 3; group++) {
      tracer.begin(undefined, 'taken', nameOf)!.end();
      await tracer.flush();
    }
    t.deepEqual(
      lines.map(({ level, message }) => `${level}: ${message}`),
      [
        'info: traces are recorded',
        'warn: traces do not reach the collector: they are dropped, and all else goes on',
        'info: traces reach the collector again',
      ],
    );
  },
);

tracing('flush() waits a moment for a collector that hangs, and no longer', async (t) => {
  await using traced = await createTracer({ OTEL_TRACES_SAMPLER_ARG: '1' }, () => {});
  traced.tracer.begin(undefined, 'stuck', nameOf)!.end();
  await traced.collector.until(() => traced.collector.spans.length === 1);
  traced.tracer.begin(undefined, 'stuck as well', nameOf)!.end();
  const startedAtMs = performance.now();
  await traced.tracer.flush();
  const tookMs = performance.now() - startedAtMs;
  t.true(tookMs > 200 && tookMs < 2_000, `${tookMs} ms`);
});

tracing('flush() waits for spans that are on their way already', async (t) => {
  let release = (): void => {};
  await using traced = await createTracer({ OTEL_TRACES_SAMPLER_ARG: '1' }, (_, response) => {
    release = () => response.end();
  });
  traced.tracer.begin(undefined, 'under way', nameOf)!.end();
  await traced.collector.until(() => traced.collector.spans.length === 1);
  let isFlushed = false;
  const flushing = traced.tracer.flush().then(() => {
    isFlushed = true;
  });
  await new Promise(setImmediate);
  t.false(isFlushed);
  release();
  await flushing;
  t.true(isFlushed);
});

const OFF: [what: string, env: NodeJS.ProcessEnv][] = [
  ['nothing is set', {}],
  ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ['OTEL_SDK_DISABLED', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'True' }],
  ['a sampler alone, whatever it says', { OTEL_TRACES_SAMPLER: 'nonsense' }],
];

for (const [what, env] of OFF) {
  test(`readTracing(): no traces, and no line: ${what}`, (t) => {
    t.is(readTracing('shop', env, new Log('debug', {}, (line) => t.fail(line))), undefined);
  });
}

for (const url of ['collector:4318', '127.0.0.1:4318', 'grpc://collector:4317', 'nonsense']) {
  test(`requireTracing() refuses the endpoint ${url}`, (t) => {
    const message = /^OTEL_EXPORTER_OTLP_ENDPOINT cannot be read: it must be the URL of an OTLP collector/;
    t.throws(() => requireTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: url }), { name: 'UsageError', message });
  });
}

tracing('the line that says where traces go shows no secret', async (t) => {
  const port = await freePort();
  const lines: string[] = [];
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:secret@127.0.0.1:${port}/otlp?token=secret` };
  readTracing('shop', env, new Log('info', {}, (line) => lines.push(line)));
  t.regex(
    lines.join(),
    /"endpoint":"http:\/\/127\.0\.0\.1:\d+\/otlp","sampler":"parentbased_traceidratio","share":0\.01/,
  );
  t.notRegex(lines.join(), /secret/);
});
