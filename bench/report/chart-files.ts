// chart-files.ts: charts as SVG and PNG files for documents. ECharts writes the SVG without a browser; resvg turns it
// into pixels with a font that is among the packages, so that no machine needs fonts of its own.

import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import * as echarts from 'echarts';
import { type Chart, PALETTES, type Scheme } from './chart-style.js';
import { putFormatters } from './formatters.js';
import { paint } from './paint.js';

const WIDTH = 760;
/** Pixels of the PNG for each of the chart's. */
const PNG_SCALE = 2;
const FONT = 'DejaVu Sans';
const FONT_FILE = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

/** The chart with its title, as SVG text. */
export function renderSvg(chart: Chart, scheme: Scheme): string {
  const size = { width: WIDTH, height: chart.height };
  const drawing = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    const palette = PALETTES[scheme];
    const painted = paint(chart.option, palette);
    drawing.setOption({
      ...(putFormatters(painted) as echarts.EChartsCoreOption),
      textStyle: { color: palette.text, fontFamily: FONT },
      title: { text: chart.title, left: 12, top: 4, textStyle: { color: palette.text, fontSize: 15 } },
      legend: { ...(painted.legend as object), type: 'plain', top: 32 },
      grid: { ...(painted.grid as object), top: 86 },
    });
    return drawing.renderToSVGString();
  } finally {
    drawing.dispose();
  }
}

/** Writes `<id>.svg` and `<id>.png`, in light colours, for each chart. */
export async function writeChartFiles(charts: readonly Chart[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const chart of charts) {
    const svg = renderSvg(chart, 'light');
    await writeFile(path.join(folder, `${chart.id}.svg`), svg);
    await writeFile(path.join(folder, `${chart.id}.png`), renderPng(svg));
  }
}

function renderPng(svg: string): Buffer {
  const font = { fontFiles: [FONT_FILE], loadSystemFonts: false, defaultFontFamily: FONT };
  return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: PNG_SCALE } }).render().asPng();
}
