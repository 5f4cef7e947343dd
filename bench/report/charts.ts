// charts.ts: which pictures a run's results give. Each function looks for the rows it needs and gives no chart where
// there are none, so that any mix of scenarios, and a run ended early, makes a report.

import { LatencyHistogram } from '../load/latency-histogram.js';
import type { BenchResults, Figure, Row } from '../run/results.js';
import { barChart, type Chart, lineChart, sidewaysBarChart } from './chart-style.js';
import { compareCharts, durableCharts, sweepCharts } from './peer-charts.js';
import { COLORS, categoriesOf, OPERATIONS, percentileLines, type ValuesOf } from './row-lines.js';

const BINS_PER_DECADE = 12;
/** Bars that differ by more than this are drawn on a log axis: on a linear one the shorter ones would not be seen. */
const LOG_FROM_RANGE = 50;
/** Points of a percentile plot for each nine. */
const POINTS_PER_NINE = 12;
/** The clients of the evaluation's main case, preferred where one number must be chosen. */
const MAIN_CLIENTS = 5;

/** All charts of a run, in reading order. */
export function chartsOf(results: BenchResults): Chart[] {
  const { rows } = results;
  const of = (scenario: string): Row[] => rows.filter((row) => row.scenario === scenario);
  return [
    ...clientsCharts(of('clients')),
    ...distributionCharts(of('clients').length > 0 ? of('clients') : of('probability')),
    ...probabilityCharts(of('probability')),
    ...rateCharts(of('rate')),
    ...compareCharts(of('compare')),
    ...sweepCharts(of('compare')),
    ...durableCharts(of('durable')),
    ...dockerCharts(of('docker')),
    ...soakCharts(of('soak')),
    ...figureCharts(results.figures),
  ];
}

function clientsCharts(rows: readonly Row[]): Chart[] {
  if (rows.length === 0) return [];
  const { axis, valuesOf } = categoriesOf(rows, (row) => row.clients);
  const x = { xName: 'clients', categories: axis.map(String) };
  const p = rows[0]!.p;
  return [
    lineChart(
      {
        id: 'latency-by-clients',
        title: 'Latency against clients',
        caption: `Sessions of queries, each followed by an order with probability ${p}; closed loop, log scale.`,
      },
      { ...x, yName: 'latency', yFormat: 'ms', yLog: true },
      percentileLines(rows, valuesOf),
    ),
    lineChart(
      {
        id: 'throughput-by-clients',
        title: 'Throughput against clients',
        caption: 'Answers per second of the same sessions: queries and orders run side by side.',
      },
      { ...x, yName: 'answers per second', yFormat: 'count' },
      OPERATIONS.map((operation) => ({
        name: operation,
        colorIndex: COLORS[operation],
        data: valuesOf(operation, (row) => row.throughput),
      })),
    ),
  ];
}

function probabilityCharts(rows: readonly Row[]): Chart[] {
  if (rows.length === 0) return [];
  const { axis, valuesOf } = categoriesOf(rows, (row) => row.p ?? 0);
  return [
    lineChart(
      {
        id: 'latency-by-probability',
        title: 'Latency against the probability of an order',
        caption: `${rows[0]!.clients} clients; at p 0 there are queries only. Closed loop.`,
      },
      { xName: 'probability of an order after a query', categories: axis.map(String), yName: 'latency', yFormat: 'ms' },
      percentileLines(rows, valuesOf),
    ),
  ];
}

function rateCharts(all: readonly Row[]): Chart[] {
  return OPERATIONS.flatMap((operation) => {
    const rows = all.filter((row) => row.operation === operation && row.rate !== undefined);
    if (rows.length === 0) return [];
    const { axis, valuesOf } = categoriesOf(rows, (row) => row.rate!);
    return [
      lineChart(
        {
          id: `latency-by-rate-${operation}`,
          title: `Latency against offered rate: ${operation === 'query' ? 'queries' : 'orders'}`,
          caption: `Open loop over ${rows[0]!.clients} connections: requests leave on a schedule, latency counts from the intended time. Log scale.`,
        },
        {
          xName: 'requests per second offered',
          categories: axis.map(String),
          yName: 'latency',
          yFormat: 'ms',
          yLog: true,
        },
        percentileLines(rows, valuesOf),
      ),
    ];
  });
}

/** Latency by percentile and the two histograms, at the evaluation's main number of clients. */
function distributionCharts(rows: readonly Row[]): Chart[] {
  const chosen = OPERATIONS.flatMap((operation) => {
    const candidates = rows.filter((row) => row.operation === operation && row.count > 0);
    return candidates.find((row) => row.clients === MAIN_CLIENTS) ?? candidates[0] ?? [];
  });
  if (chosen.length === 0) return [];
  const clients = `${chosen[0]!.clients} ${chosen[0]!.clients === 1 ? 'client' : 'clients'}`;
  const percentiles = lineChart(
    {
      id: 'latency-by-percentile',
      title: `Latency by percentile, ${clients}`,
      caption:
        'Read upwards: 99% of the answers came within the latency over 99%. Each step to the right is another nine.',
    },
    { xName: 'percentile', yName: 'latency', yFormat: 'ms', yLog: true },
    chosen.map((row) => ({
      name: row.operation,
      colorIndex: COLORS[row.operation],
      symbol: false,
      data: percentilePoints(LatencyHistogram.decode(row.histogram)),
    })),
  );
  return [percentiles, histogramChart(chosen, clients)];
}

