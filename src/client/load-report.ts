// load-report.ts: a run's figures as text for people and as one JSON object for machines.

import type { ClientSettings } from './client-settings.js';
import type { LoadSummary, TallySummary } from './tally.js';

/** JSON times are rounded to so many decimals of a millisecond: 1 µs, near the clock's own noise. */
const JSON_DECIMALS = 3;
const COLUMNS = ['count', 'errors', 'min', 'mean', 'p50', 'p95', 'p99', 'max'] as const;
const COLUMN_WIDTH = 9;

/** What people read. `lastErrors` are quoted below the table. */
export function formatText(summary: LoadSummary, settings: ClientSettings, lastErrors: readonly string[]): string {
  const { clients, p, seed } = settings;
  const lines = [
    `${clients} ${clients === 1 ? 'client' : 'clients'}, p ${p}, ${summary.seconds.toFixed(2)} s, seed ${seed}`,
    `throughput ${Math.round(summary.throughput)} answers/s`,
    '',
    `${'ms'.padEnd(5)}${COLUMNS.map((name) => name.padStart(COLUMN_WIDTH)).join('')}`,
    formatRow('query', summary.query),
    formatRow('order', summary.order),
    ...lastErrors.map((error) => `last error: ${error}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What machines read: `{"query":{…},"order":{…},"seconds":…,"throughput":…}` on one line, times in milliseconds. */
export function formatJson(summary: LoadSummary): string {
  return `${JSON.stringify(summary, (_key, value) => (typeof value === 'number' ? round(value) : value))}\n`;
}

function formatRow(name: string, summary: TallySummary): string {
  const cells = COLUMNS.map((column) => {
    const value = summary[column];
    const isTime = column !== 'count' && column !== 'errors';
    if (isTime && summary.count === 0) return '-';
    return isTime ? formatMs(value) : String(value);
  });
  return name.padEnd(5) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('');
}

/** Three digits that matter: 0.215, 2.15, 21.5, 215. */
function formatMs(value: number): string {
  return value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
}

function round(value: number): number {
  return Number(value.toFixed(JSON_DECIMALS));
}
