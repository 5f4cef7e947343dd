// sweep.ts: does a store's throughput hold while connections grow?
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
 * @returns for each kind of request its lowest share of the best throughput at fewer connections, median of the rounds
 */
export function sweepOf(rows: readonly Row[]): Figure[] {
  return OPERATIONS.flatMap((operation) => {
    const ofOperation = rows.filter((row) => row.operation === operation);
    return ofOperation.length < 2 ? [] : [holdOf(ofOperation)];
  });
}

function holdOf(rows: readonly Row[]): Figure {
  const { scenario, subject, operation, clients } = rows[0]!;
  const roundCount = Math.min(...rows.map(({ rounds }) => rounds.throughput.length));
  const shares = Array.from({ length: roundCount }, (_, round) =>
    lowestShare(rows.map(({ rounds }) => rounds.throughput[round]!)),
  );
  const counts = rows.map((row) => row.clients);
  return {
    scenario,
    case: `${operation}, from ${clients} to ${counts.at(-1)} connections, lowest throughput after the best`,
    subject,
    value: median(shares),
    unit: 'of the best',
    better: 'higher',
    rounds: shares,
    bar: BAR,
    note: `medians at ${counts.join(', ')}: ${rows.map((row) => formatNumber(row.throughput)).join(', ')}/s`,
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
