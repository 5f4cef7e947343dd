// words.ts: how figures are written in tables, on the terminal and in the page alike.

import type { Result } from '../result.js';

const PLAIN_FROM = 100;
const SIGNIFICANT_DIGITS = 3;

/** Three digits that matter, thousands apart: 0.215, 21.5, 15 400. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) < PLAIN_FROM) return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `1.85 (bar: at least 1.8)`. */
export function formatRatio({ ratio, bar }: Pick<Result, 'ratio' | 'bar'>): string {
  if (ratio === undefined) return '';
  const text = ratio.toPrecision(SIGNIFICANT_DIGITS);
  return bar === undefined ? text : `${text} (bar: ${formatBar(bar)})`;
}

/** `at least 1.8`. */
export function formatBar(bar: NonNullable<Result['bar']>): string {
  return 'atLeast' in bar ? `at least ${formatNumber(bar.atLeast)}` : `at most ${formatNumber(bar.atMost)}`;
}

/** Whether a figure is as it has to be; undefined where nothing is asked of it. */
export function isBarReached({ bar, ratio, value }: Pick<Result, 'bar' | 'ratio' | 'value'>): boolean | undefined {
  if (bar === undefined) return undefined;
  const reached = ratio ?? value;
  return 'atLeast' in bar ? reached >= bar.atLeast : reached <= bar.atMost;
}

/** What a bar is held against: `11.0 × fastify`, `7.4 ms`. */
export function formatReached({ ratio, baseline, value, unit }: Result): string {
  return ratio === undefined
    ? `${formatNumber(value)} ${unit}`
    : `${ratio.toPrecision(SIGNIFICANT_DIGITS)} × ${baseline}`;
}
