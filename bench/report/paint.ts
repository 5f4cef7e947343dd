// paint.ts: gives a chart the colours of a scheme. Like the formatters it runs here (for files) and, as text, in the
// page (when the reader's system changes between light and dark), so it stands by itself.

import { PALETTES, type Scheme } from './chart-style.js';

type Option = Record<string, unknown>;
type Palette = (typeof PALETTES)[Scheme];

/** A copy of the option with colours in it. */
export function paint(option: Readonly<Option>, palette: Palette): Option {
  const axis = (of: unknown) => ({
    ...(of as Option),
    nameTextStyle: { ...((of as Option).nameTextStyle as Option), color: palette.faint },
    axisLabel: { ...((of as Option).axisLabel as Option), color: palette.faint },
    axisLine: { lineStyle: { color: palette.grid } },
    splitLine: { lineStyle: { color: palette.grid } },
    minorSplitLine: { show: false },
  });
  const series = (option.series as Option[]).map((one) => {
    const color = palette.series[(one.colorIndex as number) % palette.series.length];
    return { ...one, color, itemStyle: { ...((one.itemStyle as Option | undefined) ?? {}), color } };
  });
  return {
    ...option,
    backgroundColor: palette.background,
    textStyle: { color: palette.text },
    legend: {
      ...(option.legend as Option),
      textStyle: { color: palette.text },
      pageTextStyle: { color: palette.text },
    },
    tooltip: {
      ...(option.tooltip as Option),
      backgroundColor: palette.background,
      borderColor: palette.grid,
      textStyle: { color: palette.text },
    },
    xAxis: axis(option.xAxis),
    yAxis: axis(option.yAxis),
    series,
  };
}

/** JavaScript that defines the same `paint` and `PALETTES` in a page. */
export function paintScript(): string {
  return `const PALETTES = ${JSON.stringify(PALETTES)};\n${paint.toString()}`;
}
