// What the scenarios make of rows: ratios to a baseline, and whether throughput holds.

import test from 'ava';
import { isBarReached } from '../report/words.js';
import type { Row } from '../run/results.js';
import { ratiosOf } from '../scenarios/ratios.js';
import { sweepOf } from '../scenarios/sweep.js';
import { sampleRow } from './sample-results.js';

const OPTIONS = {
  baseline: 'slow',
  subject: 'toystore',
  bars: [{ operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 5 } }],
} as const;

const sweptRow = (clients: number, perSecond: readonly number[]): Row =>
  sampleRow(1, { clients, rounds: { p50: [1], p99: [1], throughput: perSecond } });

const orders = (subject: string, clients: number, ms: number): Row =>
  sampleRow(ms, { operation: 'order', subject, clients, p: undefined });

test('a ratio is taken between medians of the same load, and the bar is for one subject under one load', (t) => {
  const rows = [orders('toystore', 64, 1), orders('slow', 64, 4), orders('toystore', 8, 1), orders('slow', 8, 1)];
  const figures = ratiosOf(rows, OPTIONS);
  t.is(figures.length, 8);
  const withBar = figures.filter(({ bar }) => bar !== undefined);
  t.is(withBar.length, 1);
  t.like(withBar[0], {
    subject: 'toystore',
    case: 'order, 64 clients, throughput',
    unit: 'orders/s',
    baseline: 'slow',
  });
  t.is(withBar[0]!.ratio, 4);
  t.false(isBarReached(withBar[0]!));
  t.is(figures.find((one) => one.case === 'order, 8 clients, median latency' && one.subject === 'toystore')?.ratio, 1);
});

test('without the baseline there is neither ratio nor bar; a subject with errors only is left out', (t) => {
  const figures = ratiosOf([orders('toystore', 64, 1), { ...orders('slow', 64, 4), count: 0 }], OPTIONS);
  t.deepEqual(
    figures.map(({ subject, ratio, bar, baseline }) => ({ subject, ratio, bar, baseline })),
    Array.from({ length: 2 }, () => ({ subject: 'toystore', ratio: undefined, bar: undefined, baseline: undefined })),
  );
});

const HOLDS: readonly [name: string, perSecond: readonly number[], share: number, isReached: boolean][] = [
  ['it only grows', [100, 400, 800], 1, true],
  ['it falls a little after its best', [100, 1000, 900], 0.9, true],
  ['it falls by more than a fifth', [100, 1000, 700, 990], 0.7, false],
];
for (const [name, perSecond, share, isReached] of HOLDS) {
  test(`throughput over connections: ${name}`, (t) => {
    const [hold] = sweepOf(perSecond.map((throughput, index) => sweptRow(4 ** index, [throughput])));
    t.is(hold!.value, share);
    t.is(isBarReached(hold!), isReached);
  });
}

test('throughput over connections: a machine that gets faster from round to round says nothing of the store', (t) => {
  const rounds = { 1: [100, 400, 220], 64: [1000, 3900, 2000], 1000: [900, 3900, 1600] };
  const rows = Object.entries(rounds).map(([clients, perSecond]) => sweptRow(Number(clients), perSecond));
  const [hold] = sweepOf(rows);
  t.deepEqual(hold!.rounds, [0.9, 1, 0.8]);
  t.is(hold!.value, 0.9);
});

test('one number of connections says nothing about holding', (t) => {
  t.deepEqual(sweepOf([sampleRow(1)]), []);
});
