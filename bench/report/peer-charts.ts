// peer-charts.ts: pictures of the store beside others, and of the store alone over many connections.

import type { Row } from '../run/results.js';
import { barChart, type Chart, lineChart, type Words } from './chart-style.js';
import { COLORS, categoriesOf, OPERATIONS } from './row-lines.js';

/** A line needs more than two points to be one. */
const SWEEP_CHART_FROM = 3;

/** Queries and orders per second, of every store at the numbers of connections at which they were compared. */
export function compareCharts(rows: readonly Row[]): Chart[] {
  return OPERATIONS.flatMap((operation) =>
    peerChart(rows, operation, {
      id: `compare-${operation}`,
      title: `The store beside its peers: ${operation === 'query' ? 'queries' : 'orders'} per second`,
      caption:
        'Keep-alive connections, closed loop, six toys in turn; medians of interleaved rounds. Only the store syncs orders to disk.',
    }),
  );
}

/** The same of durable orders. */
export function durableCharts(rows: readonly Row[]): Chart[] {
  return peerChart(rows, 'order', {
    id: 'durable-order',
    title: 'Durable orders per second: one sync for a group, one sync for each',
    caption:
      'Keep-alive connections, closed loop, six toys in turn; medians of interleaved rounds. Both have every order on disk twice before its answer.',
  });
}

/** A group of bars for each number of connections at which more than one subject was measured. */
function peerChart(all: readonly Row[], operation: Row['operation'], words: Words): Chart[] {
  const ofOperation = all.filter((row) => row.operation === operation);
  const subjectsAt = (clients: number): number =>
    new Set(ofOperation.filter((row) => row.clients === clients).map((row) => row.subject)).size;
  const rows = ofOperation.filter((row) => subjectsAt(row.clients) > 1);
  if (rows.length === 0) return [];
  const { axis } = categoriesOf(rows, (row) => row.clients);
  // Colours are the same in the chart of the other operation, where one of them may be missing.
  const subjects = [...new Set(all.map((row) => row.subject))];
  const bars = subjects.flatMap((subject, colorIndex) => {
    const ofSubject = rows.filter((row) => row.subject === subject);
    if (ofSubject.length === 0) return [];
    const data = axis.map((clients) => ofSubject.find((row) => row.clients === clients)?.throughput ?? null);
    return [{ name: subject, colorIndex, data }];
  });
  return [
    barChart(
      words,
      { xName: 'connections', categories: axis.map(String), yName: 'per second', yFormat: 'count' },
      bars,
    ),
  ];
}

/** The store alone over many numbers of connections. */
export function sweepCharts(all: readonly Row[]): Chart[] {
  const rows = all.filter((row) => row.subject === 'toystore');
  const { axis, valuesOf } = categoriesOf(rows, (row) => row.clients);
  if (axis.length < SWEEP_CHART_FROM) return [];
  return [
    lineChart(
      {
        id: 'throughput-by-connections',
        title: 'Throughput against connections',
        caption: 'Queries alone and durable orders alone over keep-alive connections; closed loop, log scale.',
      },
      { xName: 'connections', categories: axis.map(String), yName: 'answers per second', yFormat: 'count', yLog: true },
      OPERATIONS.map((operation) => ({
        name: operation,
        colorIndex: COLORS[operation],
        data: valuesOf(operation, (row) => row.throughput),
      })),
    ),
  ];
}
