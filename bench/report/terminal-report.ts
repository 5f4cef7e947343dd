// terminal-report.ts: the summary on the terminal: a table for each scenario and a small drawn histogram, and a line for
// each bar that the project has set itself.

import { LatencyHistogram } from '../load/latency-histogram.js';
import type { BenchResults, Figure, Row } from '../run/results.js';
import { describeLoad } from './html-report.js';
import { formatBar, formatNumber, formatRatio, formatReached, isBarReached } from './words.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const BINS_PER_DECADE = 10;
const COLUMN_WIDTH = 10;
const PERCENTILES = ['p50', 'p90', 'p99', 'p999', 'max'] as const;

/** All of it, ending in a line break. */
export function renderTerminal(results: BenchResults): string {
  const scenarios = [...new Set([...results.rows, ...results.figures].map((one) => one.scenario))];
  const parts = scenarios.map((scenario) => {
    const rows = results.rows.filter((row) => row.scenario === scenario);
    const figures = results.figures.filter((figure) => figure.scenario === scenario);
    return [scenario.toUpperCase(), ...rowLines(rows), ...figureLines(figures)].join('\n');
  });
  const bars = barLines(results.figures);
  if (bars.length > 0) parts.push(['BARS', ...bars].join('\n'));
  if (results.notes.length > 0) parts.push(results.notes.map((note) => `! ${note}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function rowLines(rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const labels = rows.map((row) => `${row.subject}, ${describeLoad(row)}`);
  const width = Math.max(...labels.map((label) => label.length)) + 1;
  const header = ['per s', ...PERCENTILES.map((name) => (name === 'p999' ? 'p99.9' : name)), 'errors'];
  return [
    `${' '.repeat(width + 6)}${header.map((name) => name.padStart(COLUMN_WIDTH)).join('')}  ms`,
    ...rows.map((row, index) => {
      const cells = [
        formatNumber(row.throughput),
        ...PERCENTILES.map((name) => formatNumber(row[name])),
        String(row.errors),
      ];
      return `${labels[index]!.padEnd(width)}${row.operation.padEnd(6)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}  ${drawHistogram(row)}${missedText(row)}`;
    }),
  ];
}

/** `0.2 ▁▃█▅▂▁ 1.3`: the shape of the distribution between its shortest and its 99% latency, log axis. */
export function drawHistogram(row: Row): string {
  const bins = LatencyHistogram.decode(row.histogram)
    .logBins(BINS_PER_DECADE)
    .filter((bin) => bin.fromMs <= row.p99);
  if (bins.length === 0) return '';
  const highest = Math.max(...bins.map((bin) => bin.count));
  const drawn = bins.map(({ count }) => BLOCKS[Math.ceil((count / highest) * (BLOCKS.length - 1))]).join('');
  return `${formatNumber(bins[0]!.fromMs)} ${drawn} ${formatNumber(bins.at(-1)!.toMs)}`;
}

/** What an open loop could not send in time. */
function missedText({ missed = 0, late = 0 }: Row): string {
  const parts = [missed > 0 ? `${missed} never sent` : '', late > 0 ? `${late} sent late` : ''];
  const text = parts.filter((part) => part !== '').join(', ');
  return text === '' ? '' : `  (${text})`;
}

/** `reached  compare: query, 64 connections, throughput: 15.2 × fastify (at least 15)`. */
function barLines(figures: readonly Figure[]): string[] {
  return figures.flatMap((figure) => {
    const isReached = isBarReached(figure);
    if (figure.bar === undefined || isReached === undefined) return [];
    const verdict = isReached ? 'reached' : 'MISSED ';
    return `  ${verdict}  ${figure.scenario}: ${figure.case}: ${figure.subject} ${formatReached(figure)} (${formatBar(figure.bar)})`;
  });
}

function figureLines(figures: readonly Figure[]): string[] {
  const cases = [...new Set(figures.map((figure) => figure.case))];
  return cases.flatMap((name) => {
    const ofCase = figures.filter((figure) => figure.case === name);
    const width = Math.max(...ofCase.map((figure) => figure.subject.length)) + 1;
    return [
      `  ${name}`,
      ...ofCase.map((figure) => {
        const value = `${formatNumber(figure.value)} ${figure.unit}`.padStart(2 * COLUMN_WIDTH);
        const ratio = figure.ratio === undefined ? '' : `   ${formatRatio(figure)} × ${figure.baseline}`;
        return `    ${figure.subject.padEnd(width)}${value}${ratio}${figure.note === undefined ? '' : `   (${figure.note})`}`;
      }),
    ];
  });
}
