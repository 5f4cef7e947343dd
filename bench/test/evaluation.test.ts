// The page, its plots and the command that makes them belong together.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { STEPS } from '../evaluation/steps.js';
import { renderTables } from '../evaluation/tables.js';
import { parseBenchOptions } from '../run/bench-options.js';
import { ROOT } from '../run/paths.js';
import type { BenchResults, Row } from '../run/results.js';
import { sampleResults, sampleRow } from './sample-results.js';

const PAGE = path.join(ROOT, 'docs', 'evaluation.md');
const PLOTS = STEPS.flatMap(({ plots = [] }) => plots);

test('every step is a command line that bench takes', (t) => {
  for (const { argv } of STEPS) t.notThrows(() => parseBenchOptions(argv), argv.join(' '));
});

test('the page shows every plot that the steps make, and no other; none lies there unused', async (t) => {
  const shown = [...(await readFile(PAGE, 'utf8')).matchAll(/\(evaluation\/([\w-]+)\.svg\)/g)].map((match) => match[1]);
  t.deepEqual(shown.toSorted(), PLOTS.toSorted());
  t.deepEqual((await readdir(path.join(ROOT, 'docs', 'evaluation'))).sort(), PLOTS.map((plot) => `${plot}.svg`).sort());
});

function resultsOf(rows: readonly Row[]): BenchResults {
  return { ...sampleResults(), rows, figures: [] };
}

test('a table has a line for each load, with both kinds side by side, and a gap where nothing was measured', (t) => {
  const rows = [
    sampleRow(0.2, { clients: 1, throughput: 1238.4 }),
    sampleRow(1.5, { clients: 1, operation: 'order', throughput: 493 }),
    sampleRow(0.4, { clients: 5, throughput: 3011 }),
  ];
  const tables = renderTables(new Map([['clients', resultsOf(rows)]]));
  const lines = tables.split('## One to five clients\n\n')[1]!.trim().split('\n');
  t.is(lines[0], '| clients | query p50 | query p99 | queries/s | order p50 | order p99 | orders/s |');
  t.regex(lines[2]!, /^\| 1 \| 0\.2 ms \| [\d.]+ ms \| 1,238 \| 1\.5 ms \| [\d.]+ ms \| 493 \|$/);
  t.regex(lines[3]!, /^\| 5 \| 0\.4 ms \| [\d.]+ ms \| 3,011 \| {2}\| {2}\| {2}\|$/);
  t.is(lines.length, 4);
});

test('runs that are compared stand in one table; steps that are missing have none', (t) => {
  const order = (ms: number): Row => sampleRow(ms, { operation: 'order', clients: 64 });
  const tables = renderTables(
    new Map([
      ['commit', resultsOf([order(6)])],
      ['periodic', resultsOf([order(3)])],
    ]),
  );
  t.regex(tables, /\| clients \| order p50, commit \| periodic \|/);
  t.regex(tables, /\n\| 64 \| 6 ms \| 3 ms \|/);
  t.deepEqual(tables.match(/^## .*/gm), ['## What durability costs']);
});

test('bars stand last, with what was missed in bold', (t) => {
  const tables = renderTables(new Map([['speed', sampleResults()]]));
  t.regex(
    tables,
    /\| rate \| query, p99 at half of the top rate \| toystore \| 12\.5 ms \| at most 10 \| \*\*missed\*\* \|/,
  );
  t.regex(tables, /\| http \| .* \| toystore \| 1\.90 × node:http \| at least 1\.8 \| reached \|/);
});
