// The journal alone on the simulated disk: whatever happens at whatever step, what is recovered is exactly a beginning of
// what was appended, and contains everything that was confirmed.
//
// Each seed is one life: a journal is opened, several writers append and commit, now and then it is restarted with a
// summary, and at some step the process dies or the power fails. Then it is opened again, checked, and goes on.
//
//   SEED=123 npx ava dist/test/simulation/journal.test.js     runs that seed alone and prints what happened

import test, { type ExecutionContext } from 'ava';
import { runs } from '../support/effort.js';
import { checkSeeds, firstFailure } from '../support/simulated-seeds.js';
import { type JournalWorldOptions, livesThrough } from './journal-life.js';

/** Each mistake below is seen within the first 110. */
const SEEDS = runs(160);
/** So many are looked through for one that sees a mistake. */
const SEEDS_MAX = 3000;

async function check(t: ExecutionContext, seeds: number, options: JournalWorldOptions): Promise<void> {
  let steps = 0;
  await checkSeeds('journal', seeds, async (seed) => {
    steps += await livesThrough(seed, options);
  });
  t.log(`${seeds} seeds, ${steps} steps`);
  t.pass();
}

test('a journal survives crashes, power failures and a faulty disk', async (t) => {
  await check(t, SEEDS, {});
});

test('a journal synced now and then survives the death of its process without a loss', async (t) => {
  await check(t, SEEDS / 2, { syncMode: { periodMs: 20 }, powerFailures: false });
});

test('a journal synced now and then comes back from a power failure with a beginning of what it had', async (t) => {
  await check(t, SEEDS / 2, { syncMode: { periodMs: 20 }, mayLoseConfirmed: true });
});

test('a seed always lives the same life', async (t) => {
  t.is(await livesThrough(42, {}), await livesThrough(42, {}));
});

// The proof that the simulation can see: without the step that makes something true, some seed finds it false.
const mutations: readonly { name: string; from?: number; options: JournalWorldOptions }[] = [
  { name: 'no fdatasync', options: { broken: 'datasync' } },
  { name: 'no fsync of a new file before it is renamed', options: { broken: 'sync' } },
  { name: 'no fsync of the directory', options: { broken: 'syncDirectory' } },
  { name: 'no cutting off', from: 100, options: { broken: 'truncate' } },
  { name: 'what was read at the start is not written again', options: { broken: 'rewrite' } },
];

for (const { name, from = 0, options } of mutations) {
  test(`mutation: ${name}: a seed fails`, async (t) => {
    const failed = await firstFailure(from, SEEDS_MAX, (seed) => livesThrough(seed, options));
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    await t.notThrowsAsync(livesThrough(failed!.seed, {}), 'it is the mutation that fails');
  });
}
