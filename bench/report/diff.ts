// diff.ts: what changed between two runs beyond their noise.
//
//   A rounds   |--x--x----x--|                    a change is real when no round of one run lies between the rounds
//   B rounds                    |---x--x-x--|     of the other, and the medians differ by more than MIN_CHANGE
//
// With a handful of rounds a test of significance would promise more than it can keep; ranges that do not touch are a
// plain statement that anyone can check in results.json.

import { median } from '../rounds.js';
import type { BenchResults, Figure, Row } from '../run/results.js';
import { describeLoad } from './html-report.js';
import { formatNumber } from './words.js';

/** Smaller changes than this are not worth a line, however steady. */
const MIN_CHANGE = 0.05;

/** One quantity that both runs measured. */
export interface Change {
  readonly what: string;
  readonly quantity: string;
  readonly before: number;
  readonly after: number;
  readonly verdict: 'better' | 'worse' | 'noise';
}

/** @returns every quantity that both runs measured under the same conditions, in the order of the second */
export function compareRuns(before: BenchResults, after: BenchResults): Change[] {
  const rowsBefore = new Map(before.rows.map((row) => [rowName(row), row]));
  const figuresBefore = new Map(before.figures.map((figure) => [figureName(figure), figure]));
  const rowChanges = after.rows.flatMap((row) => {
    const old = rowsBefore.get(rowName(row));
    if (old === undefined) return [];
    return (['throughput', 'p50', 'p99'] as const)
      .filter((quantity) => quantity !== 'throughput' || row.rate === undefined)
      .map((quantity) =>
        compare(
          rowName(row),
          quantity,
          old.rounds[quantity],
          row.rounds[quantity],
          quantity === 'throughput' ? 'higher' : 'lower',
        ),
      );
  });
  const figureChanges = after.figures.flatMap((figure) => {
    const old = figuresBefore.get(figureName(figure));
    return old === undefined
      ? []
      : [compare(figureName(figure), figure.unit, old.rounds, figure.rounds, figure.better)];
  });
  return [...rowChanges, ...figureChanges];
}

/** The lines that `diff` prints. */
export function renderDiff(before: BenchResults, after: BenchResults): string {
  const changes = compareRuns(before, after);
  const real = changes.filter((change) => change.verdict !== 'noise');
  const width = Math.max(0, ...real.map((change) => `${change.what}, ${change.quantity}`.length));
  const lines = real.map(({ what, quantity, before: old, after: now, verdict }) => {
    const percent = `${now >= old ? '+' : ''}${Math.round((now / old - 1) * 100)}%`;
    return `${verdict.padEnd(6)} ${`${what}, ${quantity}`.padEnd(width)}  ${formatNumber(old)} -> ${formatNumber(now)}  ${percent}`;
  });
  const machines = [before, after].map(({ machine, startedAt }, index) => {
    return `${'AB'[index]}  ${startedAt}  commit ${machine.commit}, Node ${machine.node}, ${machine.cores} cores, ${machine.cpu}`;
  });
  const summary = `${changes.length} quantities compared, ${real.length} changed by more than ${MIN_CHANGE * 100}% and beyond the spread of their rounds`;
  const isOtherMachine = before.machine.cpu !== after.machine.cpu || before.machine.cores !== after.machine.cores;
  const warning = isOtherMachine ? ['The machines differ: these changes need not come from the code.'] : [];
  return `${[...machines, ...warning, summary, ...lines].join('\n')}\n`;
}

function compare(
  what: string,
  quantity: string,
  before: readonly number[],
  after: readonly number[],
  better: 'higher' | 'lower',
): Change {
  const old = median(before);
  const now = median(after);
  const isApart = Math.min(...after) > Math.max(...before) || Math.max(...after) < Math.min(...before);
  // One round has no spread: with a single one on either side nothing can be said to be beyond the noise.
  const isKnown = before.length > 1 && after.length > 1;
  const isReal = isApart && isKnown && Math.abs(now - old) > MIN_CHANGE * old;
  const isBetter = better === 'higher' ? now > old : now < old;
  return { what, quantity, before: old, after: now, verdict: isReal ? (isBetter ? 'better' : 'worse') : 'noise' };
}

/** An open loop's rates are shares of a measured top, so they differ between runs: only equal rates are compared. */
function rowName(row: Row): string {
  return `${row.scenario}, ${row.subject}, ${describeLoad(row)}, ${row.operation}`;
}

function figureName(figure: Figure): string {
  return `${figure.scenario}, ${figure.case}, ${figure.subject}`;
}
