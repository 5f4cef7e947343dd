// From the metrics of two moments to the figures of the second in between.

import test from 'ava';
import { LiveReading } from '../../src/frontend/live/live-reading.js';
import type { LiveFigures } from '../../src/live-figures.js';
import type { MetricsSnapshot } from '../../src/metrics/index.js';

const DURATIONS = 'toystore_http_request_duration_seconds';

/** Metrics as lines of the text format: `name{label="value",…} number`. */
function snapshot(...lines: string[]): MetricsSnapshot {
  return lines.map((line) => {
    const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]);
    const row = { metricName: name, labels: Object.fromEntries(pairs), value: Number(value) };
    return { name, help: '', type: 'counter', aggregator: 'sum', values: [row] };
  });
}

/** The figures of a reading so many seconds after another. */
function between(before: string[], after: string[], seconds = 1): LiveFigures {
  const reading = new LiveReading();
  reading.next(snapshot(...before), 1_000_000);
  return reading.next(snapshot(...after), 1_000_000 + seconds * 1_000);
}

const find = (suffix: string, more: string, value: number) =>
  `${DURATIONS}_${suffix}{service="frontend",route="/products/:name",status="200"${more}} ${value}`;
const order = (status: number, value: number) =>
  `${DURATIONS}_count{service="frontend",route="/orders",status="${status}"} ${value}`;
const syncs = (service: string, count: number, sum: number) => [
  `toystore_journal_sync_seconds_count{service="${service}"} ${count}`,
  `toystore_journal_sync_seconds_sum{service="${service}"} ${sum}`,
];
const batches = (stream: string, items: number, messages: number) => [
  `toystore_batch_items_total{service="frontend",stream="${stream}"} ${items}`,
  `toystore_batch_messages_total{service="frontend",stream="${stream}"} ${messages}`,
];
const held = (hits: number, misses: number, toys: number) => [
  `toystore_held_hits_total{service="frontend"} ${hits}`,
  `toystore_held_misses_total{service="frontend"} ${misses}`,
  `toystore_held_toys{service="frontend"} ${toys}`,
];

const rows: [what: string, before: string[], after: string[], expected: Partial<LiveFigures>][] = [
  [
    'nothing is known',
    [],
    [],
    { findsPerSecond: 0, findLatencyMs: null, hitShare: null, syncMs: null, heldToys: null },
  ],
  ['finds', [find('count', '', 100)], [find('count', '', 350)], { findsPerSecond: 250 }],
  ['the first finds', [], [find('count', '', 7)], { findsPerSecond: 7 }],
  ['orders, refused ones too', [order(200, 5), order(409, 1)], [order(200, 8), order(409, 3)], { ordersPerSecond: 5 }],
  ['failures', [order(200, 5)], [order(200, 6), order(503, 2), order(504, 1), order(404, 9)], { failedPerSecond: 3 }],
  ['a front end that was started again', [find('count', '', 900)], [find('count', '', 3)], { findsPerSecond: 0 }],
  ['a catalog that was started again', syncs('catalog', 50, 5), syncs('catalog', 2, 0.1), { syncsPerSecond: null }],
  ['a catalog that is away', syncs('catalog', 50, 5), [], { syncsPerSecond: null, ordersPerSync: null, syncMs: null }],
  [
    'syncs of the catalog alone',
    [...syncs('catalog', 50, 5), ...syncs('order', 50, 5), 'toystore_catalog_sold_total{service="catalog"} 100'],
    [...syncs('catalog', 60, 5.02), ...syncs('order', 95, 9), 'toystore_catalog_sold_total{service="catalog"} 180'],
    { syncsPerSecond: 10, ordersPerSync: 8 },
  ],
  [
    'entries in a message',
    [...batches('find', 10, 10), ...batches('order', 10, 10)],
    [...batches('find', 40, 20), ...batches('order', 10, 10)],
    { findsPerMessage: 3, ordersPerMessage: null },
  ],
  ['hits', held(100, 100, 9), held(175, 125, 12), { hitShare: 0.75, heldToys: 12 }],
  [
    'lock waits, of readers and writers',
    [
      'toystore_lock_waits_total{service="catalog",mode="read"} 4',
      'toystore_lock_waits_total{service="catalog",mode="write"} 4',
    ],
    [
      'toystore_lock_waits_total{service="catalog",mode="read"} 5',
      'toystore_lock_waits_total{service="catalog",mode="write"} 9',
    ],
    { lockWaitsPerSecond: 6 },
  ],
  [
    'the queue of the front end alone',
    [],
    ['toystore_pool_queue_length{service="frontend"} 3', 'toystore_pool_queue_length{service="catalog"} 9'],
    { queueLength: 3 },
  ],
];

