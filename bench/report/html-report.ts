// html-report.ts: the report as one HTML file that needs nothing else: the charting library, the charts as data and the
// tables are all in it. It follows the reader's light or dark system and fits a phone; charts are drawn as SVG in the
// page, with the exact values under the pointer or the finger.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { BenchResults, Figure, Row } from '../run/results.js';
import type { Chart } from './chart-style.js';
import { formattersScript } from './formatters.js';
import { paintScript } from './paint.js';
import { formatBar, formatNumber, formatRatio, formatReached, isBarReached } from './words.js';

const ECHARTS_FILE = createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js');

const STYLE = `
:root { color-scheme: light dark; --text: #1f2430; --faint: #5c6370; --line: #dfe2e8; --page: #f5f6f8; --card: #fff; --good: #0f7a55; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8ee; --faint: #a3a9b6; --line: #343a46; --page: #0f1116; --card: #171a21; --good: #45c99a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0.5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; } h3 { font-size: 1.05rem; margin: 0 0 0.25rem; }
.facts, .caption, footer { color: var(--faint); font-size: 0.9rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; padding: 0.9rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figure p { margin: 0 0 0.5rem; }
.plot { width: 100%; }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
th, td { padding: 0.35rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--card); } .word { text-align: left; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
`;

/** @returns the whole page */
export function renderHtml(results: BenchResults, charts: readonly Chart[]): string {
  const { machine, startedAt, seconds, command } = results;
  const facts = [
    machine.cpu,
    `${machine.cores} cores`,
    `${machine.memoryGib} GiB`,
    machine.system,
    `Node.js ${machine.node}`,
    `commit ${machine.commit}`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Toy store: measurements of ${escapeHtml(startedAt)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Toy store: measurements</h1>
<p class="facts">${escapeHtml(startedAt)}, ${Math.round(seconds)} s, <code>${escapeHtml(command)}</code><br>${escapeHtml(facts.join(' · '))}</p>
${results.complete ? '' : '<p class="bad">This run was ended early: it holds what had been measured until then.</p>'}
${notes(results.notes)}
${barTable(results.figures)}
<div class="charts">
${charts.map(figure).join('\n')}
</div>
${results.rows.length === 0 ? '' : `<h2>Latencies, in milliseconds</h2>\n${rowTable(results.rows)}`}
${results.figures.length === 0 ? '' : `<h2>Parts beside their peers</h2>\n${figureTable(results.figures)}`}
<footer><p>Errors are counted apart and are in no latency. In a closed loop a client waits for each answer, which hides
what others would have waited meanwhile; the column “p99 corrected” adds that back. Percentiles are of all rounds
together, throughput is the median of the rounds. All figures, with each round and the histograms: results.json.</p></footer>
<script>${inScript(readFileSync(ECHARTS_FILE, 'utf8'))}</script>
<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll('<', '\\u003c')}</script>
<script>${inScript(drawingScript())}</script>
</body>
</html>
`;
}

function drawingScript(): string {
  return `${formattersScript()}
${paintScript()}
const charts = JSON.parse(document.getElementById('charts').textContent);
const dark = matchMedia('(prefers-color-scheme: dark)');
const drawings = charts.map((chart) => echarts.init(document.getElementById(chart.id), null, { renderer: 'svg' }));
const draw = () => charts.forEach((chart, i) =>
  drawings[i].setOption(putFormatters(paint(chart.option, PALETTES[dark.matches ? 'dark' : 'light'])), true));
draw();
dark.addEventListener('change', draw);
addEventListener('resize', () => drawings.forEach((drawing) => drawing.resize()));
document.body.dataset.drawn = String(drawings.length);`;
}

function figure({ id, title, caption, height }: Chart): string {
  return `<figure><h3>${escapeHtml(title)}</h3><p class="caption">${escapeHtml(caption)}</p>
<div class="plot" id="${escapeHtml(id)}" style="height:${height}px" role="img" aria-label="${escapeHtml(title)}"></div></figure>`;
}

function notes(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<ul class="facts">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function rowTable(rows: readonly Row[]): string {
  const head = [
    'scenario',
    'subject',
    'load',
    'operation',
    'count',
    'errors',
    'per second',
    'min',
    'mean',
    'p50',
    'p90',
    'p99',
    'p99.9',
    'max',
    'p99 corrected',
  ];
  const body = rows.map((row) => {
    const times = [row.min, row.mean, row.p50, row.p90, row.p99, row.p999, row.max].map(formatNumber);
    const corrected = row.corrected === undefined ? '' : formatNumber(row.corrected.p99);
    const errors = row.errors === 0 ? '0' : `<span class="bad">${row.errors}</span>`;
    const words = [row.scenario, row.subject, describeLoad(row), row.operation].map(escapeHtml);
    return [...words, String(row.count), errors, formatNumber(row.throughput), ...times, corrected];
  });
  return table(head, body, 4);
}

function figureTable(figures: readonly Figure[]): string {
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
  const body = figures.map((figure) => [
    escapeHtml(figure.scenario),
    escapeHtml(figure.case),
    escapeHtml(figure.subject),
    formatNumber(figure.value),
    escapeHtml(figure.unit),
    formatNumber(Math.min(...figure.rounds)),
    formatNumber(Math.max(...figure.rounds)),
    ratioCell(figure),
    escapeHtml(figure.baseline ?? ''),
    escapeHtml(figure.note ?? ''),
  ]);
  return table(head, body, 3);
}

function ratioCell(figure: Figure): string {
  const text = escapeHtml(formatRatio(figure));
  const isReached = figure.ratio === undefined ? undefined : isBarReached(figure);
  return isReached === undefined ? text : `<span class="${isReached ? 'good' : 'bad'}">${text}</span>`;
}

/** What the project has asked of itself, first of all: reached or not. */
function barTable(figures: readonly Figure[]): string {
  const body = figures.flatMap((figure) => {
    if (figure.bar === undefined) return [];
    const verdict = isBarReached(figure) ? '<span class="good">reached</span>' : '<span class="bad">missed</span>';
    const words = [figure.scenario, figure.case, figure.subject].map(escapeHtml);
    return [[verdict, ...words, escapeHtml(formatReached(figure)), formatBar(figure.bar)]];
  });
  if (body.length === 0) return '';
  return `<h2>Bars</h2>\n${table(['', 'scenario', 'case', 'subject', 'measured', 'bar'], body, 4)}\n<h2>Plots</h2>`;
}

function table(head: readonly string[], body: readonly (readonly string[])[], wordColumns: number): string {
  const cell = (tag: string) => (text: string, index: number) =>
    `<${tag}${index < wordColumns ? ' class="word"' : ''}>${text}</${tag}>`;
  const lines = body.map((cells) => `<tr>${cells.map(cell('td')).join('')}</tr>`);
  return `<div class="table"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}

/** What a row's load was, in words: `5 clients, p 0.4`. */
export function describeLoad({ clients, p, rate, variant }: Pick<Row, 'clients' | 'p' | 'rate' | 'variant'>): string {
  const parts = [`${clients} ${clients === 1 ? 'client' : 'clients'}`];
  if (p !== undefined) parts.push(`p ${p}`);
  if (rate !== undefined) parts.push(`${rate}/s offered`);
  if (variant !== undefined) parts.push(variant);
  return parts.join(', ');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Nothing inside a script element may look like its end. */
function inScript(text: string): string {
  return text.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
}
