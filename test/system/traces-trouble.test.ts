// Traces under bad luck: packages that are not installed, collectors that hang or cannot be reached, a stop in the middle.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import ava, { type ExecutionContext } from 'ava';
import { STOP_MS } from '../../src/stop-budgets.js';
import { freePort } from '../support/free-port.js';
import { hasOpenTelemetry, WITHOUT_OPEN_TELEMETRY } from '../support/optional-packages.js';
import { OtlpCollector } from '../support/otlp-collector.js';
import { buy, call } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

// One after the other: each starts four processes.
const test = ava.serial;
const traced = (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
  if (hasOpenTelemetry) test(title, body);
  else test.skip(`${title} (${WITHOUT_OPEN_TELEMETRY})`, body);
};

const EVERY_REQUEST = { OTEL_TRACES_SAMPLER: 'parentbased_always_on' };

/** NODE_OPTIONS under which a process finds no package of that name. */
async function withoutPackage(name: string): Promise<{ options: string; [Symbol.asyncDispose](): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'without-package-'));
  const hook = join(directory, 'hook.mjs');
  const start = join(directory, 'start.mjs');
  await writeFile(
    hook,
    `export function resolve(specifier, context, next) {
       if (specifier !== '${name}') return next(specifier, context);
       throw Object.assign(new Error("Cannot find package '${name}'"), { code: 'ERR_MODULE_NOT_FOUND' });
     }`,
  );
  // The second is for Node.js before 22.15, and deprecated in 26.
  await writeFile(
    start,
    `import module from 'node:module';
     import { resolve } from '${pathToFileURL(hook)}';
     if (module.registerHooks) module.registerHooks({ resolve });
     else module.register('${pathToFileURL(hook)}');`,
  );
  return {
    options: `--import ${pathToFileURL(start)}`,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const MISSING =
  'OTEL_EXPORTER_OTLP_ENDPOINT is set, but the optional package @opentelemetry/exporter-trace-otlp-proto is not installed: ' +
  'run npm ci --include=optional, or unset the variable';

for (const command of ['start', 'catalog']) {
  test(`${command}: packages that are not installed are one line, and nothing is started`, async (t) => {
    await using without = await withoutPackage('@opentelemetry/exporter-trace-otlp-proto');
    const env = { NODE_OPTIONS: without.options, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
    await using store = await StoreProcess.spawn(command, { env });
    t.deepEqual(await store.exited, { code: 1, signal: null });
    t.deepEqual(store.stderr, [MISSING]);
    t.deepEqual(store.stdout, []);
  });
}

test('nobody misses the packages where no traces are asked for', async (t) => {
  await using without = await withoutPackage('@opentelemetry/api');
  await using store = await StoreProcess.start('catalog', {
    env: { NODE_OPTIONS: without.options, OTEL_EXPORTER_OTLP_ENDPOINT: '' },
  });
  t.deepEqual(await store.stop(), { code: 0, signal: null });
});

test('a value that does not fit is one line, and exit code 2', async (t) => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_SAMPLER_ARG: 'many' };
  await using store = await StoreProcess.spawn('start', { env });
  t.deepEqual(await store.exited, { code: 2, signal: null });
  t.deepEqual(store.stderr, ['OTEL_TRACES_SAMPLER_ARG is "many": it must be a number from 0 to 1']);
});

traced('a stop sends what has not been sent yet, from every thread of every service', async (t) => {
  await using collector = await OtlpCollector.listen();
  const env = {
    ...EVERY_REQUEST,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
    OTEL_BSP_EXPORT_TIMEOUT: '3600000',
    THREADS: '2',
    CACHE_TOYS: '0',
  };
  await using store = await StoreProcess.start('start', { env });
  const COUNT = 12;
  const asked = Array.from({ length: COUNT }, () => [
    buy(store.port, 'Tux', 1),
    call(store.port, 'GET', '/products/Fox'),
  ]);
  for (const { status } of await Promise.all(asked.flat())) t.is(status, 200);
  t.is(collector.spans.length, 0, 'nothing is sent before its time');
  t.deepEqual(await store.stop(), { code: 0, signal: null });
  const count = (wanted: string): number =>
    collector.spans.filter(({ service, name }) => `${service}: ${name}` === wanted).length;
  // Made up at the front end: each request is the first of a trace of its own.
  t.is(collector.spans.filter(({ name, parentId }) => name === 'POST /orders' && parentId === '').length, COUNT);
  t.is(count('toystore-frontend: GET /products/:name'), COUNT);
  t.is(count('toystore-order: order'), COUNT);
  t.is(count('toystore-catalog: purchase'), COUNT);
  t.is(count('toystore-catalog: find'), COUNT);
});

const AWAY = 'traces do not reach the collector: they are dropped, and all else goes on';

traced('a collector that hangs slows nothing, and the stop is in time', async (t) => {
  await using collector = await OtlpCollector.listen(() => {});
  const env = { ...EVERY_REQUEST, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20' };
  await using store = await StoreProcess.start('start', { env });
  t.is((await buy(store.port, 'Tux', 1)).status, 200);
  for (const service of ['toystore-frontend', 'toystore-order', 'toystore-catalog']) {
    await collector.until(() => collector.spans.some((span) => span.service === service));
  }
  // Each service now waits for an answer that never comes.
  for (let number = 1; number < 20; number++) {
    t.is((await buy(store.port, 'Tux', 1)).body, `{"data":{"order_number":${number}}}`);
    t.is((await call(store.port, 'GET', '/products/Fox')).status, 200);
  }
  const startMs = performance.now();
  t.deepEqual(await store.stop(), { code: 0, signal: null });
  const tookMs = performance.now() - startMs;
  t.true(tookMs < STOP_MS, `${tookMs} ms`);
});

traced('a collector that cannot be reached is one line of each service that has spans for it', async (t) => {
  const env = {
    ...EVERY_REQUEST,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    OTEL_BSP_SCHEDULE_DELAY: '20',
    THREADS: '2',
  };
  await using store = await StoreProcess.start('start', { env });
  const lines = (): unknown[] => store.logs.filter(({ message }) => message === AWAY).map(({ service }) => service);
  const isSaid = (): boolean => ['frontend', 'order', 'catalog'].every((service) => lines().includes(service));
  // Orders until every service has found out; then as many again, whose spans are lost without a word.
  let orders = 0;
  for (; !isSaid() || orders % 2 === 1; orders++) {
    t.is((await buy(store.port, 'Tux', 1)).status, 200);
    await pause(10);
  }
  for (let more = 0; more < 20; more++) t.is((await buy(store.port, 'Fox', 1)).status, 200);
  t.deepEqual(await store.stop(), { code: 0, signal: null });
  t.deepEqual(lines().sort(), ['catalog', 'frontend', 'order']);
  t.true(
    store.logs.every(({ message, endpoint }) => message !== AWAY || endpoint === `${env.OTEL_EXPORTER_OTLP_ENDPOINT}/`),
  );
});
