// csv-report.ts: every figure as CSV, one file for the latencies and one for the comparisons of parts.

import { stringify } from 'csv-stringify/sync';
import type { BenchResults } from '../run/results.js';

const ROW_COLUMNS = [
  ...['scenario', 'subject', 'operation', 'clients', 'p', 'rate', 'variant', 'count', 'errors', 'throughput'],
  ...['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'],
  ...['corrected.p99', 'corrected.p999', 'missed', 'late', 'soldOut', 'generatorCpu'],
] as const;
const FIGURE_COLUMNS = ['scenario', 'case', 'subject', 'value', 'unit', 'better', 'baseline', 'ratio', 'note'] as const;
const MACHINE_COLUMNS = ['cpu', 'cores', 'system', 'node', 'commit'] as const;

export function renderRowsCsv({ rows, machine }: BenchResults): string {
  return table(ROW_COLUMNS, rows, machine);
}

export function renderFiguresCsv({ figures, machine }: BenchResults): string {
  return table(FIGURE_COLUMNS, figures, machine);
}

/** The machine stands in every line: a line that is copied elsewhere still says where it comes from. */
function table(columns: readonly string[], records: readonly object[], machine: BenchResults['machine']): string {
  const all = [...columns, ...MACHINE_COLUMNS];
  return stringify(
    records.map((record) => ({ ...record, ...machine })),
    { header: true, columns: all.map((key) => ({ key, header: key })) },
  );
}
