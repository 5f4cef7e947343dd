// sweep.ts: does a store's throughput hold while connections grow?
//
//   throughput   |         best
//                |      .--*-.__
//                |   .-'        `--.__ lowest after it     the bar: no less than four fifths of the best at fewer
//                +---------------------------- connections
//
// Taken in each round by itself, then the median: a curve is of one stretch of time, however the machine was before.

import { type Figure, figureOf, type Measured } from '../figures.js';
import { formatNumber } from '../report/words.js';
import type { Row } from '../run/results.js';

const OPERATIONS = ['query', 'order'] as const;
const BAR = { atLeast: 0.8 } as const;

/**
 * @param rows of one subject in one scenario, at several numbers of connections, fewest first
 * @returns for each kind of request its lowest share of the best throughput at fewer connections, median of the rounds
 */
export function sweepOf(rows: readonly Measured<Row>[]): Measured<Figure>[] {
  return OPERATIONS.flatMap((operation) => {
    const ofOperation = rows.filter((row) => row.operation === operation);
    return ofOperation.length < 2 ? [] : [holdOf(ofOperation)];
  });
}

function holdOf(rows: readonly Measured<Row>[]): Measured<Figure> {
  const { subject, operation, clients } = rows[0]!;
  const roundCount = Math.min(...rows.map(({ rounds }) => rounds.throughput.length));
  const shares = Array.from({ length: roundCount }, (_, round) =>
    lowestShare(rows.map(({ rounds }) => rounds.throughput[round]!)),
  );
  const counts = rows.map((row) => row.clients);
  return figureOf({
    case: `${operation}, from ${clients} to ${counts.at(-1)} clients, lowest throughput after the best`,
    subject,
    unit: 'of the best',
    better: 'higher',
    rounds: shares,
    bar: BAR,
    note: `medians at ${counts.join(', ')}: ${rows.map((row) => formatNumber(row.throughput)).join(', ')}/s`,
  });
}

/** The lowest of all as a share of the best at as many connections or fewer. */
function lowestShare(throughputs: readonly number[]): number {
  const bestUpTo = (index: number): number => Math.max(...throughputs.slice(0, index + 1));
  return Math.min(...throughputs.map((throughput, index) => throughput / (bestUpTo(index) || 1)));
}
