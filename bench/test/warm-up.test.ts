import test from 'ava';
import { untilSteady } from '../scenarios/warm-up.js';

const SECONDS_MAX = 20;

/** How many seconds it takes with these rates; after the last one they stay. */
async function secondsOf(rates: readonly number[]): Promise<number> {
  let second = 0;
  await untilSteady(async () => rates[Math.min(second++, rates.length - 1)]!, SECONDS_MAX);
  return second;
}

test('steady: no better second for five', async (t) => {
  t.is(await secondsOf([100]), 6);
  t.is(await secondsOf([10, 20, 30, 40]), 4 + 5);
  t.is(await secondsOf([10, 20, 30, 29, 25, 40, 39, 28, 30, 31, 35, 50]), 6 + 5, 'ups and downs are no progress');
});

test('a little more than before is not better', async (t) => {
  t.is(await secondsOf([100, 102, 101, 102, 103, 102, 101]), 6);
});

test('not for ever', async (t) => {
  t.is(await secondsOf(Array.from({ length: 100 }, (_, second) => 2 ** second)), SECONDS_MAX);
});
