// The quick histogram says the same as prom-client's own; a recorded one is a summary.

import { createHistogram } from 'node:perf_hooks';
import test from 'ava';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS_S, DurationHistogram, RecordedSummary } from '../../src/metrics/index.js';

const NAME = 'request_seconds';
const help = 'Time of a request.';

test('DurationHistogram prints what prom-client’s histogram prints', async (t) => {
  const duration = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(...DURATION_BUCKETS_S));
  const observation = fc.record({ route: fc.constantFrom('/orders', '/"quoted"\\\n'), duration });
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { minLength: 1 }), async (observations) => {
      const ours = new Registry();
      const theirs = new Registry();
      const quick = new DurationHistogram({ name: NAME, help, registry: ours });
      const buckets = [...DURATION_BUCKETS_S];
      const slow = new Histogram({ name: NAME, help, labelNames: ['route'], buckets, registers: [theirs] });
      for (const { route, duration } of observations) {
        quick.series({ route }).observe(duration);
        slow.observe({ route }, duration);
      }
      t.is(await ours.metrics(), await theirs.metrics());
    }),
  );
});

test('the same labels, in any order, are one series', (t) => {
  const histogram = new DurationHistogram({ name: NAME, help, registry: new Registry() });
  const series = histogram.series({ route: '/orders', status: 200 });
  series.observe(1);
  t.is(histogram.series({ status: 200, route: '/orders' }), series);
  t.not(histogram.series({ status: 404, route: '/orders' }), series);
  t.is(series.count, 1);
});

test('RecordedSummary shows quantiles, sum and count in its own unit', async (t) => {
  const registry = new Registry();
  const histogram = createHistogram();
  const unit = 1e-9;
  new RecordedSummary({
    name: 'wait_seconds',
    help,
    registry,
    histogram: () => histogram,
    unit,
    labels: { pool: 'a' },
  });
  t.regex(await registry.metrics(), /^wait_seconds\{quantile="0.5",pool="a"\} 0$/m);
  for (let wait = 0; wait < 10; wait++) histogram.record(2_000_000_000);
  const text = await registry.metrics();
  t.regex(text, /^# TYPE wait_seconds summary$/m);
  t.regex(text, /^wait_seconds_count\{pool="a"\} 10$/m);
  const sum = Number(/^wait_seconds_sum\{pool="a"\} (.*)$/m.exec(text)?.[1]);
  const median = Number(/^wait_seconds\{quantile="0.5",pool="a"\} (.*)$/m.exec(text)?.[1]);
  t.true(Math.abs(sum - 20) < 0.1);
  t.true(Math.abs(median - 2) < 0.1);
});
