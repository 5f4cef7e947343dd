import test from 'ava';
import { checkSeeds, type LifeOptions } from './order-life.js';

const SEEDS = 600;

test(`the books are right after ${SEEDS} lives of the order service with crashes, power failures and a bad network`, async (t) => {
  await t.notThrowsAsync(checkSeeds(SEEDS));
});

const broken: [NonNullable<LifeOptions['broken']>, RegExp][] = [
  ['dedupe', /left|outcome/],
  ['recovery', /left|outcome/],
  ['fencing', /left|outcome/],
  ['datasync', /./],
];

for (const [what, complaint] of broken) {
  test(`without ${what} the books go wrong`, async (t) => {
    await t.throwsAsync(checkSeeds(SEEDS, { broken: what }), { message: complaint });
  });
}
