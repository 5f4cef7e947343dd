// The quick histogram says the same as prom-client's own.

import test from 'ava';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import {
  DURATION_BUCKETS_S,
  DurationHistogram,
  formatMetrics,
  snapshotOf,
  ThreadMetrics,
} from '../../src/metrics/index.js';

const NAME = 'request_seconds';
const help = 'Time of a request.';

test('DurationHistogram prints what prom-client’s histogram prints', async (t) => {
  const duration = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(...DURATION_BUCKETS_S));
  const observation = fc.record({ route: fc.constantFrom('/orders', '/"quoted"\\\n'), duration });
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { minLength: 1 }), async (observations) => {
      const ours = new ThreadMetrics();
      const theirs = new Registry();
      const quick = new DurationHistogram({ name: NAME, help, metrics: ours });
      const buckets = [...DURATION_BUCKETS_S];
      const slow = new Histogram({ name: NAME, help, labelNames: ['route'], buckets, registers: [theirs] });
      for (const { route, duration } of observations) {
        quick.series({ route }).observe(duration);
        slow.observe({ route }, duration);
      }
      t.is(await formatMetrics(await ours.snapshot()), await formatMetrics(await snapshotOf(theirs)));
    }),
  );
});

test('the same labels, in any order, are one series', (t) => {
  const histogram = new DurationHistogram({ name: NAME, help, metrics: new ThreadMetrics() });
  const series = histogram.series({ route: '/orders', status: 200 });
  t.is(histogram.series({ status: 200, route: '/orders' }), series);
  t.not(histogram.series({ status: 404, route: '/orders' }), series);
});
