// The report as a reader gets it: opened in a real browser, in light and in dark, wide and narrow.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { parse } from 'csv-parse/sync';
import { PALETTES } from '../report/chart-style.js';
import { chartsOf } from '../report/charts.js';
import { renderTerminal } from '../report/terminal-report.js';
import { writeReport } from '../report/write-report.js';
import { inBrowser, openPage } from './browser.js';
import { sampleResults } from './sample-results.js';

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

let folder = '';
let page = '';

test.before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'toystore-report-'));
  page = await writeReport(sampleResults(), folder);
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

const open = (...flags: string[]): string => openPage(page, path.join(folder, 'browser'), ...flags);

/** The SVG that was drawn in the place of a chart. */
function drawingOf(dom: string, id: string): string {
  const from = dom.indexOf(`id="${id}"`);
  return from === -1 ? '' : dom.slice(from, dom.indexOf('</figure>', from));
}

for (const [scheme, flag] of [
  ['light', '--blink-settings=preferredColorScheme=1'],
  ['dark', '--blink-settings=preferredColorScheme=0'],
] as const) {
  inBrowser(`every chart is drawn in ${scheme} colours`, (t) => {
    const dom = open(flag);
    const charts = chartsOf(sampleResults());
    t.true(charts.length >= 12);
    t.regex(dom, new RegExp(`data-drawn="${charts.length}"`));
    for (const { id, title } of charts) {
      const drawing = drawingOf(dom, id);
      t.true((drawing.match(/<path/g) ?? []).length >= 5, `${title}: ${drawing.length} characters`);
      t.true((drawing.match(/<text/g) ?? []).length >= 3, `${title} has no words`);
      t.true(
        PALETTES[scheme].series.some((color) => drawing.includes(color)),
        title,
      );
    }
  });
}

inBrowser('axes are written by the formatters: milliseconds and percentiles', (t) => {
  const dom = open();
  t.regex(drawingOf(dom, 'latency-by-clients'), />0\.1 ms</);
  t.regex(drawingOf(dom, 'latency-by-percentile'), />99\.9%</);
});

inBrowser('on a narrow screen no chart is wider than the screen', (t) => {
  const dom = open('--window-size=500,900');
  for (const { id } of chartsOf(sampleResults())) {
    const width = /<svg[^>]*width="(\d+)/.exec(drawingOf(dom, id))?.[1];
    t.true(Number(width) > 200 && Number(width) < 500, `${id} is ${width} wide`);
  }
});

test('every bar has a line that says whether it was reached, in the page and on the terminal', async (t) => {
  const html = await readFile(page, 'utf8');
  t.is(html.match(/<span class="good">reached</g)?.length, 2);
  t.is(html.match(/<span class="bad">missed</g)?.length, 1);
  const bars = renderTerminal(sampleResults()).split('BARS\n')[1]!.split('\n\n')[0]!;
  t.deepEqual(bars.split('\n'), [
    '  reached  http: GET /products/Tux, 32 connections: toystore 1.90 × node:http (at least 1.8)',
    '  MISSED   rate: query, p99 at half of the top rate: toystore 12.5 ms (at most 10)',
    '  reached  compare: failed requests: toystore 0 requests (at most 0)',
  ]);
});

test('figures that are all zero have no chart', (t) => {
  const ids = chartsOf(sampleResults()).map(({ id }) => id);
  t.true(ids.includes('figures-rate-ms'));
  t.false(ids.includes('figures-compare-requests'));
});

test('the page needs nothing from elsewhere', async (t) => {
  const html = await readFile(page, 'utf8');
  t.false(/<script[^>]+src=/.test(html));
  const withoutScripts = html.replaceAll(/<script.*?<\/script>/gs, '');
  t.false(/<(link|img|iframe)|@import|url\(|https?:/.test(withoutScripts), withoutScripts.slice(0, 200));
});

test('words from outside are text in the page, not elements', async (t) => {
  const html = await readFile(page, 'utf8');
  t.regex(html, /A &lt;fast&gt; one/);
  t.regex(html, /a note with &lt;angles&gt; &amp; an ampersand/);
});

test('each chart is an SVG and a PNG file', async (t) => {
  const files = await readdir(path.join(folder, 'charts'));
  for (const { id } of chartsOf(sampleResults())) {
    t.true(files.includes(`${id}.svg`) && files.includes(`${id}.png`), id);
    const png = await readFile(path.join(folder, 'charts', `${id}.png`));
    t.deepEqual(png.subarray(0, PNG_SIGNATURE.length), PNG_SIGNATURE);
    t.true(png.length > 5000, `${id}.png is empty`);
  }
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

test('the CSV files have a line for every row and figure, with the machine in it', async (t) => {
  const { rows, figures } = sampleResults();
  const read = async (name: string): Promise<Record<string, string>[]> =>
    parse(await readFile(path.join(folder, name)), { columns: true });
  const latencies = await read('latencies.csv');
  t.is(latencies.length, rows.length);
  t.like(latencies[0], { scenario: 'clients', operation: 'query', clients: '1', node: 'v20.19.0', commit: 'abc1234' });
  t.is((await read('figures.csv')).length, figures.length);
});
