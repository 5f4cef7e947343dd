// charts.ts: which pictures a run's results give. Most are a line of PICTURES: one number of the rows of a scenario over
// one thing that varies. A picture that finds no rows is left out, so that any mix of scenarios, and a run ended early,
// makes a report.

import { LatencyHistogram } from '../load/latency-histogram.js';
import type { BenchResults, Row } from '../run/results.js';
import { type Axes, barChart, type Chart, type Line, lineChart, type Words } from './chart-style.js';

const OPERATIONS = ['query', 'order'] as const;
const BINS_PER_DECADE = 12;
/** Points of a percentile plot for each nine. */
const POINTS_PER_NINE = 12;
/** The clients of the evaluation's main case, preferred where one number must be chosen. */
const MAIN_CLIENTS = 5;

/** Rows of one scenario over one of their numbers. */
interface Picture extends Words {
  readonly scenario: string;
  /** Of the rows, those that are in it. Left out: all. */
  readonly where?: (row: Row, all: readonly Row[]) => boolean;
  readonly x: (row: Row) => number | undefined;
  readonly xName: string;
  /** `latency`: the median drawn through and the 99% latency dashed. */
  readonly y: 'latency' | 'throughput';
  readonly yLog?: boolean;
  readonly asBars?: boolean;
}

const CLOSED = 'Keep-alive connections, closed loop, six toys in turn; medians of interleaved rounds.';
const BY_CLIENTS = { x: (row: Row) => row.clients, xName: 'clients' };
const BY_CONNECTIONS = { x: (row: Row) => row.clients, xName: 'connections' };
const BY_PROBABILITY = { x: (row: Row) => row.p, xName: 'probability of an order after a query' };

const PICTURES: readonly Picture[] = [
  {
    ...BY_CLIENTS,
    id: 'latency-by-clients',
    title: 'Latency against clients',
    caption: 'Sessions of queries, each followed by an order with probability 0.4; closed loop, log scale.',
    scenario: 'clients',
    y: 'latency',
    yLog: true,
  },
  {
    ...BY_CLIENTS,
    id: 'throughput-by-clients',
    title: 'Throughput against clients',
    caption: 'Answers per second of the same sessions: queries and orders run side by side.',
    scenario: 'clients',
    y: 'throughput',
  },
  {
    ...BY_PROBABILITY,
    id: 'latency-by-probability',
    title: 'Latency against the probability of an order',
    caption: '5 clients; at p 0 there are queries only. Closed loop.',
    scenario: 'probability',
    y: 'latency',
  },
  {
    ...BY_CONNECTIONS,
    id: 'throughput-by-connections',
    title: 'Throughput against connections',
    caption: 'Queries alone and durable orders alone over keep-alive connections; closed loop, log scale.',
    scenario: 'compare',
    where: (row, all) => row.subject === 'toystore' && new Set(all.map((one) => one.clients)).size > 2,
    y: 'throughput',
    yLog: true,
  },
  {
    ...BY_CONNECTIONS,
    id: 'durable-order',
    title: 'Durable orders per second: one sync for a group, one sync for each',
    caption: `${CLOSED} Both have every order on disk twice before its answer.`,
    scenario: 'durable',
    y: 'throughput',
    asBars: true,
  },
  ...OPERATIONS.flatMap(picturesOfKind),
];

/** Those that queries and orders have apart. */
function picturesOfKind(operation: Row['operation']): Picture[] {
  const kind = operation === 'query' ? 'queries' : 'orders';
  const isOfKind = (row: Row): boolean => row.operation === operation;
  return [
    {
      id: `latency-by-rate-${operation}`,
      title: `Latency against offered rate: ${kind}`,
      caption: 'Open loop over 64 connections: latency counts from the intended time. Log scale.',
      scenario: 'rate',
      where: isOfKind,
      x: (row) => row.rate,
      xName: 'requests per second offered',
      y: 'latency',
      yLog: true,
    },
    {
      ...BY_CONNECTIONS,
      id: `compare-${operation}`,
      title: `The store beside its peers: ${kind} per second`,
      caption: `${CLOSED} Only the store syncs orders to disk.`,
      scenario: 'compare',
      where: (row, all) =>
        isOfKind(row) && all.some((one) => one.clients === row.clients && one.subject !== row.subject),
      y: 'throughput',
      asBars: true,
    },
    {
      ...BY_PROBABILITY,
      id: `cache-${operation}`,
      title: `Held finds on and off: ${kind} per second`,
      caption: '5 clients, sessions of queries, each followed by an order with the probability below; closed loop.',
      scenario: 'cache',
      where: (row) => isOfKind(row) && row.variant === undefined,
      y: 'throughput',
    },
    {
      ...BY_CLIENTS,
      id: `docker-${operation}`,
      title: `Bare against Docker: ${kind}`,
      caption: 'The same sessions on the same machine, the services as processes and as containers. Log scale.',
      scenario: 'docker',
      where: isOfKind,
      y: 'latency',
      yLog: true,
    },
  ];
}

