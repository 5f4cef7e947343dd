// html-report.ts: the report as one HTML file that needs nothing else, not even a script: plots are drawn beforehand, each
// for light and for dark, and the page shows the one that fits the reader's system. The exact values are in its tables.

import type { BenchResults } from '../run/results.js';
import { type Chart, renderSvg } from './chart-style.js';
import { type Table, tablesOf } from './tables.js';
import { BARS_MEANING, formatNoise } from './words.js';

const STYLE = `
:root { color-scheme: light dark; --text: #1f2430; --faint: #5c6370; --line: #dfe2e8; --page: #f5f6f8; --card: #fff; --good: #0f7a55; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8ee; --faint: #a3a9b6; --line: #343a46; --page: #0f1116; --card: #171a21; --good: #45c99a; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0.5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; } h3 { font-size: 1.05rem; margin: 0 0 0.25rem; }
.facts, .caption, footer { color: var(--faint); font-size: 0.9rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; padding: 0.9rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figure p { margin: 0.5rem 0 0; }
.plot { overflow-x: auto; } .plot svg { display: block; width: 100%; min-width: 32rem; height: auto; }
.dark { display: none; }
@media (prefers-color-scheme: dark) { .light { display: none; } .dark { display: block; } }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.85rem; }
th, td { padding: 0.35rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: var(--card); } .word { text-align: left; }
.reached { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
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
${results.complete ? '' : '<p class="missed">This run was ended early: it holds what had been measured until then.</p>'}
${notes(results.notes)}
<p class="facts">${escapeHtml(BARS_MEANING)} ${escapeHtml(formatNoise(results.noise))}</p>
<div class="charts">
${charts.map(figure).join('\n')}
</div>
${tablesOf(results).map(table).join('\n')}
<footer><p>Errors are counted apart and are in no latency. In a closed loop a client waits for each answer, which hides
what others would have waited meanwhile; the open loop of the scenario “rate” does not. Percentiles are of all rounds
together, throughput is the median of the rounds. All figures, with each round and the histograms: results.json.</p></footer>
</body>
</html>
`;
}

function figure(chart: Chart): string {
  const drawings = (['light', 'dark'] as const).map((scheme) => {
    return `<div class="${scheme}">${renderSvg(chart, scheme)}</div>`;
  });
  return `<figure id="${escapeHtml(chart.id)}"><div class="plot" role="img" aria-label="${escapeHtml(chart.title)}">${drawings.join('')}</div>
<p class="caption">${escapeHtml(chart.caption)}</p></figure>`;
}

function notes(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<ul class="facts">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function table({ title, head, lines, wordColumns }: Table): string {
  const cells = (tag: string, texts: readonly string[]): string =>
    texts.map((text, index) => cell(tag, text, index < wordColumns)).join('');
  const body = lines.map((texts) => `<tr>${cells('td', texts)}</tr>`);
  return `<h2>${escapeHtml(title)}</h2>
<div class="table"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

function cell(tag: string, text: string, isWord: boolean): string {
  const classes = [...(isWord ? ['word'] : []), ...(text === 'reached' || text === 'missed' ? [text] : [])];
  return `<${tag}${classes.length === 0 ? '' : ` class="${classes.join(' ')}"`}>${escapeHtml(text)}</${tag}>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
