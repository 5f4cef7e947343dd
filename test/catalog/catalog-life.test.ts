// The catalog alone on the simulated disk, beside a model of the order service: whatever happens at whatever step, a
// purchase is in both books or in neither, and no query has shown what a crash takes back.
//
//   SEED=123 npx ava dist/test/catalog/catalog-life.test.js     runs that seed alone

import test from 'ava';
import { checkSeeds, firstFailure } from '../support/simulated-seeds.js';
import { type CatalogWorldOptions, livesThrough } from './catalog-life.js';

const SEEDS = 1000;

const worlds: readonly { name: string; options: CatalogWorldOptions }[] = [
  { name: 'crashes and power failures', options: {} },
  { name: 'a disk that fills up and fails', options: { faults: true } },
  { name: 'synced now and then, and crashes of the process', options: { periodMs: 20, powerFailures: false } },
];

for (const { name, options } of worlds) {
  test(`the books agree: ${name}`, async (t) => {
    let steps = 0;
    await checkSeeds('catalog-life', SEEDS, async (seed) => {
      steps += await livesThrough(seed, options);
    });
    t.pass();
    t.log(`${SEEDS} seeds, ${steps} steps`);
  });
}

test('without recovery by the order service a seed fails', async (t) => {
  const failed = await firstFailure(0, SEEDS, (seed) => livesThrough(seed, { without: 'recover' }));
  t.not(failed, undefined, 'no seed noticed');
});
