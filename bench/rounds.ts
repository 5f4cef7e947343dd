// rounds.ts: measures several subjects of one case in interleaved rounds and sets their medians side by side.
//
//   round 1:  a  b  c      A slow minute of the machine then hits all of them alike, and the
//   round 2:  b  c  a      median drops it. The order rotates, so that no subject always runs
//   round 3:  c  a  b      first (cold) or always after the same neighbour.
//
// It knows nothing of what is measured: a subject is a name and a function that gives one number.

import { setImmediate } from 'node:timers/promises';
import type { Result, RunOptions } from './result.js';

/** One of the things compared. `measure` runs for as long as it likes and returns the round's value in the case's unit. */
export interface Subject {
  readonly name: string;
  measure(): Promise<number> | number;
  /** What its ratio to the baseline has to be; in a comparison without a baseline, its value. */
  readonly bar?: Result['bar'];
  readonly note?: string | undefined;
}

/** A comparison: all subjects do the same thing, in the same unit. */
export interface Comparison {
  readonly case: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** The subject that the others' ratios are taken against; none if left out. */
  readonly baseline?: string | undefined;
  readonly subjects: readonly Subject[];
  /** How many rounds each subject gets; an odd number has a median that was really measured. */
  readonly rounds: number;
  /** Unmeasured rounds first, for the compiler and the caches. Default 1. */
  readonly warmups?: number | undefined;
}

/**
 * Runs the rounds of one comparison, interleaved, one subject at a time.
 *
 * @returns one result per subject, in the order given. After `options.signal` only subjects with a whole round are
 *   returned, and ratios only where the baseline has one too.
 * @throws what a subject's `measure` throws, with the case and the subject named in front.
 */
export async function measureRounds(comparison: Comparison, options: RunOptions): Promise<Result[]> {
  const { subjects, rounds, warmups = 1 } = comparison;
  const values = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = -warmups; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(turn + Math.max(round, 0)) % subjects.length]!;
      // Subjects that never wait would keep Ctrl-C and the time limit from being noticed.
      await setImmediate();
      if (options.signal?.aborted) return summarize(comparison, values);
      options.onProgress?.(
        `${comparison.case}: ${subject.name}, ${round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`}`,
      );
      const value = await measureOnce(comparison, subject);
      if (round >= 0) values.get(subject.name)!.push(value);
    }
  }
  return summarize(comparison, values);
}

async function measureOnce(comparison: Comparison, subject: Subject): Promise<number> {
  try {
    return await subject.measure();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${comparison.case}: ${subject.name}: ${reason}`, { cause });
  }
}

function summarize(comparison: Comparison, values: ReadonlyMap<string, number[]>): Result[] {
  const baselineRounds = comparison.baseline === undefined ? [] : (values.get(comparison.baseline) ?? []);
  return comparison.subjects.flatMap((subject) => {
    const rounds = values.get(subject.name)!;
    if (rounds.length === 0) return [];
    const value = median(rounds);
    const ratio = baselineRounds.length === 0 ? undefined : value / median(baselineRounds);
    return {
      case: comparison.case,
      subject: subject.name,
      value,
      unit: comparison.unit,
      better: comparison.better,
      rounds,
      baseline: ratio === undefined ? undefined : comparison.baseline,
      ratio,
      // The bar of a comparison is for its ratio: without one there is nothing to hold against it.
      bar: comparison.baseline !== undefined && ratio === undefined ? undefined : subject.bar,
      note: subject.note,
    };
  });
}

/** The middle value; between two middles, their mean. Takes a copy: the argument keeps its order. At least one value. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
