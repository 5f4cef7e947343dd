// ratios.ts: rows of several stores under the same loads, set side by side: each one's throughput and median latency as
// a multiple of the baseline's, medians of interleaved rounds.

import { median } from '../rounds.js';
import type { Figure, Row } from '../run/results.js';

/** What the project asks of one of its own ratios. */
export interface RatioBar {
  readonly operation: Row['operation'];
  readonly clients: number;
  readonly quantity: Quantity;
  readonly bar: NonNullable<Figure['bar']>;
}

type Quantity = 'throughput' | 'p50';

/** Who is compared with whom. */
export interface RatioOptions {
  readonly scenario: string;
  /** The subject that the others are measured by. */
  readonly baseline: string;
  /** The subject that the bars are for. */
  readonly subject: string;
  readonly bars: readonly RatioBar[];
  /** Stands behind the case, where the same rows are compared twice. */
  readonly remark?: string;
}

/** Throughput and median latency of every subject beside the baseline's; no ratio where the baseline has no row. */
export function ratiosOf(rows: readonly Row[], options: RatioOptions): Figure[] {
  const groups = [...new Set(rows.map((row) => `${row.operation} ${row.clients}`))];
  return groups.flatMap((group) => {
    // A subject that gave errors only has no speed to compare.
    const ofGroup = rows.filter((row) => `${row.operation} ${row.clients}` === group && row.count > 0);
    const baseline = ofGroup.find((row) => row.subject === options.baseline);
    return [
      ...ofGroup.map((row) => ratio(row, 'throughput', baseline, options)),
      ...ofGroup.map((row) => ratio(row, 'p50', baseline, options)),
    ];
  });
}

function ratio(row: Row, quantity: Quantity, baseline: Row | undefined, options: RatioOptions): Figure {
  const { operation, clients, subject } = row;
  const value = median(row.rounds[quantity]);
  const isAsked = (one: RatioBar): boolean =>
    one.operation === operation && one.clients === clients && one.quantity === quantity;
  return {
    scenario: options.scenario,
    case: [
      operation,
      describeConnections(clients),
      quantity === 'p50' ? 'median latency' : 'throughput',
      ...(options.remark === undefined ? [] : [options.remark]),
    ].join(', '),
    subject,
    value,
    unit: quantity === 'p50' ? 'ms' : `${operation === 'query' ? 'queries' : 'orders'}/s`,
    better: quantity === 'p50' ? 'lower' : 'higher',
    rounds: row.rounds[quantity],
    baseline: baseline === undefined ? undefined : options.baseline,
    ratio: baseline === undefined ? undefined : value / median(baseline.rounds[quantity]),
    bar: subject === options.subject && baseline !== undefined ? options.bars.find(isAsked)?.bar : undefined,
  };
}

/** `1 connection`, `64 connections`. */
export function describeConnections(count: number): string {
  return `${count} ${count === 1 ? 'connection' : 'connections'}`;
}