/** All charts of a run, in reading order. */
export function chartsOf({ rows }: Pick<BenchResults, 'rows'>): Chart[] {
  const clients = rows.filter((row) => row.scenario === 'clients');
  const sessions = clients.length > 0 ? clients : rows.filter((row) => row.scenario === 'probability');
  return [...distributionCharts(sessions), ...PICTURES.flatMap((picture) => drawPicture(picture, rows))];
}

function drawPicture(picture: Picture, rows: readonly Row[]): Chart[] {
  const { id, title, caption, scenario, where = () => true, x, y } = picture;
  const ofScenario = rows.filter((row) => row.scenario === scenario);
  const drawn = ofScenario.filter((row) => row.count > 0 && x(row) !== undefined && where(row, ofScenario));
  if (drawn.length === 0) return [];
  const places = [...new Set(drawn.map((row) => x(row)!))].sort((a, b) => a - b);
  // Whatever the rows differ in has a line of its own.
  const isOneSubject = drawn.every((row) => row.subject === drawn[0]!.subject);
  const lineOf = (row: Row): string => (isOneSubject ? row.operation : row.subject);
  const names = [...new Set(drawn.map(lineOf))];
  const valuesOf = (name: string, quantity: 'p50' | 'p99' | 'throughput') =>
    places.map((place) => drawn.find((row) => lineOf(row) === name && x(row) === place)?.[quantity] ?? null);
  const lines = names.flatMap((name, colorIndex): Line[] =>
    y === 'throughput'
      ? [{ name, colorIndex, data: valuesOf(name, y) }]
      : [
          { name: `${name} p50`, colorIndex, data: valuesOf(name, 'p50') },
          { name: `${name} p99`, colorIndex, data: valuesOf(name, 'p99'), dashed: true },
        ],
  );
  const axes: Axes = {
    xName: picture.xName,
    categories: places.map(String),
    yName: y === 'latency' ? 'latency' : 'per second',
    yFormat: y === 'latency' ? 'ms' : 'count',
    yLog: picture.yLog ?? false,
  };
  return [(picture.asBars ? barChart : lineChart)({ id, title, caption }, axes, lines)];
}

/** Latency by percentile and the two histograms, at the evaluation's main number of clients. */
function distributionCharts(rows: readonly Row[]): Chart[] {
  const chosen = OPERATIONS.flatMap((operation) => {
    const candidates = rows.filter((row) => row.operation === operation && row.count > 0);
    return candidates.find((row) => row.clients === MAIN_CLIENTS) ?? candidates[0] ?? [];
  });
  if (chosen.length === 0) return [];
  const clients = `${chosen[0]!.clients} ${chosen[0]!.clients === 1 ? 'client' : 'clients'}`;
  const drawn = chosen.map((row, colorIndex) => ({
    row,
    histogram: LatencyHistogram.decode(row.histogram),
    line: { name: row.operation, colorIndex },
  }));
  const bins = drawn.map(({ histogram }) => histogram.logBins(BINS_PER_DECADE));
  const edges = [...new Set(bins.flatMap((ofOne) => ofOne.map((bin) => bin.fromMs)))].sort((a, b) => a - b);
  return [
    lineChart(
      {
        id: 'latency-by-percentile',
        title: `Latency by percentile, ${clients}`,
        caption: 'Read upwards: 99% of the answers came within the latency over 99%. Each step is another nine.',
      },
      { xName: 'percentile', yName: 'latency', yFormat: 'ms', yLog: true },
      drawn.map(({ line, histogram }) => ({ ...line, data: percentilePoints(histogram) })),
    ),
    barChart(
      {
        id: 'latency-histogram',
        title: `Latency histogram, ${clients}`,
        caption: 'Share of the answers of each kind in each bin; the bins are equally wide on a log axis.',
      },
      {
        xName: 'latency, from',
        categories: edges.map((ms) => `${Number(ms.toPrecision(2))} ms`),
        yName: '% of its kind',
        yFormat: 'count',
      },
      drawn.map(({ row, line }, index) => ({
        ...line,
        data: edges.map((edge) => (100 * (bins[index]!.find((bin) => bin.fromMs === edge)?.count ?? 0)) / row.count),
      })),
      true,
    ),
  ];
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