for (const [what, before, after, expected] of rows) {
  test(`figures: ${what}`, (t) => t.like(between(before, after), expected));
}

test('a rate is for a second, however long it was between the readings', (t) => {
  t.is(between([find('count', '', 0)], [find('count', '', 500)], 2.5).findsPerSecond, 200);
});

test('the first reading has moments and no rates', (t) => {
  const lines = [find('count', '', 70), ...syncs('catalog', 9, 1), ...held(1, 1, 5)];
  const figures = new LiveReading().next(snapshot(...lines), 1_000);
  t.like(figures, { atMs: 1_000, findsPerSecond: 0, syncsPerSecond: null, hitShare: null, heldToys: 5 });
});

const latencies: [what: string, before: number[], after: number[], p50: number, p90: number, p99: number][] = [
  ['all in the first bucket, evenly spread', [0, 0, 0, 0], [100, 100, 100, 100], 0.5, 0.9, 0.99],
  ['those of before do not count', [1000, 1000, 1000, 1000], [1000, 1100, 1100, 1100], 1.5, 1.9, 1.99],
  ['half and half', [0, 0, 0, 0], [50, 50, 100, 100], 1, 8.4, 9.84],
  ['beyond the last bound: at least that', [0, 0, 0, 0], [0, 0, 0, 10], 10, 10, 10],
];

for (const [what, before, after, p50, p90, p99] of latencies) {
  test(`percentiles, buckets to 1, 2, 10 ms and above: ${what}`, (t) => {
    const buckets = (counts: number[]) =>
      counts.map((count, index) => find('bucket', `,le="${['0.001', '0.002', '0.01', '+Inf'][index]}"`, count));
    const latency = between(buckets(before), buckets(after)).findLatencyMs;
    t.deepEqual(
      [latency?.p50, latency?.p90, latency?.p99].map((ms) => Math.round((ms ?? 0) * 1000) / 1000),
      [p50, p90, p99],
    );
  });
}

test('services: up, selling, and how busy each of their threads is', (t) => {
  const thread = (index: number, sessions: number, active: number, idle: number) => [
    `toystore_pool_sessions{service="catalog",thread="${index}"} ${sessions}`,
    `toystore_event_loop_active_seconds_total{service="catalog",thread="${index}"} ${active}`,
    `toystore_event_loop_idle_seconds_total{service="catalog",thread="${index}"} ${idle}`,
  ];
  const up = [
    'toystore_up{service="frontend"} 1',
    'toystore_up{service="catalog"} 1',
    'toystore_up{service="order"} 0',
    'toystore_selling{service="catalog"} 1',
  ];
  const before = [...up, ...thread(0, 2, 10, 10)];
  const after = [...up, ...thread(0, 3, 10.25, 10.75), ...thread(1, 1, 0, 0)];
  t.deepEqual(between(before, after).services, [
    { name: 'frontend', isUp: true, isSelling: false, threads: [] },
    {
      name: 'catalog',
      isUp: true,
      isSelling: true,
      threads: [
        { thread: '0', sessions: 3, utilization: 0.25 },
        { thread: '1', sessions: 1, utilization: null },
      ],
    },
    { name: 'order', isUp: false, isSelling: false, threads: [] },
  ]);
});
