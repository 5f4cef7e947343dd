// write-report.ts: puts everything a run leaves behind into its folder:
//
//   results.json   every figure, each round, the histograms     charts/*.svg   the plots for documents
//   report.html    the page                                     tables.md      the page's tables as Markdown

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BenchResults } from '../run/results.js';
import { renderSvg } from './chart-style.js';
import { chartsOf } from './charts.js';
import { renderHtml } from './html-report.js';
import { renderMarkdown } from './tables.js';

/** @returns the path of the page */
export async function writeReport(results: BenchResults, folder: string): Promise<string> {
  await mkdir(path.join(folder, 'charts'), { recursive: true });
  const put = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };
  // The figures first: whatever becomes of the pictures, they are kept.
  await put('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await put('tables.md', renderMarkdown(results));
  const charts = chartsOf(results);
  for (const chart of charts) await put(path.join('charts', `${chart.id}.svg`), renderSvg(chart, 'light'));
  return put('report.html', renderHtml(results, charts));
}