function histogramChart(rows: readonly Row[], clients: string): Chart {
  const binned = rows.map((row) => ({ row, bins: LatencyHistogram.decode(row.histogram).logBins(BINS_PER_DECADE) }));
  const edges = [...new Set(binned.flatMap(({ bins }) => bins.map((bin) => bin.fromMs)))].sort((a, b) => a - b);
  return barChart(
    {
      id: 'latency-histogram',
      title: `Latency histogram, ${clients}`,
      caption: 'Share of the answers of each kind in each bin; the bins are equally wide on a log axis.',
    },
    { xName: 'latency, from', categories: edges.map(formatEdge), yName: '% of its kind', yFormat: 'count' },
    binned.map(({ row, bins }) => ({
      name: row.operation,
      colorIndex: COLORS[row.operation],
      data: edges.map((edge) => (100 * (bins.find((bin) => bin.fromMs === edge)?.count ?? 0)) / row.count),
    })),
    true,
  );
}

function dockerCharts(all: readonly Row[]): Chart[] {
  return OPERATIONS.flatMap((operation) => {
    const rows = all.filter((row) => row.operation === operation);
    if (rows.length === 0) return [];
    const axis = [...new Set(rows.map((row) => row.clients))].sort((a, b) => a - b);
    const variants = [...new Set(rows.map((row) => row.variant ?? ''))];
    const lines = variants.flatMap((variant, colorIndex) =>
      (['p50', 'p99'] as const).map((percentile) => ({
        name: `${variant} ${percentile}`,
        colorIndex,
        dashed: percentile === 'p99',
        data: axis.map(
          (clients) => rows.find((row) => row.clients === clients && row.variant === variant)?.[percentile] ?? null,
        ),
      })),
    );
    return [
      lineChart(
        {
          id: `docker-${operation}`,
          title: `Bare against Docker: ${operation === 'query' ? 'queries' : 'orders'}`,
          caption:
            'The same sessions on the same machine, the three services as processes and as containers. Log scale.',
        },
        { xName: 'clients', categories: axis.map(String), yName: 'latency', yFormat: 'ms', yLog: true },
        lines,
      ),
    ];
  });
}

function soakCharts(rows: readonly Row[]): Chart[] {
  if (rows.length === 0) return [];
  const stretches = [...new Set(rows.map((row) => row.variant ?? ''))];
  const valuesOf: ValuesOf = (operation, value) =>
    stretches.map((stretch) => {
      const row = rows.find((one) => one.variant === stretch && one.operation === operation);
      return row === undefined ? null : value(row);
    });
  return [
    lineChart(
      {
        id: 'soak',
        title: 'Latency over a long run',
        caption: `${rows[0]!.clients} clients, one mixed load all the time.`,
      },
      {
        xName: 'stretch, from minute',
        categories: stretches.map((stretch) => stretch.replaceAll(/[^\d:]/g, '')),
        yName: 'latency',
        yFormat: 'ms',
        yLog: true,
      },
      percentileLines(rows, valuesOf),
    ),
  ];
}

/** The comparisons of parts, one chart for each scenario and unit. */
function figureCharts(figures: readonly Figure[]): Chart[] {
  const groups = new Map<string, Figure[]>();
  for (const figure of figures) {
    const key = `${figure.scenario}, ${figure.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), figure]);
  }
  // Nothing but zeros makes no picture.
  const drawn = [...groups].filter(([, group]) => group.some((figure) => figure.value > 0));
  return drawn.map(([key, group]) => {
    const cases = [...new Set(group.map((figure) => figure.case))];
    const subjects = [...new Set(group.map((figure) => figure.subject))];
    const id = key.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
    const values = group.map((figure) => figure.value).filter((value) => value > 0);
    const isLog = Math.max(...values) > LOG_FROM_RANGE * Math.min(...values);
    const better = group[0]!.better === 'higher' ? 'Higher is better.' : 'Lower is better.';
    return sidewaysBarChart(
      {
        id: `figures-${id}`,
        title: key,
        caption: `Medians of interleaved rounds. ${better}${isLog ? ' Log scale.' : ''}`,
      },
      cases,
      group[0]!.unit,
      subjects.map((subject, colorIndex) => ({
        name: subject,
        colorIndex,
        data: cases.map(
          (one) => group.find((figure) => figure.case === one && figure.subject === subject)?.value ?? null,
        ),
      })),
      isLog,
    );
  });
}

/** [1 / (1 - p), latency] up to the last percentile that has at least one answer beyond it. */
function percentilePoints(histogram: LatencyHistogram): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; 10 ** (i / POINTS_PER_NINE) <= histogram.count; i++) {
    const x = 10 ** (i / POINTS_PER_NINE);
    points.push([x, histogram.atMs(100 - 100 / x)]);
  }
  return points;
}

function formatEdge(ms: number): string {
  return `${Number(ms.toPrecision(2))} ms`;
}
