// scenario.ts: what a scenario is given and what it promises. Each scenario is a file of its own beside this one.

import type { Figure, Measured } from '../figures.js';
import type { LoadGenerator } from '../load/load-generator.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Row } from '../run/results.js';

/** What a scenario works with. What it has collected stays, however it ends; the run adds the scenario's name. */
export interface ScenarioContext {
  readonly options: BenchOptions;
  readonly generator: LoadGenerator;
  /** Aborted by Ctrl-C: stop soon, keep what was measured. */
  readonly signal: AbortSignal;
  /** Says what comes next; called while no load runs, since the noise of the machine is sampled then. */
  step(text: string): void;
  addRows(rows: readonly Measured<Row>[]): void;
  addFigures(figures: readonly Measured<Figure>[]): void;
  /** What the reader has to know beside the numbers, once however often it is said. */
  note(text: string): void;
}

/** One question and its measurement. Rejects when it cannot measure: the run goes on with the next and says so. */
export type Scenario = (context: ScenarioContext) => Promise<void>;
