// chart-style.ts: colours, numbers on axes and the parts that all charts share. There are two palettes, for light and for
// dark pages.
//
// Within a chart colour says what was measured and the line's dash which percentile, so that neither has to be told
// apart by colour alone. The hues stay apart for colour-blind eyes (Okabe and Ito's, darkened or lightened).

import * as echarts from 'echarts';

/** A chart as data: its words, and ECharts axes and series in which colours are places in the palette. */
export interface Chart extends Words {
  readonly xAxis: object;
  readonly yAxis: object;
  readonly series: readonly (Line & { readonly type: 'line' | 'bar'; readonly [option: string]: unknown })[];
}

export type Scheme = 'light' | 'dark';

/** The colours of a scheme, by role. */
export const PALETTES = {
  light: {
    text: '#1f2430',
    faint: '#5c6370',
    grid: '#dfe2e8',
    background: '#ffffff',
    series: ['#0b6bb5', '#c2570c', '#0f8a62', '#a8427f', '#8a6d00', '#4b5563'],
  },
  dark: {
    text: '#e6e8ee',
    faint: '#a3a9b6',
    grid: '#343a46',
    background: '#171a21',
    series: ['#5eb3f5', '#f59a57', '#45c99a', '#e08cc0', '#e0c04c', '#b4bac6'],
  },
} as const satisfies Record<Scheme, unknown>;

const WIDTH = 760;
const HEIGHT = 340;
const FONT = 'DejaVu Sans, Verdana, sans-serif';
const FONT_SIZE = 12;
const TITLE_SIZE = 15;

/** One line or group of bars: points of the category axis, or [x, y] pairs. */
export interface Line {
  readonly name: string;
  readonly colorIndex: number;
  readonly dashed?: boolean;
  readonly data: readonly (number | null | readonly [number, number])[];
}

/** What stands around a chart. */
export interface Words {
  /** Name of its file. */
  readonly id: string;
  readonly title: string;
  /** What to see in it, and how it was measured, in a sentence or two. */
  readonly caption: string;
}

/** The axes of a chart. */
export interface Axes {
  readonly xName: string;
  /** Names along x; left out: x is a log axis of percentiles. */
  readonly categories?: readonly string[];
  readonly yName: string;
  readonly yFormat: keyof typeof FORMATTERS;
  readonly yLog?: boolean;
}

/** How numbers on axes are written. */
export const FORMATTERS = {
  /** 0.05 ms, 20 ms, 1.2 s */
  ms: (value: number) => (value >= 1000 ? `${digits(value / 1000)} s` : `${digits(value)} ms`),
  /** 950, 12k, 1.2M */
  count: (value: number) => {
    if (value >= 1e6) return `${digits(value / 1e6)}M`;
    return value >= 1e3 ? `${digits(value / 1e3)}k` : digits(value);
  },
  /** The axis of a percentile plot holds 1 / (1 - p): 1, 10, 100 are 0%, 90%, 99%. */
  percentile: (value: number) => `${Number((100 - 100 / value).toFixed(5))}%`,
} as const;

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Lines over categories or percentiles. */
export function lineChart(words: Words, axes: Axes, lines: readonly Line[]): Chart {
  const series = lines.map((line) => ({
    ...line,
    type: 'line' as const,
    symbol: axes.categories === undefined ? 'none' : 'circle',
    symbolSize: 6,
    lineStyle: { width: 2, type: line.dashed ? 'dashed' : 'solid' },
  }));
  return { ...words, ...axesOf(axes), series };
}

/** Bars over categories: side by side, or one group in front of the other where they touch. */
export function barChart(words: Words, axes: Axes, bars: readonly Line[], touching = false): Chart {
  const series = bars.map((bar) => ({
    ...bar,
    type: 'bar' as const,
    barGap: touching ? '-100%' : '10%',
    barCategoryGap: touching ? '4%' : '28%',
    itemStyle: touching ? { opacity: 0.65 } : {},
  }));
  return { ...words, ...axesOf(axes), series };
}

function axesOf({ xName, categories, yName, yFormat, yLog = false }: Axes): Pick<Chart, 'xAxis' | 'yAxis'> {
  const xAxis =
    categories === undefined
      ? { type: 'log', logBase: 10, min: 1, axisLabel: { formatter: FORMATTERS.percentile } }
      : { type: 'category', data: categories, axisLabel: { hideOverlap: true } };
  return {
    xAxis: { ...xAxis, name: xName, nameLocation: 'middle', nameGap: 30 },
    yAxis: {
      type: yLog ? 'log' : 'value',
      name: yName,
      nameGap: 12,
      nameTextStyle: { align: 'left' },
      axisLabel: { formatter: FORMATTERS[yFormat] },
    },
  };
}

/** The chart with its title as SVG text, as ECharts draws it without a browser. */
export function renderSvg({ title, xAxis, yAxis, series }: Chart, scheme: Scheme): string {
  const palette = PALETTES[scheme];
  const axis = (of: Readonly<Record<string, unknown>>) => ({
    ...of,
    nameTextStyle: { fontSize: FONT_SIZE, color: palette.faint, ...(of.nameTextStyle as object) },
    axisLabel: { color: palette.faint, ...(of.axisLabel as object) },
    axisLine: { lineStyle: { color: palette.grid } },
    splitLine: { lineStyle: { color: palette.grid } },
    minorSplitLine: { show: false },
  });
  const drawing = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    drawing.setOption({
      animation: false,
      backgroundColor: palette.background,
      textStyle: { color: palette.text, fontFamily: FONT },
      title: { text: title, left: 12, top: 4, textStyle: { color: palette.text, fontSize: TITLE_SIZE } },
      legend: { top: 32, itemWidth: 34, itemGap: 16, textStyle: { color: palette.text } },
      grid: { left: 12, right: 24, top: 86, bottom: 30, containLabel: true },
      xAxis: axis(xAxis as Record<string, unknown>),
      yAxis: axis(yAxis as Record<string, unknown>),
      series: series.map((one) => {
        const color = palette.series[one.colorIndex % palette.series.length];
        return { ...one, color, itemStyle: { ...(one.itemStyle as object), color } };
      }),
    } as unknown as echarts.EChartsCoreOption);
    return drawing.renderToSVGString();
  } finally {
    drawing.dispose();
  }
}
