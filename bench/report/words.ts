// words.ts: how figures, loads and bars are written, on the terminal, in the page and in tables alike.

import type { Bar, Figure } from '../figures.js';
import { NOISE_MAX } from '../run/noise.js';
import type { BenchResults, Row } from '../run/results.js';

const PLAIN_FROM = 100;
const SIGNIFICANT_DIGITS = 3;
/** Of the terminal. */
export const COLUMNS = 100;

/** What a reader must know to read the bars, in a line. */
export const BARS_MEANING =
  'A bar is what the project asks of itself; a miss counts only in a long run on a quiet machine.';

/** Three digits that matter, thousands apart: 0.215, 21.5, 15 400. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) < PLAIN_FROM) return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `1.85 (bar: at least 1.8)`. */
export function formatRatio({ ratio, bar }: Pick<Figure, 'ratio' | 'bar'>): string {
  if (ratio === undefined) return '';
  const text = ratio.toPrecision(SIGNIFICANT_DIGITS);
  return bar === undefined ? text : `${text} (bar: ${formatBar(bar)})`;
}

/** `at least 1.8`. */
export function formatBar(bar: Bar): string {
  return 'atLeast' in bar ? `at least ${formatNumber(bar.atLeast)}` : `at most ${formatNumber(bar.atMost)}`;
}

/** What a bar is held against: `11.0 × fastify`, `7.4 ms`. */
export function formatReached({ ratio, baseline, value, unit }: Figure): string {
  return ratio === undefined
    ? `${formatNumber(value)} ${unit}`
    : `${ratio.toPrecision(SIGNIFICANT_DIGITS)} × ${baseline}`;
}

/** Whether a figure is as it has to be; undefined where nothing is asked of it. */
export function isBarReached({ bar, ratio, value }: Pick<Figure, 'bar' | 'ratio' | 'value'>): boolean | undefined {
  if (bar === undefined) return undefined;
  const reached = ratio ?? value;
  return 'atLeast' in bar ? reached >= bar.atLeast : reached <= bar.atMost;
}

/** What became of a bar, with the reason where a miss says nothing of the store. */
export interface Verdict {
  readonly word: 'reached' | 'missed' | 'not judged';
  readonly why: string;
}

/** Of a figure with a bar. */
export function verdictOf(figure: Figure, { quick, noise }: Pick<BenchResults, 'quick' | 'noise'>): Verdict {
  if (isBarReached(figure)) return { word: 'reached', why: '' };
  if (quick) return { word: 'not judged', why: 'the rounds of a quick run are too short' };
  const spread = noise[figure.scenario] ?? 0;
  if (spread <= NOISE_MAX) return { word: 'missed', why: '' };
  return { word: 'not judged', why: `the machine's own noise was ${formatPercent(spread)}` };
}

/** `the machine's own noise: http 4 %, rate 31 % (loud above 15 %)`. */
export function formatNoise(noise: BenchResults['noise']): string {
  const parts = Object.entries(noise).map(([scenario, spread]) => `${scenario} ${formatPercent(spread)}`);
  return `The machine's own noise, by a fixed reference between the loads: ${parts.join(', ')} (loud above ${formatPercent(NOISE_MAX)}).`;
}

function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** What a row's load was, in words: `5 clients, p 0.4`. */
export function describeLoad({ clients, p, rate, variant }: Pick<Row, 'clients' | 'p' | 'rate' | 'variant'>): string {
  const parts = [`${clients} ${clients === 1 ? 'client' : 'clients'}`];
  if (p !== undefined) parts.push(`p ${p}`);
  if (rate !== undefined) parts.push(`${rate}/s offered`);
  if (variant !== undefined) parts.push(variant);
  return parts.join(', ');
}

/** The text in lines that fit the terminal: broken between words; all but the first begin with `indent`. */
export function wrap(text: string, indent: string): string {
  const [, start = '', rest = ''] = /^(\s*)(.*)$/s.exec(text) ?? [];
  const lines: string[] = [];
  let line = start;
  for (const [index, word] of rest.split(' ').entries()) {
    if (index > 0 && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line += `${index === 0 ? '' : ' '}${word}`;
  }
  return [...lines, line].join('\n');
}
