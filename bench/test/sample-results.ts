// sample-results.ts: results as a run would leave them, made up, with every kind of row and figure.

import type { Figure } from '../figures.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import type { BenchResults, Row } from '../run/results.js';

/** A row whose latencies lie evenly between half and one and a half of `ms`. */
export function sampleRow(ms: number, key: Partial<Row> = {}): Row {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < 1000; i++) histogram.record(ms * (0.5 + i / 1000));
  return {
    scenario: 'clients',
    subject: 'toystore',
    operation: 'query',
    clients: 5,
    p: 0.4,
    ...histogram.figures(0),
    throughput: 1000 / ms,
    generatorCpu: 0.3,
    rounds: { p50: [ms, ms * 1.02, ms * 0.98], p99: [ms, ms, ms], throughput: [1000 / ms, 1010 / ms, 990 / ms] },
    histogram: histogram.encode(),
    ...key,
  };
}

export function sampleFigure(value: number, key: Partial<Figure> = {}): Figure {
  return {
    scenario: 'http',
    case: 'GET /products/Tux, 32 connections',
    subject: 'toystore',
    value,
    unit: 'requests/s',
    better: 'higher',
    rounds: [value * 0.99, value, value * 1.01],
    ...key,
  };
}

const OPERATIONS = ['query', 'order'] as const;

/** Every scenario once. */
export function sampleResults(): BenchResults {
  const rows = OPERATIONS.flatMap((operation, slower) => [
    ...[1, 5, 64].map((clients) => sampleRow(0.2 + slower + clients / 50, { operation, clients })),
    ...[0.2, 0.8].map((p) => sampleRow(0.3 + slower, { scenario: 'probability', operation, p })),
    ...[1000, 5000].map((rate) => sampleRow(0.5 + slower, { scenario: 'rate', operation, rate, p: undefined })),
    ...['toystore', 'fastify'].map((subject) =>
      sampleRow(1, { scenario: 'compare', operation, subject, p: undefined }),
    ),
    ...[4, 16].map((clients) => sampleRow(1, { scenario: 'compare', operation, clients, p: undefined })),
    ...['toystore', 'fastify-fsync'].map((subject) =>
      sampleRow(1, { scenario: 'durable', operation: 'order', subject, p: undefined }),
    ),
    ...['bare', 'docker'].map((subject) => sampleRow(1 + slower, { scenario: 'docker', operation, subject })),
    ...['toystore', 'CACHE_TOYS=0'].map((subject) => sampleRow(1, { scenario: 'cache', operation, subject })),
  ]);
  const figures = [
    sampleFigure(90_000, { ratio: 1.9, baseline: 'node:http', bar: { atLeast: 1.8 } }),
    sampleFigure(47_000, { subject: 'node:http', ratio: 1, baseline: 'node:http' }),
    sampleFigure(12.5, {
      scenario: 'rate',
      case: 'query, p99 at half of the top rate',
      unit: 'ms',
      bar: { atMost: 10 },
    }),
    sampleFigure(0, { scenario: 'compare', case: 'failed requests', unit: 'requests', bar: { atMost: 0 } }),
  ];
  return {
    startedAt: '2026-01-31T12:00:00.000Z',
    seconds: 12.5,
    command: 'npm run bench',
    quick: false,
    complete: true,
    machine: { cpu: 'A <fast> one', cores: 2, memoryGib: 8, system: 'Linux', node: 'v20.19.0', commit: 'abc1234' },
    noise: { http: 0.03, rate: 0.04, compare: 0.05 },
    rows,
    figures,
    notes: ['a note with <angles> & an ampersand'],
  };
}
