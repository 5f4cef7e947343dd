// progress.ts: says what is being measured and how long it will take yet. On a terminal one line is drawn over and over;
// elsewhere each step is a line of its own, so that a log of a run can be read. All of it goes to stderr.

const MS_PER_S = 1000;
const SECONDS_PER_MINUTE = 60;

/** The plan is in seconds, one entry for each scenario; a scenario that takes longer or shorter moves the estimate. */
export class Progress {
  readonly #startMs = performance.now();
  readonly #plannedSeconds: number;
  #plannedSecondsDone = 0;
  #scenario = '';

  constructor(plannedSeconds: number) {
    this.#plannedSeconds = plannedSeconds;
  }

  /** A scenario begins. */
  enter(scenario: string): void {
    this.#scenario = scenario;
  }

  /** It ended, and was planned to take so long. */
  leave(plannedSeconds: number): void {
    this.#plannedSecondsDone += plannedSeconds;
  }

  /** The next step within it. `scenarioSeconds`: how long the scenario has been planned to take up to here. */
  step(text: string, scenarioSeconds = 0): void {
    const left = Math.max(0, this.#plannedSeconds - this.#plannedSecondsDone - scenarioSeconds);
    const elapsed = (performance.now() - this.#startMs) / MS_PER_S;
    const line = `[${formatSeconds(elapsed)}, about ${formatSeconds(left)} left] ${this.#scenario}: ${text}`;
    const columns = process.stderr.columns ?? Number.POSITIVE_INFINITY;
    process.stderr.write(process.stderr.isTTY ? `\r${line.slice(0, columns - 1)}\x1b[K` : `${line}\n`);
  }

  /** Wipes the line. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}

function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / SECONDS_PER_MINUTE);
  return minutes === 0 ? `${whole} s` : `${minutes}:${String(whole % SECONDS_PER_MINUTE).padStart(2, '0')} min`;
}
