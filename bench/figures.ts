// figures.ts: the one shape of a figure that is not about customers (nanoseconds of a lock, seconds of a start) or that sets
// two things side by side, and how it comes from the rounds that were measured.
//
// A scenario answers one question and measures everything that the answer compares in one run, its rounds interleaved
// (a, b, c, a, b, c, …), because a machine's speed drifts: only ratios between medians of one run mean anything.

/** What a ratio has to be for the project to be content; without a baseline, what the value has to be. */
export type Bar = { readonly atLeast: number } | { readonly atMost: number };

/** One measured subject in one case: a number with its unit, and how it stands beside the case's baseline. */
export interface Figure {
  readonly scenario: string;
  /** What every subject of this comparison was asked to do: `GET, 32 connections, one request at a time`. */
  readonly case: string;
  /** Who did it: `toystore`, `node:http`, `fastify`, `raw socket`. */
  readonly subject: string;
  /** The median over the rounds, in `unit`. */
  readonly value: number;
  /** `requests/s`, `ns`, `µs`, `MiB`, … */
  readonly unit: string;
  /** Which way is good. */
  readonly better: 'higher' | 'lower';
  /** Every round's value, in the order measured; their spread is the noise. One value if there was one round. */
  readonly rounds: readonly number[];
  /** The subject of the same case that `ratio` is taken against. */
  readonly baseline?: string | undefined;
  /** `value` divided by the baseline's `value` (both medians of this run). */
  readonly ratio?: number | undefined;
  readonly bar?: Bar | undefined;
  /** A caveat the reader needs beside the number, in one sentence. */
  readonly note?: string | undefined;
}

/** A row or figure as a scenario hands it over: the run adds the scenario's name. */
export type Measured<T extends { readonly scenario: string }> = Omit<T, 'scenario'>;

/** @param baseline measured in the same rounds; none, and there is no ratio */
export function figureOf(
  measured: Omit<Figure, 'scenario' | 'value' | 'baseline' | 'ratio'>,
  baseline?: Pick<Figure, 'subject' | 'rounds'>,
): Measured<Figure> {
  const value = median(measured.rounds);
  const ratio = baseline === undefined ? undefined : value / median(baseline.rounds);
  return { ...measured, value, baseline: baseline?.subject, ratio };
}

/** The middle value; between two middles, their mean. Takes a copy: the argument keeps its order. At least one value. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
