// terminal-report.ts: the summary on the terminal, a hundred columns wide: a table for each scenario with a small drawn
// histogram, and a line for each bar that the project has set itself.

import type { Figure } from '../figures.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import type { BenchResults, Row } from '../run/results.js';
import {
  BARS_MEANING,
  COLUMNS,
  describeLoad,
  formatBar,
  formatNoise,
  formatNumber,
  formatRatio,
  formatReached,
  verdictOf,
  wrap,
} from './words.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const BINS_PER_DECADE = 8;
const CELL_WIDTH = 8;
const VALUE_WIDTH = 18;
/** A longer label stands on a line of its own. */
const LABEL_WIDTH_MAX = 36;
const OPERATION_WIDTH = 6;
const COLUMN_NAMES = ['per s', 'p50 ms', 'p99 ms', 'p99.9', 'max', 'errors'] as const;
/** What is left of the line, with two spaces before it. */
const HISTOGRAM_WIDTH_MAX = COLUMNS - LABEL_WIDTH_MAX - OPERATION_WIDTH - COLUMN_NAMES.length * CELL_WIDTH - 2;

/** All of it, ending in a line break. */
export function renderTerminal(results: BenchResults): string {
  const scenarios = [...new Set([...results.rows, ...results.figures].map((one) => one.scenario))];
  const parts = scenarios.map((scenario) => {
    const rows = results.rows.filter((row) => row.scenario === scenario);
    const figures = results.figures.filter((figure) => figure.scenario === scenario);
    return [scenario.toUpperCase(), ...rowLines(rows), ...figureLines(figures)].join('\n');
  });
  const bars = results.figures.filter((figure) => figure.bar !== undefined).map((figure) => barLine(figure, results));
  if (bars.length > 0)
    parts.push(['BARS', wrap(BARS_MEANING, ''), wrap(formatNoise(results.noise), ''), ...bars].join('\n'));
  if (results.notes.length > 0) parts.push(results.notes.map((note) => wrap(`! ${note}`, '  ')).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function rowLines(rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const labels = rows.map((row) => `${row.subject}, ${describeLoad(row)}`);
  const width = Math.min(LABEL_WIDTH_MAX, Math.max(...labels.map((label) => label.length)) + 1);
  const head = COLUMN_NAMES.map((name) => name.padStart(CELL_WIDTH)).join('');
  const lines = rows.flatMap((row, index) => {
    const label = labels[index]!;
    const numbers = [row.throughput, row.p50, row.p99, row.p999, row.max].map(formatNumber);
    const cells = [...numbers, String(row.errors)].map((cell) => cell.padStart(CELL_WIDTH)).join('');
    const isLong = label.length >= width;
    const start = `${(isLong ? '' : label).padEnd(width)}${row.operation.padEnd(OPERATION_WIDTH)}`;
    const line = `${start}${cells}  ${drawHistogram(row)}`.trimEnd();
    return [...(isLong ? [label] : []), line, ...missedLines(row)];
  });
  return [`${' '.repeat(width + OPERATION_WIDTH)}${head}`, ...lines];
}

/** `▁▃█▅▂▁`: the shape of the distribution between its shortest and its 99% latency, log axis. */
export function drawHistogram(row: Pick<Row, 'histogram' | 'p99'>): string {
  const bins = LatencyHistogram.decode(row.histogram)
    .logBins(BINS_PER_DECADE)
    .filter((bin) => bin.fromMs <= row.p99)
    .slice(-HISTOGRAM_WIDTH_MAX);
  const highest = Math.max(...bins.map((bin) => bin.count));
  return bins.map(({ count }) => BLOCKS[Math.ceil((count / highest) * (BLOCKS.length - 1))]).join('');
}

/** What an open loop could not send in time. */
function missedLines({ missed = 0, late = 0 }: Row): string[] {
  const parts = [missed > 0 ? `${missed} never sent` : '', late > 0 ? `${late} sent late` : ''];
  const text = parts.filter((part) => part !== '').join(', ');
  return text === '' ? [] : [`    (${text})`];
}

/** `  reached     compare: query, 64 connections, throughput: toystore 15.2 × fastify (at least 15)`. */
function barLine(figure: Figure, results: BenchResults): string {
  const { word, why } = verdictOf(figure, results);
  const reason = why === '' ? '' : `: ${why}`;
  const name = `${figure.scenario}: ${figure.case}: ${figure.subject}`;
  const verdict = `  ${(word === 'missed' ? 'MISSED' : word).padEnd(12)}`;
  const text = `${name} ${formatReached(figure)} (${formatBar(figure.bar!)})${reason}`;
  return wrap(`${verdict}${text}`, ' '.repeat(verdict.length));
}

function figureLines(figures: readonly Figure[]): string[] {
  const cases = [...new Set(figures.map((figure) => figure.case))];
  return cases.flatMap((name) => {
    const ofCase = figures.filter((figure) => figure.case === name);
    const width = Math.max(...ofCase.map((figure) => figure.subject.length)) + 1;
    return [wrap(`  ${name}`, '  '), ...ofCase.flatMap((figure) => figureLine(figure, width))];
  });
}

function figureLine(figure: Figure, width: number): string[] {
  const value = `${formatNumber(figure.value)} ${figure.unit}`.padStart(VALUE_WIDTH);
  const ratio = figure.ratio === undefined ? '' : `   ${formatRatio(figure)} × ${figure.baseline}`;
  const note = figure.note === undefined ? [] : [wrap(`      (${figure.note})`, '      ')];
  return [wrap(`    ${figure.subject.padEnd(width)}${value}${ratio}`, '      '), ...note];
}
