// row-lines.ts: rows of a scenario as lines over one of their numbers: clients, probability, rate.

import type { Row } from '../run/results.js';
import { type Line, ORDER_COLOR, QUERY_COLOR } from './chart-style.js';

export const OPERATIONS = ['query', 'order'] as const;
/** In all charts alike. */
export const COLORS = { query: QUERY_COLOR, order: ORDER_COLOR } as const;

/** A value of each row of one kind of request, in the order of the axis; null where there is none. */
export type ValuesOf = (operation: Row['operation'], value: (row: Row) => number) => (number | null)[];

/** The places along the x axis, and what the rows have at them. */
export function categoriesOf(rows: readonly Row[], xOf: (row: Row) => number): { axis: number[]; valuesOf: ValuesOf } {
  const axis = [...new Set(rows.map(xOf))].sort((a, b) => a - b);
  const valuesOf: ValuesOf = (operation, value) =>
    axis.map((x) => {
      const row = rows.find((one) => xOf(one) === x && one.operation === operation && one.count > 0);
      return row === undefined ? null : value(row);
    });
  return { axis, valuesOf };
}

/** The median, drawn through, and the 99% latency, dashed, for each kind of request. */
export function percentileLines(rows: readonly Row[], valuesOf: ValuesOf): Line[] {
  return OPERATIONS.filter((operation) => rows.some((row) => row.operation === operation)).flatMap((operation) =>
    (['p50', 'p99'] as const).map((percentile) => ({
      name: `${operation} ${percentile}`,
      colorIndex: COLORS[operation],
      dashed: percentile === 'p99',
      data: valuesOf(operation, (row) => row[percentile]),
    })),
  );
}
