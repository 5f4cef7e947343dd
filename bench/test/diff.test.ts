import test from 'ava';
import { compareRuns, renderDiff } from '../report/diff.js';
import type { BenchResults } from '../run/results.js';
import { sampleFigure, sampleResults, sampleRow } from './sample-results.js';

const run = (rows: BenchResults['rows'], figures: BenchResults['figures'] = []): BenchResults => {
  return { ...sampleResults(), rows, figures };
};

const verdictsOf = (before: BenchResults, after: BenchResults): string[] =>
  compareRuns(before, after).map(({ quantity, verdict }) => `${quantity} ${verdict}`);

test('half the latency and twice the throughput are better', (t) => {
  t.deepEqual(verdictsOf(run([sampleRow(2)]), run([sampleRow(1)])), ['throughput better', 'p50 better', 'p99 better']);
});

test('the other way round they are worse', (t) => {
  t.deepEqual(verdictsOf(run([sampleRow(1)]), run([sampleRow(2)])), ['throughput worse', 'p50 worse', 'p99 worse']);
});

test('what overlaps is noise, however far the medians are apart', (t) => {
  const rounds = (...p50: number[]) => ({ p50, p99: [1, 1], throughput: [1, 1] });
  const before = run([sampleRow(1, { rounds: rounds(1, 5, 1) })]);
  const after = run([sampleRow(1, { rounds: rounds(4, 9, 9) })]);
  t.true(compareRuns(before, after).every(({ verdict }) => verdict === 'noise'));
});

test('a steady change of 3% is not worth a line', (t) => {
  const figure = (value: number) => [sampleFigure(value, { rounds: [value, value, value] })];
  t.is(compareRuns(run([], figure(100)), run([], figure(103)))[0]?.verdict, 'noise');
  t.is(compareRuns(run([], figure(100)), run([], figure(110)))[0]?.verdict, 'better');
});

test('a single round has no spread, so nothing can be said of it', (t) => {
  const figure = (value: number) => [sampleFigure(value, { rounds: [value] })];
  t.is(compareRuns(run([], figure(100)), run([], figure(200)))[0]?.verdict, 'noise');
});

test('only what was measured under the same conditions is compared', (t) => {
  const before = run([sampleRow(1, { clients: 1 }), sampleRow(1, { operation: 'order' })]);
  t.deepEqual(compareRuns(before, run([sampleRow(1, { clients: 2 })])), []);
});

test('the text names both runs, what changed and by how much', (t) => {
  const text = renderDiff(run([sampleRow(2)]), run([sampleRow(1)]));
  t.regex(text, /^A {2}2026-01-31.*\nB {2}2026-01-31/);
  t.regex(text, /3 quantities compared, 3 changed/);
  t.regex(text, /better clients, toystore, 5 clients, p 0\.4, query, p50 +2 -> 1 {2}-50%/);
});

test('another machine is pointed out', (t) => {
  const other = { ...run([]), machine: { ...sampleResults().machine, cores: 64 } };
  t.regex(renderDiff(run([]), other), /The machines differ/);
});
