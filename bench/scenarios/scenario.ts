// scenario.ts: what a scenario is given and what it promises. Each scenario is a file of its own beside this one.

import type { LoadGenerator } from '../load/load-generator.js';
import type { BenchOptions } from '../run/bench-options.js';
import type { Figure, Row } from '../run/results.js';

/** What a scenario works with. What it has collected stays, however it ends. */
export interface ScenarioContext {
  readonly options: BenchOptions;
  readonly generator: LoadGenerator;
  /** Aborted by Ctrl-C: stop soon, keep what was measured. */
  readonly signal: AbortSignal;
  /** @param seconds how long the scenario has been planned to take up to here */
  step(text: string, seconds?: number): void;
  /** Whether the scenario has used up its share of an overview: then it should end after the round it is in. */
  isOverdue(): boolean;
  addRows(rows: readonly Row[]): void;
  addFigures(figures: readonly Figure[]): void;
  /** What the reader has to know beside the numbers, once however often it is said. */
  note(text: string): void;
}

/** One question and its measurement. */
export interface Scenario {
  /** How long it will take, about. */
  plannedSeconds(options: BenchOptions): number;
  /** @throws Error when it cannot measure: the run goes on with the next scenario and says so */
  run(context: ScenarioContext): Promise<void>;
}
