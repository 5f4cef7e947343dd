// rounds.ts: measures several subjects of one case in interleaved rounds and sets their medians side by side.
//
//   round 1:  a  b  c      A slow minute of the machine then hits all of them alike, and the
//   round 2:  b  c  a      median drops it. The order rotates, so that no subject always runs
//   round 3:  c  a  b      first (cold) or always after the same neighbour.
//
// It knows nothing of what is measured: a subject is a name and a function that gives a number, or several.

import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../src/log.js';
import { type Bar, type Figure, figureOf, type Measured } from './figures.js';
import { roundsOf } from './run/bench-options.js';
import type { ScenarioContext } from './scenarios/scenario.js';

/** One of the things compared. `measure` runs for as long as it likes and returns the round's value of each quantity. */
export interface Subject {
  readonly name: string;
  measure(): Promise<number | readonly number[]> | number | readonly number[];
}

/** What is measured of each subject. */
export interface Quantity {
  readonly case: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** By subject: what its ratio to the baseline has to be; in a comparison without a baseline, its value. */
  readonly bars?: Readonly<Record<string, Bar>>;
}

/** A comparison: all subjects do the same thing. */
export interface Comparison {
  /** Those after the first are left out where they are 0 throughout: not every system says what processes use. */
  readonly quantities: readonly Quantity[];
  /** The subject that the others' ratios are taken against; none if left out. */
  readonly baseline?: string | undefined;
  readonly subjects: readonly Subject[];
  /** How many rounds each subject gets in a long run; an odd number has a median that was really measured. */
  readonly rounds: number;
  /** Unmeasured rounds first, for the compiler and the caches. Default 1. */
  readonly warmups?: number | undefined;
}

/**
 * Runs the rounds of one comparison, interleaved, one subject at a time, and adds its figures.
 *
 * @returns one figure for each quantity of each subject, in the order given. After an abort only subjects with a whole
 *   round are in it, and ratios only where the baseline has one too.
 * @throws what a subject's `measure` throws, with the case and the subject named in front.
 */
export async function measureRounds(
  comparison: Comparison,
  context: Pick<ScenarioContext, 'options' | 'signal' | 'step' | 'addFigures'>,
): Promise<Measured<Figure>[]> {
  const { subjects, warmups = 1 } = comparison;
  const title = comparison.quantities[0]!.case;
  const count = roundsOf(context.options, comparison.rounds);
  const values = new Map<string, (readonly number[])[]>(subjects.map((subject) => [subject.name, []]));
  rounds: for (let round = -warmups; round < count; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(turn + Math.max(round, 0)) % subjects.length]!;
      // Subjects that never wait would keep Ctrl-C and the time limit from being noticed.
      await setImmediate();
      if (context.signal.aborted) break rounds;
      context.step(`${title}: ${subject.name}, ${round < 0 ? 'warm-up' : `round ${round + 1} of ${count}`}`);
      const measured = await measureOnce(title, subject);
      if (round >= 0) values.get(subject.name)!.push(measured);
    }
  }
  const figures = comparison.quantities.flatMap((_, index) => summarize(comparison, index, values));
  context.addFigures(figures);
  return figures;
}

async function measureOnce(title: string, subject: Subject): Promise<readonly number[]> {
  try {
    return [await subject.measure()].flat();
  } catch (cause) {
    throw new Error(`${title}: ${subject.name}: ${messageOf(cause)}`, { cause });
  }
}

function summarize(
  { quantities, subjects, baseline }: Comparison,
  index: number,
  values: ReadonlyMap<string, (readonly number[])[]>,
): Measured<Figure>[] {
  const { bars = {}, ...quantity } = quantities[index]!;
  const measured = subjects.flatMap(({ name: subject }) => {
    const rounds = values.get(subject)!.map((ofRound) => ofRound[index]!);
    const isUnknown = index > 0 && rounds.every((value) => value === 0);
    return rounds.length === 0 || isUnknown ? [] : [{ ...quantity, subject, rounds }];
  });
  const base = measured.find(({ subject }) => subject === baseline);
  // The bar of a comparison is for its ratio: without one there is nothing to hold against it.
  const isBarred = baseline === undefined || base !== undefined;
  return measured.map((one) => figureOf({ ...one, bar: isBarred ? bars[one.subject] : undefined }, base));
}
