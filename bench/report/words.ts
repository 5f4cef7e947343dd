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
  if (bar === undefined) return text;
  return `${text} (bar: ${'atLeast' in bar ? `at least ${formatNumber(bar.atLeast)}` : `at most ${formatNumber(bar.atMost)}`})`;
}
