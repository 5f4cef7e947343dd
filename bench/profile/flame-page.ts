// flame-page.ts: one HTML file with a flame graph in it, and the library that draws it (d3-flame-graph): click to zoom,
// search by name, light and dark.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { BENCH_FOLDER } from '../run/paths.js';
import type { Frame } from './merge-profiles.js';

const LIBRARIES = ['d3/dist/d3.min.js', 'd3-flame-graph/dist/d3-flamegraph.umd.min.js'];
const LIBRARY_STYLE = 'd3-flame-graph/dist/d3-flamegraph.css';

const STYLE = `
:root { color-scheme: light dark; --text: #1f2430; --faint: #5c6370; --page: #f5f6f8; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8ee; --faint: #a3a9b6; --page: #0f1116; } }
body { margin: 1rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } p { color: var(--faint); margin: 0.25rem 0 1rem; }
input, button { font: inherit; padding: 0.3rem 0.6rem; } #details { min-height: 1.5em; margin: 0.5rem 0; overflow-wrap: anywhere; }
.d3-flame-graph-label { color: #1f2430; }
`;

const SCRIPT = `
const tree = JSON.parse(document.getElementById('tree').textContent);
const details = document.getElementById('details');
const place = document.getElementById('graph');
const chart = flamegraph.default().width(place.clientWidth).cellHeight(20).minFrameSize(1).transitionDuration(150).inverted(true).sort(true)
  .setDetailsElement(details)
  .setLabelHandler((d) => d.data.name + ': ' + d.value.toFixed(1) + ' ms, ' + (100 * d.value / tree.value).toFixed(1) + '%');
d3.select(place).datum(tree).call(chart);
document.getElementById('search').addEventListener('input', (e) => e.target.value === '' ? chart.clear() : chart.search(e.target.value));
document.getElementById('reset').addEventListener('click', () => { chart.resetZoom(); chart.clear(); });
document.body.dataset.drawn = String(document.querySelectorAll('#graph g').length);
`;

/** @param facts what was recorded, when and under which load */
export function renderFlamePage(tree: Frame, facts: string): string {
  const scripts = LIBRARIES.map((name) => `<script>${readPackageFile(name)}</script>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Toy store: processor time of every thread</title>
<style>${readPackageFile(LIBRARY_STYLE)}${STYLE}</style>
</head>
<body>
<h1>Where the processor time goes, all threads</h1>
<p>${facts.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>
<input id="search" type="search" placeholder="search a function or file"> <button id="reset">reset</button>
<div id="details"></div>
<div id="graph"></div>
<script type="application/json" id="tree">${JSON.stringify(tree).replaceAll('<', '\\u003c')}</script>
${scripts.join('\n')}
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/** By its path: these packages let programs import less than browsers may load. */
function readPackageFile(name: string): string {
  return readFileSync(path.join(BENCH_FOLDER, 'node_modules', name), 'utf8');
}
