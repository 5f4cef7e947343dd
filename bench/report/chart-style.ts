// chart-style.ts: colours and the parts that all charts share. Two palettes, for light and dark pages; a chart names
// colours by role (`query`, `order`, …) and gets them when it is drawn for one or the other.
//
// Within a chart colour says what was measured and the line's dash which percentile, so that neither has to be told
// apart by colour alone. The hues stay apart for colour-blind eyes (Okabe and Ito's, darkened or lightened).

import { formatterMark } from './formatters.js';

/** A chart as data: its words, and an ECharts option in which functions and colours are names. */
export interface Chart {
  /** Name of its files and of its place in the page. */
  readonly id: string;
  readonly title: string;
  /** What to see in it, and how it was measured, in a sentence or two. */
  readonly caption: string;
  readonly option: Readonly<Record<string, unknown>>;
  /** In pixels; wide enough is whatever the page has. */
  readonly height: number;
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

/** Which of the scheme's colours queries and orders always have. */
export const QUERY_COLOR = 0;
export const ORDER_COLOR = 1;

const HEIGHT = 340;
const FONT_SIZE = 12;
/** Of sideways bars. */
const BAR_WIDTH = 16;
const NAME_WIDTH = 150;
const MIN_GROUP_HEIGHT = 46;
const FRAME_HEIGHT = 110;

/** One line: points of the category axis, or [x, y] pairs. */
export interface Line {
  readonly name: string;
  readonly colorIndex: number;
  readonly dashed?: boolean;
  readonly data: readonly (number | null | readonly [number, number])[];
  readonly symbol?: boolean;
}

/** What stands around a chart. */
export interface Words {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
}

interface Axes {
  readonly xName: string;
  /** Names along x; left out: x is a log axis of percentiles. */
  readonly categories?: readonly string[];
  readonly yName: string;
  readonly yFormat: 'ms' | 'count';
  readonly yLog?: boolean;
}

/** Lines over categories or percentiles. */
export function lineChart(words: Words, axes: Axes, lines: readonly Line[]): Chart {
  const series = lines.map(({ name, colorIndex, dashed = false, data, symbol = true }) => ({
    type: 'line',
    name,
    data,
    colorIndex,
    symbol: symbol ? 'circle' : 'none',
    symbolSize: 6,
    lineStyle: { width: 2, type: dashed ? 'dashed' : 'solid' },
  }));
  return { ...words, height: HEIGHT, option: frame(axes, series) };
}

/** Bars over categories, one group for each. */
export function barChart(words: Words, axes: Axes, bars: readonly Line[], touching = false): Chart {
  const series = bars.map(({ name, colorIndex, data }) => ({
    type: 'bar',
    name,
    data,
    colorIndex,
    barGap: touching ? '-100%' : '10%',
    barCategoryGap: touching ? '4%' : '28%',
    itemStyle: touching ? { opacity: 0.65 } : {},
  }));
  return { ...words, height: HEIGHT, option: frame(axes, series) };
}

/** Bars to the right, one group for each of the names along the left: for names that are too long to stand below. */
export function sidewaysBarChart(
  words: Words,
  names: readonly string[],
  unit: string,
  bars: readonly Line[],
  isLog: boolean,
): Chart {
  const series = bars.map(({ name, colorIndex, data }) => ({
    type: 'bar',
    name,
    data,
    colorIndex,
    barMaxWidth: BAR_WIDTH,
  }));
  const axes: Axes = { xName: unit, categories: names, yName: '', yFormat: 'count', yLog: isLog };
  const { xAxis, yAxis, grid, ...rest } = frame(axes, series);
  const option = {
    ...rest,
    grid: { ...(grid as object), left: 40, right: 24, bottom: 40 },
    xAxis: { ...(yAxis as object), name: unit, nameLocation: 'middle', nameGap: 30, splitNumber: 4 },
    yAxis: {
      ...(xAxis as object),
      name: '',
      inverse: true,
      axisLabel: { width: NAME_WIDTH, overflow: 'break', fontSize: FONT_SIZE - 1, lineHeight: FONT_SIZE + 2 },
    },
  };
  return {
    ...words,
    height: FRAME_HEIGHT + names.length * Math.max(MIN_GROUP_HEIGHT, bars.length * BAR_WIDTH + 12),
    option,
  };
}

function frame(axes: Axes, series: readonly { readonly name: string }[]): Record<string, unknown> {
  const { xName, categories, yName, yFormat, yLog = false } = axes;
  const name = { nameLocation: 'middle', nameTextStyle: { fontSize: FONT_SIZE } };
  const xAxis =
    categories === undefined
      ? { type: 'log', logBase: 10, min: 1, axisLabel: { formatter: formatterMark('percentile') } }
      : { type: 'category', data: categories, axisLabel: { hideOverlap: true } };
  return {
    animation: false,
    tooltip: { trigger: 'axis', confine: true, valueFormatter: formatterMark(yFormat) },
    legend: { type: 'scroll', top: 0, itemWidth: 34, itemGap: 16, data: series.map((one) => one.name) },
    grid: { left: 12, right: categories === undefined ? 36 : 16, top: 56, bottom: 30, containLabel: true },
    xAxis: { ...name, ...xAxis, name: xName, nameGap: 30 },
    yAxis: {
      type: yLog ? 'log' : 'value',
      name: yName,
      nameTextStyle: { fontSize: FONT_SIZE, align: 'left' },
      nameGap: 12,
      axisLabel: { formatter: formatterMark(yFormat) },
    },
    series,
  };
}
