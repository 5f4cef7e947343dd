// warm-up.ts: loads a server, uncounted, until it does not get faster any more: until its hot code is compiled.
//
//   thousands a second:  4.5  7.2  8.7  7.7  9.0  10.3  11.2  12.0  11.6  11.3  11.6  11.9  12.1   ► steady
//                                                     best so far ┘└─ five seconds without a better one
//
// A fixed time will not do: V8 compiles on the processors that the load keeps busy, and a slow moment of the machine makes
// it take three times as long. The same rule for every server that is compared. A quick run has no time for it.

import type { LoadReport, Work } from '../load/load-job.js';
import type { Target } from '../store/server-process.js';
import type { ScenarioContext } from './scenario.js';

const MS_PER_S = 1000;
/** Without a better second for so long it is steady: rates go up and down by more than a tenth from one to the next. */
const SECONDS_WITHOUT_A_BETTER = 5;
/** Less than this is not better. */
const BETTER_BY = 1.03;
/** Most servers are steady in ten seconds. */
const SECONDS_MAX = 25;
const CONNECTIONS = 64;

/** All of it in a quick run, whose figures nobody judges by. */
const QUICK_MS = 300;

/**
 * Without this the first rounds of each point showed medians of twice the later rounds'.
 *
 * @throws Error when queries or orders get nothing but errors: whatever were measured then would not be a store that works
 */
export async function warmUp(context: ScenarioContext, target: Target, work: Work): Promise<void> {
  const { options, signal, generator } = context;
  if (signal.aborted) return;
  context.step(`${target.name}, warming up`);
  const { host, port } = target;
  const load = async (durationMs: number): Promise<number> => {
    if (signal.aborted) return 0;
    const job = { host, port, connections: CONNECTIONS, work, durationMs, warmupMs: 0 };
    const report = await generator.run(job, signal);
    refuseFailure(target.name, report);
    return throughputOf(report);
  };
  if (options.quick) await load(QUICK_MS);
  else await untilSteady(() => load(MS_PER_S), SECONDS_MAX);
}

/** Expected answers per second over all kinds. */
export function throughputOf({ query, order, seconds }: LoadReport): number {
  return seconds > 0 ? (query.count + order.count) / seconds : 0;
}

function refuseFailure(name: string, report: LoadReport): void {
  for (const { count, errors, errorSamples } of [report.query, report.order]) {
    if (errors === 0 || count > 0) continue;
    throw new Error(`${name} gave ${errors} errors and no answer while it was warmed up: ${errorSamples[0]}`);
  }
}

/**
 * Runs `loadForASecond`, which returns the rate that it saw, again and again.
 *
 * @param secondsMax whatever the rates are
 */
export async function untilSteady(loadForASecond: () => Promise<number>, secondsMax: number): Promise<void> {
  let best = 0;
  let secondsSince = 0;
  for (let second = 0; second < secondsMax && secondsSince < SECONDS_WITHOUT_A_BETTER; second++) {
    const rate = await loadForASecond();
    secondsSince = rate > best * BETTER_BY ? 0 : secondsSince + 1;
    best = Math.max(best, rate);
  }
}
