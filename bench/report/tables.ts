// tables.ts: what a run measured as tables of words: for the page, and as Markdown to copy into documents.

import type { Figure } from '../figures.js';
import type { BenchResults, Row } from '../run/results.js';
import { describeLoad, formatBar, formatNumber, formatRatio, formatReached, verdictOf } from './words.js';

/** A table; its first columns are words, the others figures. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
  readonly wordColumns: number;
}

/** Those that have a line: what the project has asked of itself first, then all that was measured. */
export function tablesOf(results: BenchResults): Table[] {
  const tables = [barTable(results), rowTable(results.rows), figureTable(results.figures)];
  return tables.filter(({ lines }) => lines.length > 0);
}

/** The tables for documents, thousands apart by commas. */
export function renderMarkdown(results: BenchResults): string {
  const { machine, startedAt, command } = results;
  const facts = `\`${command}\`, ${startedAt}, Node.js ${machine.node}, commit ${machine.commit}`;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const parts = tablesOf(results).map(({ title, head, lines }) => {
    return [`## ${title}\n`, line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
  });
  return `${[facts, ...parts].join('\n\n').replaceAll('\u202f', ',')}\n`;
}

function barTable(results: BenchResults): Table {
  const lines = results.figures.flatMap((figure) => {
    if (figure.bar === undefined) return [];
    const { word, why } = verdictOf(figure, results);
    return [[word, figure.scenario, figure.case, figure.subject, formatReached(figure), formatBar(figure.bar), why]];
  });
  return { title: 'Bars', head: ['', 'scenario', 'case', 'subject', 'measured', 'bar', ''], lines, wordColumns: 4 };
}

function rowTable(rows: readonly Row[]): Table {
  const head = ['scenario', 'subject', 'load', 'operation', 'count', 'errors', 'per second'];
  const times = ['min', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'];
  const lines = rows.map((row) => {
    const { min, mean, p50, p90, p99, p999, max } = row;
    const words = [row.scenario, row.subject, describeLoad(row), row.operation];
    const counts = [row.count, row.errors, row.throughput].map(formatNumber);
    const figures = [min, mean, p50, p90, p99, p999, max].map(formatNumber);
    return [...words, ...counts, ...figures];
  });
  return { title: 'Latencies, in milliseconds', head: [...head, ...times], lines, wordColumns: 4 };
}

function figureTable(figures: readonly Figure[]): Table {
  const head = [
    'scenario',
    'case',
    'subject',
    'value',
    'unit',
    'lowest round',
    'highest round',
    'ratio',
    'against',
    'note',
  ];
  const lines = figures.map((figure) => [
    ...[figure.scenario, figure.case, figure.subject, formatNumber(figure.value), figure.unit],
    ...[formatNumber(Math.min(...figure.rounds)), formatNumber(Math.max(...figure.rounds))],
    ...[formatRatio(figure), figure.baseline ?? '', figure.note ?? ''],
  ]);
  return { title: 'Parts and comparisons', head, lines, wordColumns: 3 };
}
