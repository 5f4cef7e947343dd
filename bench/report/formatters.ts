// formatters.ts: how numbers on axes are written. Charts are plain data, so that they can be stood in a page as JSON;
// a formatter is named in them (`@ms`) and put in its place where they are drawn: here, and in the page, which gets the
// text of these functions. So each of them stands by itself and uses nothing from outside.

type Formatter = (value: number) => string;

/** Every formatter that a chart may name. */
export const FORMATTERS: Readonly<Record<string, Formatter>> = {
  /** 0.05 ms, 20 ms, 1.2 s */
  ms: (value) => (value >= 1000 ? `${Number((value / 1000).toPrecision(3))} s` : `${Number(value.toPrecision(3))} ms`),
  /** 950, 12k, 1.2M */
  count: (value) => {
    if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
    if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
    return String(Number(value.toPrecision(3)));
  },
  /** The axis of a percentile plot holds 1 / (1 - p): 1, 10, 100 are 0%, 90%, 99%. */
  percentile: (value) => `${Number((100 - 100 / value).toFixed(5))}%`,
};

const MARK = '@';

/** The name under which a chart asks for a formatter. */
export function formatterMark(name: keyof typeof FORMATTERS): string {
  return `${MARK}${name}`;
}

/** A copy of a chart with functions where it named them. */
export function putFormatters(option: unknown): unknown {
  if (Array.isArray(option)) return option.map(putFormatters);
  if (typeof option === 'string' && option.startsWith(MARK)) return FORMATTERS[option.slice(MARK.length)] ?? option;
  if (typeof option !== 'object' || option === null) return option;
  return Object.fromEntries(Object.entries(option).map(([key, value]) => [key, putFormatters(value)]));
}

/** JavaScript that defines the same `putFormatters` in a page. */
export function formattersScript(): string {
  const entries = Object.entries(FORMATTERS).map(([name, format]) => `${JSON.stringify(name)}: ${format.toString()}`);
  return `const MARK = ${JSON.stringify(MARK)};
const FORMATTERS = {${entries.join(',\n')}};
${putFormatters.toString()}`;
}
