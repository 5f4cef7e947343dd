// ratios.ts: rows of several stores under the same loads, set side by side: each one's throughput and median latency as
// a multiple of the baseline's, medians of interleaved rounds.

import { type Bar, type Figure, figureOf, type Measured } from '../figures.js';
import { describeLoad } from '../report/words.js';
import type { Row } from '../run/results.js';

type Quantity = 'throughput' | 'p50';

/** What is compared: a kind of request, or all requests of sessions together. */
type Kind = Row['operation'] | 'request';

/** What the project asks of one of its own ratios. */
export interface RatioBar {
  readonly operation: Kind;
  readonly clients: number;
  readonly p?: number;
  readonly quantity: Quantity;
  readonly bar: Bar;
}

/** Who is compared with whom. */
export interface RatioOptions {
  /** The subject that the others are measured by. */
  readonly baseline: string;
  /** The subject that the bars are for. */
  readonly subject: string;
  readonly bars: readonly RatioBar[];
  /** Only these two are compared, not all subjects; the case says so. */
  readonly isPair?: boolean;
}

/** A row as far as it is compared. */
type Compared = Omit<Measured<Row>, 'operation'> & { readonly operation: Kind };

const UNITS = { query: 'queries/s', order: 'orders/s', request: 'requests/s' } as const;

/** Throughput and median latency of every subject beside the baseline's; no ratio where the baseline has no row. */
export function ratiosOf(rows: readonly Measured<Row>[], options: RatioOptions): Measured<Figure>[] {
  const { baseline: name, subject, isPair = false } = options;
  const compared = rows.filter((row) => !isPair || row.subject === subject || row.subject === name);
  const measured: Compared[] = [...compared, ...sessionsOf(compared)];
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
function sessionsOf(rows: readonly Measured<Row>[]): Compared[] {
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

function loadOf(row: Compared): string {
  return `${row.operation}, ${describeLoad(row)}`;
}

function ratio(
  row: Compared,
  quantity: Quantity,
  baseline: Compared | undefined,
  { baseline: name, subject, bars, isPair }: RatioOptions,
): Measured<Figure> {
  const { operation, clients, p } = row;
  const isAsked = (one: RatioBar): boolean =>
    one.operation === operation && one.clients === clients && one.p === p && one.quantity === quantity;
  const measured = {
    case: `${loadOf(row)}, ${quantity === 'p50' ? 'median latency' : 'throughput'}${isPair ? `, beside ${name}` : ''}`,
    subject: row.subject,
    unit: quantity === 'p50' ? 'ms' : UNITS[operation],
    better: quantity === 'p50' ? 'lower' : 'higher',
    rounds: row.rounds[quantity],
    bar: row.subject === subject && baseline !== undefined ? bars.find(isAsked)?.bar : undefined,
  } as const;
  return figureOf(measured, baseline && { subject: name, rounds: baseline.rounds[quantity] });
}
