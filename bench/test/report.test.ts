// The report as a reader gets it.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { PALETTES } from '../report/chart-style.js';
import { chartsOf } from '../report/charts.js';
import { renderTerminal } from '../report/terminal-report.js';
import { writeReport } from '../report/write-report.js';
import type { BenchResults } from '../run/results.js';
import { sampleFigure, sampleResults } from './sample-results.js';

const LONG = 'a case whose name is so long that no line of any terminal would hold it together with all that is said';

let folder = '';
let html = '';

test.before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'toystore-report-'));
  html = await readFile(await writeReport(sampleResults(), folder), 'utf8');
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

test('every chart is drawn, once in light colours and once in dark ones', (t) => {
  const charts = chartsOf(sampleResults());
  t.true(charts.length >= 14);
  for (const { id, title } of charts) {
    const from = html.indexOf(`id="${id}"`);
    const drawings = html.slice(from, html.indexOf('</figure>', from)).split('<div class="dark">');
    for (const [index, scheme] of (['light', 'dark'] as const).entries()) {
      const drawing = drawings[index]!;
      t.true((drawing.match(/<path/g) ?? []).length >= 5, `${title}: ${drawing.length} characters`);
      t.true((drawing.match(/<text/g) ?? []).length >= 3, `${title} has no words`);
      t.true(
        PALETTES[scheme].series.some((color) => drawing.includes(color)),
        `${title} in ${scheme}`,
      );
    }
  }
});

test('axes are written by the formatters: milliseconds and percentiles', (t) => {
  t.regex(html, />0\.1 ms</);
  t.regex(html, />99\.9%</);
});

/** The lines of the bars on the terminal. */
function barsOf(changes: Partial<BenchResults>): string[] {
  const text = renderTerminal({ ...sampleResults(), ...changes });
  return text.split('BARS\n')[1]!.split('\n\n')[0]!.split('\n').slice(3);
}

test('every bar has a line that says whether it was reached, on the terminal and in the page', (t) => {
  t.deepEqual(barsOf({}), [
    '  reached     http: GET /products/Tux, 32 connections: toystore 1.90 × node:http (at least 1.8)',
    '  MISSED      rate: query, p99 at half of the top rate: toystore 12.5 ms (at most 10)',
    '  reached     compare: failed requests: toystore 0 requests (at most 0)',
  ]);
  t.is(html.match(/class="word reached">reached</g)?.length, 2);
  t.is(html.match(/class="word missed">missed</g)?.length, 1);
});

const NOT_JUDGED: readonly [changes: Partial<BenchResults>, why: string][] = [
  [{ quick: true }, 'the rounds of a quick run are too short'],
  [{ noise: { http: 0.5, rate: 0.31 } }, "the machine's own noise was 31 %"],
];
for (const [changes, why] of NOT_JUDGED) {
  test(`a bar that is missed is not judged where ${why}; one that is reached is reached`, (t) => {
    const bars = barsOf(changes).join(' ').replaceAll(/\s+/g, ' ');
    t.true(bars.includes(`not judged rate: query, p99 at half of the top rate: toystore 12.5 ms (at most 10): ${why}`));
    t.is(bars.match(/\breached\b/g)?.length, 2);
    t.false(bars.includes('MISSED'));
  });
}

test('what a bar means and how loud the machine was stand above the bars', (t) => {
  const text = renderTerminal(sampleResults()).replaceAll(/\s+/g, ' ');
  t.regex(
    text,
    /BARS A bar is what the project asks of itself; a miss counts only in a long run on a quiet machine\. /,
  );
  t.regex(text, /The machine's own noise.*: http 3 %, rate 4 %, compare 5 % \(loud above 15 %\)\./);
});

test('no line on the terminal is wider than a hundred columns', (t) => {
  const figures = [
    sampleFigure(1, { case: LONG, subject: LONG, note: LONG, ratio: 2, baseline: LONG, bar: { atLeast: 3 } }),
  ];
  const rows = sampleResults().rows.map((row) => ({
    ...row,
    subject: `${row.subject} of a rather long name`,
    late: 3,
  }));
  for (const changes of [{}, { figures, rows, notes: [LONG] }]) {
    for (const line of renderTerminal({ ...sampleResults(), ...changes }).split('\n')) t.true(line.length <= 100, line);
  }
});

test('the page needs nothing from elsewhere, and no script', (t) => {
  t.false(/<script|<link|<img|<iframe|@import|url\((?!['"]?#)/.test(html));
});

test('words from outside are text in the page, not elements', (t) => {
  t.regex(html, /A &lt;fast&gt; one/);
  t.regex(html, /a note with &lt;angles&gt; &amp; an ampersand/);
});

test('each chart is an SVG file', async (t) => {
  const files = await readdir(path.join(folder, 'charts'));
  t.deepEqual(
    files.sort(),
    chartsOf(sampleResults())
      .map(({ id }) => `${id}.svg`)
      .sort(),
  );
  for (const file of files) t.regex(await readFile(path.join(folder, 'charts', file), 'utf8'), /^<svg .*<\/svg>$/s);
});

test('in results.json every row has clients, operation, p50 and p99', async (t) => {
  const { rows } = JSON.parse(await readFile(path.join(folder, 'results.json'), 'utf8'));
  t.is(rows.length, sampleResults().rows.length);
  for (const row of rows) {
    t.true(Number.isInteger(row.clients));
    t.true(['query', 'order'].includes(row.operation));
    t.true(row.p50 > 0 && row.p99 >= row.p50);
  }
});

test('the tables are there as Markdown, with bars, rows and the commit', async (t) => {
  const text = await readFile(path.join(folder, 'tables.md'), 'utf8');
  t.regex(text, /^`npm run bench`, .* commit abc1234$/m);
  t.regex(
    text,
    /\| missed \| rate \| query, p99 at half of the top rate \| toystore \| 12\.5 ms \| at most 10 \| {2}\|/,
  );
  t.regex(text, /\| clients \| toystore \| 5 clients, p 0\.4 \| query \| 1,000 \| 0 \|/);
});
