// check-chaos.ts: a run of chaos as a test: a failure says what is wrong, where the files are, and how to run it again.

import type { ExecutionContext } from 'ava';
import { isThorough } from '../support/effort.js';
import type { ChaosNotes } from './chaos-notes.js';
import { type ChaosPlan, type ChaosResult, runChaos } from './chaos-run.js';

const SEED_MAX = 0xffff_ffff;
/** Where there is time for it, buyers buy as fast as the machine can. */
const THINK_MS_MAX = isThorough ? 0 : 25;

export type TestPlan = Omit<ChaosPlan, 'seed' | 'durability'>;

/** Runs a plan with a new seed, or with that of the environment, and fails the test if anything is wrong. */
export async function checkChaos(
  t: ExecutionContext,
  plan: TestPlan,
): Promise<{ result: ChaosResult; notes: ChaosNotes }> {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * SEED_MAX));
  let notes: ChaosNotes | undefined;
  const result = await runChaos(
    { thinkMsMax: THINK_MS_MAX, ...plan, seed, durability: 'commit' },
    new AbortController().signal,
    (progress) => {
      notes = progress.notes;
    },
  );
  t.deepEqual(result.violations, [], `SEED=${seed} runs it again; files and store.log are in ${result.dataDir}`);
  return { result, notes: notes! };
}
