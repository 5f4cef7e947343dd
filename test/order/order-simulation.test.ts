import test from 'ava';
import { type Broken, checkSeeds } from './order-life.js';

const SEEDS = 1500;

test(`the books are right after ${SEEDS} lives with crashes, power failures and a bad network`, async (t) => {
  await t.notThrowsAsync(checkSeeds(SEEDS));
});

const broken: [Broken, RegExp][] = [
  ['dedupe', /left|sale/],
  ['recovery', /left/],
  ['fencing', /left/],
  ['datasync', /./],
];

for (const [what, complaint] of broken) {
  test(`without ${what} the books go wrong`, async (t) => {
    await t.throwsAsync(checkSeeds(SEEDS, what), { message: complaint });
  });
}
