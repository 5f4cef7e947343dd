// ratios.ts: rows of several stores under the same loads, set side by side: each one's throughput and median latency as
// a multiple of the baseline's, medians of interleaved rounds.

import { median } from '../rounds.js';
import type { Figure, Row } from '../run/results.js';

type Quantity = 'throughput' | 'p50';

/** What is compared: a kind of request, or all requests of sessions together. */
type Kind = Row['operation'] | 'request';

/** What the project asks of one of its own ratios. */
export interface RatioBar {
  readonly operation: Kind;
  readonly clients: number;
  readonly p?: number;
  readonly quantity: Quantity;
  readonly bar: NonNullable<Figure['bar']>;
}

/** Who is compared with whom. */
export interface RatioOptions {
  readonly scenario: string;
  /** The subject that the others are measured by. */
  readonly baseline: string;
  /** The subject that the bars are for. */
  readonly subject: string;
  readonly bars: readonly RatioBar[];
  /** Only these two are compared, not all subjects. */
  readonly isPair?: boolean;
  /** Stands in the case, where the same loads are compared twice. */
  readonly remark?: string;
}

/** A row as far as it is compared. */
type Measured = Pick<Row, 'subject' | 'clients' | 'p' | 'count' | 'rounds'> & { readonly operation: Kind };

const UNITS = { query: 'queries/s', order: 'orders/s', request: 'requests/s' } as const;

/** Throughput and median latency of every subject beside the baseline's; no ratio where the baseline has no row. */
export function ratiosOf(rows: readonly Row[], options: RatioOptions): Figure[] {
  const { baseline: name, subject, isPair = false } = options;
  const compared = rows.filter((row) => !isPair || row.subject === subject || row.subject === name);
  const measured: Measured[] = [...compared, ...sessionsOf(compared)];
  return [...new Set(measured.map(loadOf))].flatMap((load) => {
    // A subject that gave errors only has no speed to compare.
    const ofLoad = measured.filter((row) => loadOf(row) === load && row.count > 0);
    const baseline = ofLoad.find((row) => row.subject === name);
    if (isPair && (baseline === undefined || ofLoad.length < 2)) return [];
    const quantities =
      ofLoad[0]?.operation === 'request' ? (['throughput'] as const) : (['throughput', 'p50'] as const);
    return quantities.flatMap((quantity) => ofLoad.map((row) => ratio(row, quantity, baseline, options)));
  });
}

/** Queries and orders of each session together: what a share of orders does to all that a store answers. */
function sessionsOf(rows: readonly Row[]): Measured[] {
  const queries = rows.filter((row) => row.p !== undefined && row.operation === 'query');
  return queries.map((query) => {
    const order = rows.find(
      (row) =>
        row.operation === 'order' &&
        row.subject === query.subject &&
        row.clients === query.clients &&
        row.p === query.p,
    );
    const throughput = query.rounds.throughput.map((rate, round) => rate + (order?.rounds.throughput[round] ?? 0));
    return { ...query, operation: 'request', rounds: { ...query.rounds, throughput } };
  });
}

function loadOf({ operation, clients, p }: Measured): string {
  return [operation, describeConnections(clients), ...(p === undefined ? [] : [`p ${p}`])].join(', ');
}

function ratio(row: Measured, quantity: Quantity, baseline: Measured | undefined, options: RatioOptions): Figure {
  const { operation, clients, p, subject } = row;
  const value = median(row.rounds[quantity]);
  const isAsked = (one: RatioBar): boolean =>
    one.operation === operation && one.clients === clients && one.p === p && one.quantity === quantity;
  const remark = options.remark === undefined ? '' : `${options.remark}, `;
  const beside = options.isPair ? `, beside ${options.baseline}` : '';
  return {
    scenario: options.scenario,
    case: `${remark}${loadOf(row)}, ${quantity === 'p50' ? 'median latency' : 'throughput'}${beside}`,
    subject,
    value,
    unit: quantity === 'p50' ? 'ms' : UNITS[operation],
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
