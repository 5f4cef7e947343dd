import test from 'ava';
import { median } from '../figures.js';
import { type Comparison, measureRounds, type Quantity } from '../rounds.js';
import { parseBenchOptions } from '../run/bench-options.js';

const QUANTITY: Quantity = { case: 'a case', unit: 'ops/s', better: 'higher' };

function comparison(subjects: Comparison['subjects'], more: Partial<Comparison> = {}): Comparison {
  return { quantities: [QUANTITY], rounds: 3, warmups: 1, subjects, ...more };
}

/** What a scenario would be given. */
function contextOf(argv: readonly string[] = [], signal = new AbortController().signal) {
  return { options: parseBenchOptions(['lock', ...argv]), signal, step: () => {}, addFigures: () => {} };
}

test('median() of an odd number, an even number and none; its argument stays as it was', (t) => {
  const values = [9, 1, 5];
  t.is(median(values), 5);
  t.is(median([10, 9, 100, 1]), 9.5);
  t.throws(() => median([]), { instanceOf: RangeError });
  t.deepEqual(values, [9, 1, 5]);
});

test('rounds are interleaved and rotate, after one warm-up of each', async (t) => {
  const calls: string[] = [];
  const subject = (name: string) => ({ name, measure: () => calls.push(name) });
  await measureRounds(comparison([subject('a'), subject('b'), subject('c')]), contextOf());
  t.is(calls.join(''), 'abc' + 'abc' + 'bca' + 'cab');
});

test('a quick run has a third of the rounds; --rounds has the last word', async (t) => {
  for (const [argv, rounds] of [
    [['--quick'], 1],
    [['--quick', '--rounds', '4'], 4],
  ] as const) {
    const [figure] = await measureRounds(comparison([{ name: 'a', measure: () => 1 }]), contextOf(argv));
    t.is(figure!.rounds.length, rounds);
  }
});

test('a figure has the median, every round, and the ratio of the medians', async (t) => {
  const values = { fast: [0, 40, 20, 30], slow: [0, 10, 12, 11] };
  const subject = (name: keyof typeof values) => ({ name, measure: () => values[name].shift()! });
  const bar = { atLeast: 2 };
  const quantities = [{ ...QUANTITY, bars: { fast: bar } }];
  const subjects = [subject('fast'), subject('slow')];
  const [fast, slow] = await measureRounds(comparison(subjects, { quantities, baseline: 'slow' }), contextOf());
  t.like(fast, { subject: 'fast', value: 30, rounds: [40, 20, 30], baseline: 'slow', ratio: 30 / 11, bar });
  t.like(slow, { subject: 'slow', value: 11, ratio: 1, bar: undefined });
});

test('a second quantity has figures of its own, and none where it is 0 throughout', async (t) => {
  const quantities = [QUANTITY, { case: 'processor time', unit: 'µs', better: 'lower' } as const];
  const subjects = [
    { name: 'told', measure: () => [1, 7] },
    { name: 'untold', measure: () => [2, 0] },
  ];
  const figures = await measureRounds(comparison(subjects, { quantities }), contextOf());
  t.deepEqual(
    figures.map(({ case: name, subject, value, unit }) => [name, subject, value, unit]),
    [
      ['a case', 'told', 1, 'ops/s'],
      ['a case', 'untold', 2, 'ops/s'],
      ['processor time', 'told', 7, 'µs'],
    ],
  );
});

test('an abort keeps the subjects that have a round, and their bars only beside a baseline that has one', async (t) => {
  const abort = new AbortController();
  let calls = 0;
  const measure = (): number => {
    calls += 1;
    if (calls === 3) abort.abort();
    return calls;
  };
  const quantities = [{ ...QUANTITY, bars: { ours: { atMost: 5 } } }];
  const subjects = [
    { name: 'ours', measure },
    { name: 'theirs', measure },
  ];
  const besideTheirs = comparison(subjects, { quantities, baseline: 'theirs' });
  const figures = await measureRounds(besideTheirs, contextOf([], abort.signal));
  t.is(figures.length, 1);
  t.like(figures[0], { subject: 'ours', rounds: [3], ratio: undefined, bar: undefined });
  const [alone] = await measureRounds(comparison(subjects, { quantities }), contextOf());
  t.like(alone, { ratio: undefined, bar: { atMost: 5 } });
});

test('a subject that fails is named', async (t) => {
  const measure = (): number => {
    throw new Error('no port');
  };
  await t.throwsAsync(measureRounds(comparison([{ name: 'broken', measure }]), contextOf()), {
    message: 'a case: broken: no port',
  });
});
