// check-chaos.ts: a run of chaos as a test: a failure says what is wrong, where the files are, and how to run it again.

import type { ExecutionContext } from 'ava';
import { isThorough } from '../support/effort.js';
import type { ChaosNotes } from './chaos-notes.js';
import { type ChaosPlan, type ChaosResult, runChaos } from './chaos-run.js';

const SEED_MAX = 0xffff_ffff;
/** Where there is time for it, buyers buy as fast as the machine can. */
const THINK_MS_MAX = isThorough ? 0 : 25;

export interface TestPlan extends Omit<ChaosPlan, 'seed' | 'durability'> {
  /** It goes on beyond its seconds until so many services were killed. */
  readonly killsMin?: number;
}

/** Beyond its seconds a run lasts so much longer at most. */
const OVERTIME_SECONDS = 60;
const LOOK_EVERY_MS = 50;

/** Runs a plan with a new seed, or with that of the environment, and fails the test if anything is wrong. */
export async function checkChaos(
  t: ExecutionContext,
  plan: TestPlan,
): Promise<{ result: ChaosResult; notes: ChaosNotes }> {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * SEED_MAX));
  const { killsMin = 0, ...asked } = plan;
  const seconds = asked.seconds + (killsMin > 0 ? OVERTIME_SECONDS : 0);
  const closing = new AbortController();
  let notes: ChaosNotes | undefined;
  let timer: NodeJS.Timeout | undefined;
  const result = await runChaos(
    { thinkMsMax: THINK_MS_MAX, ...asked, seconds, seed, durability: 'commit' },
    closing.signal,
    (progress) => {
      notes = progress.notes;
      if (killsMin === 0 || timer !== undefined) return;
      const beganAt = performance.now();
      timer = setInterval(() => {
        const kills = Object.values(progress.kills).reduce((sum, count) => sum + count, 0);
        if (kills >= killsMin && performance.now() - beganAt >= asked.seconds * 1_000) closing.abort();
      }, LOOK_EVERY_MS);
    },
  ).finally(() => clearInterval(timer));
  t.deepEqual(result.violations, [], `SEED=${seed} runs it again; files and store.log are in ${result.dataDir}`);
  return { result, notes: notes! };
}
