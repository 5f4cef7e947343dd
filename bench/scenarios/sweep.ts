// sweep.ts: does a store's throughput hold while connections grow, and is every request answered?
//
//   throughput   |         best
//                |      .--*-.__
//                |   .-'        `--.__ lowest after it     the bar: no less than four fifths of the best at fewer
//                +---------------------------- connections
//
// Taken in each round by itself, then the median: a curve is of one stretch of time, however the machine was before.

import { formatNumber } from '../report/words.js';
import { median } from '../rounds.js';
import type { Figure, Row } from '../run/results.js';

const OPERATIONS = ['query', 'order'] as const;
const BAR = { atLeast: 0.8 } as const;

/**
 * @param rows of one subject in one scenario, at several numbers of connections, fewest first
 * @returns for each kind of request its lowest share of the best throughput at fewer connections (median of the rounds),
 *   and its failures
 */
export function sweepOf(rows: readonly Row[]): Figure[] {
  return OPERATIONS.flatMap((operation) => {
    const ofOperation = rows.filter((row) => row.operation === operation);
    return ofOperation.length < 2 ? [] : [holdOf(ofOperation), failuresOf(ofOperation)];
  });
}

function holdOf(rows: readonly Row[]): Figure {
  const roundCount = Math.min(...rows.map(({ rounds }) => rounds.throughput.length));
  const shares = Array.from({ length: roundCount }, (_, round) =>
    lowestShare(rows.map(({ rounds }) => rounds.throughput[round]!)),
  );
  const counts = rows.map((row) => row.clients).join(', ');
  return {
    ...commonOf(rows, 'lowest throughput after the best'),
    value: median(shares),
    unit: 'of the best',
    better: 'higher',
    rounds: shares,
    bar: BAR,
    note: `medians at ${counts}: ${rows.map((row) => formatNumber(row.throughput)).join(', ')}/s`,
  };
}

/** The lowest of all as a share of the best before it. */
function lowestShare(throughputs: readonly number[]): number {
  let best = 0;
  return Math.min(
    ...throughputs.map((throughput) => {
      best = Math.max(best, throughput);
      return best === 0 ? 0 : throughput / best;
    }),
  );
}

function failuresOf(rows: readonly Row[]): Figure {
  const errors = rows.map((row) => row.errors);
  return {
    ...commonOf(rows, 'failed requests'),
    value: errors.reduce((sum, count) => sum + count, 0),
    unit: 'requests',
    better: 'lower',
    rounds: errors,
    bar: { atMost: 0 },
  };
}

function commonOf(rows: readonly Row[], what: string): Pick<Figure, 'scenario' | 'subject' | 'case'> {
  const { scenario, subject, operation, clients } = rows[0]!;
  return { scenario, subject, case: `${operation}, from ${clients} to ${rows.at(-1)!.clients} connections, ${what}` };
}
