// Readings: what others count, as Prometheus text.

import { createHistogram } from 'node:perf_hooks';
import test from 'ava';
import { summarize } from '../../src/histogram-summary.js';
import {
  counter,
  formatMetrics,
  gauge,
  mergeSnapshots,
  type Reading,
  registerReadings,
  summary,
  ThreadMetrics,
} from '../../src/metrics/index.js';

const help = 'Help.';

async function lines(...readings: Reading[]): Promise<string[]> {
  const metrics = new ThreadMetrics();
  registerReadings(metrics, readings);
  return (await formatMetrics(await metrics.snapshot()))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# HELP'));
}

test('a counter is read when somebody looks', async (t) => {
  let total = 1;
  const metrics = new ThreadMetrics();
  registerReadings(metrics, [counter('sales_total', help, () => total)]);
  t.is(
    await formatMetrics(await metrics.snapshot()),
    '# HELP sales_total Help.\n# TYPE sales_total counter\nsales_total 1\n',
  );
  total = 5;
  t.is(
    await formatMetrics(await metrics.snapshot()),
    '# HELP sales_total Help.\n# TYPE sales_total counter\nsales_total 5\n',
  );
});

test('a gauge with a row for each toy, whatever its name', async (t) => {
  const names = ['Tux', 'a "b"\\\n,c'];
  const read = () => names.map((toy, index) => ({ labels: { toy }, value: index }));
  t.deepEqual(await lines(gauge('stock', help, read)), [
    '# TYPE stock gauge',
    'stock{toy="Tux"} 0',
    'stock{toy="a \\"b\\"\\\\\\n,c"} 1',
  ]);
});

test('a summary of a perf_hooks histogram, in the unit of the metric', async (t) => {
  const histogram = createHistogram();
  const reading = summary('wait_seconds', help, 1e-3, () => [{ labels: { thread: 1 }, value: summarize(histogram) }]);
  const empty = [
    '{quantile="0.5",thread="1"}',
    '{quantile="0.99",thread="1"}',
    '_sum{thread="1"}',
    '_count{thread="1"}',
  ];
  t.deepEqual(await lines(reading), ['# TYPE wait_seconds summary', ...empty.map((row) => `wait_seconds${row} 0`)]);
  for (let wait = 0; wait < 4; wait++) histogram.record(500);
  t.deepEqual(await lines(reading), [
    '# TYPE wait_seconds summary',
    'wait_seconds{quantile="0.5",thread="1"} 0.5',
    'wait_seconds{quantile="0.99",thread="1"} 0.5',
    'wait_seconds_sum{thread="1"} 2',
    'wait_seconds_count{thread="1"} 4',
  ]);
});

test('of several threads, gauges are added up or the highest counts, as they say', async (t) => {
  const snapshots = await Promise.all(
    [3, 5].map((value) => {
      const metrics = new ThreadMetrics();
      registerReadings(metrics, [gauge('sessions', help, () => value), gauge('longest', help, () => value, 'max')]);
      return metrics.snapshot();
    }),
  );
  const text = await formatMetrics(await mergeSnapshots(snapshots));
  t.regex(text, /^sessions 8$/m);
  t.regex(text, /^longest 5$/m);
});

test('a snapshot survives JSON', async (t) => {
  const metrics = new ThreadMetrics();
  registerReadings(metrics, [counter('sales_total', help, () => 7)]);
  const snapshot = await metrics.snapshot();
  t.is(await formatMetrics(JSON.parse(JSON.stringify(snapshot))), await formatMetrics(snapshot));
});
