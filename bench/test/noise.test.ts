import test from 'ava';
import { NOISE_MAX, NoiseMeter, spreadOf } from '../run/noise.js';

const SPREADS: readonly [times: readonly number[], spread: number, what: string][] = [
  [[10, 10, 10, 10, 10], 0, 'a machine of its own'],
  [[10, 10.2, 10.1, 10, 10.3, 10.2, 10.1, 10, 10.1, 40], 0.03, 'one stall in ten samples'],
  [[10, 20, 10, 20, 15, 10, 20], 10 / 15, 'somebody else half of the time'],
];
for (const [times, spread, what] of SPREADS) {
  test(`the spread of ${what}`, (t) => {
    t.true(Math.abs(spreadOf(times) - spread) < 0.001, `${spreadOf(times)}`);
    t.is(spread > NOISE_MAX, what.startsWith('somebody'));
  });
}

test('without a sample taken before, there are enough of them all the same', (t) => {
  const spread = new NoiseMeter().spread();
  t.true(spread >= 0, `${spread}`);
});
