// write-report.ts: puts everything a run leaves behind into its folder:
//
//   results.json   every figure, each round, the histograms     latencies.csv, figures.csv   the same as tables
//   report.html    the page                                     charts/*.svg, charts/*.png   the plots for documents

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BenchResults } from '../run/results.js';
import { writeChartFiles } from './chart-files.js';
import { chartsOf } from './charts.js';
import { renderFiguresCsv, renderRowsCsv } from './csv-report.js';
import { renderHtml } from './html-report.js';

/** @returns the path of the page */
export async function writeReport(results: BenchResults, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const put = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };
  // The figures first: whatever becomes of the pictures, they are kept.
  await put('results.json', `${JSON.stringify(results, null, 2)}\n`);
  await put('latencies.csv', renderRowsCsv(results));
  await put('figures.csv', renderFiguresCsv(results));
  const charts = chartsOf(results);
  const page = await put('report.html', renderHtml(results, charts));
  await writeChartFiles(charts, path.join(folder, 'charts'));
  return page;
}
