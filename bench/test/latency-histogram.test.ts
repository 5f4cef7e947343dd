import test from 'ava';
import { LatencyHistogram } from '../load/latency-histogram.js';

function histogramOf(...latenciesMs: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latency of latenciesMs) histogram.record(latency);
  return histogram;
}

/** Three digits are kept. */
const isAbout = (value: number, expected: number): boolean => Math.abs(value - expected) <= expected * 0.002;

test('percentiles are read back to three digits, from microseconds to a minute', (t) => {
  for (const ms of [0.0123, 0.215, 4.56, 78.9, 1234, 59_000]) t.true(isAbout(histogramOf(ms).atMs(50), ms), `${ms}`);
});

test('a hundred latencies: the percentiles are where they should be', (t) => {
  const figures = histogramOf(...Array.from({ length: 100 }, (_, i) => i + 1)).figures(7);
  t.is(figures.count, 100);
  t.is(figures.errors, 7);
  for (const [name, expected] of [
    ['min', 1],
    ['mean', 50.5],
    ['p50', 50],
    ['p90', 90],
    ['p99', 99],
    ['max', 100],
  ] as const) {
    t.true(isAbout(figures[name], expected), `${name} ${figures[name]}`);
  }
});

test('nothing recorded: all figures are 0', (t) => {
  t.like(new LatencyHistogram().figures(0), { count: 0, min: 0, mean: 0, p50: 0, p99: 0, max: 0 });
  t.deepEqual(new LatencyHistogram().logBins(10), []);
});

test('latencies past a minute count as a minute', (t) => {
  t.true(isAbout(histogramOf(600_000).atMs(100), 60_000));
});

test('encoded and decoded, and added up, it is the same distribution', (t) => {
  const both = LatencyHistogram.decode(histogramOf(1, 2, 3).encode());
  both.add(LatencyHistogram.decode(histogramOf(100).encode()));
  t.deepEqual(both.figures(0), histogramOf(1, 2, 3, 100).figures(0));
});

test('log bins hold every latency, in order, without a gap', (t) => {
  const bins = histogramOf(0.11, 0.5, 0.51, 9, 88).logBins(5);
  t.is(
    bins.reduce((sum, bin) => sum + bin.count, 0),
    5,
  );
  for (const [index, bin] of bins.entries()) {
    t.true(bin.fromMs < bin.toMs);
    if (index > 0) t.is(bin.fromMs, bins[index - 1]!.toMs);
  }
  t.true(bins[0]!.count > 0 && bins.at(-1)!.count > 0);
});
