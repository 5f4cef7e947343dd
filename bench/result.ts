// result.ts: the one shape in which every benchmark hands over what it measured, and the door by which it is called.
//
//   bench/<folder>/<question>.bench.ts   exports   run: RunBenchmark
//
// A benchmark answers one question and measures everything that the answer compares in one run, its rounds interleaved
// (a, b, c, a, b, c, …), because this machine's speed drifts: only ratios between medians of one run mean anything.
// This file knows no scenario and prints nothing; what becomes of results is the report's affair.

/** What a benchmark is told by whoever runs it. */
export interface RunOptions {
  /** Roughly a quarter of the time: fewer and shorter rounds, the same cases. */
  readonly quick: boolean;
  /** A built checkout of another commit, to measure beside this one. */
  readonly baseline?: string | undefined;
  /** Called with one short line whenever the benchmark goes on to its next step. */
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Aborted by Ctrl-C: stop soon, and resolve with what was measured so far. */
  readonly signal?: AbortSignal | undefined;
}

/** The export `run` of every `bench/<folder>/<question>.bench.ts`. Rejects only when nothing could be measured. */
export type RunBenchmark = (options: RunOptions) => Promise<Result[]>;

/** A distribution of latencies, in milliseconds. Errors are counted beside it, never in it. */
export interface LatencyFigures {
  readonly count: number;
  readonly errors: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One measured subject in one case: a number with its unit, and how it stands beside the case's baseline. */
export interface Result {
  /** What every subject of this comparison was asked to do: `GET /products/Tux, 32 connections`. */
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
  /** What `ratio` has to be for the project to be content; without a baseline, what `value` has to be. */
  readonly bar?: { readonly atLeast: number } | { readonly atMost: number } | undefined;
  /** A caveat the reader needs beside the number, in one sentence. */
  readonly note?: string | undefined;
}
