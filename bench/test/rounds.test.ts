import test from 'ava';
import { type Comparison, measureRounds, median } from '../rounds.js';

function comparison(subjects: Comparison['subjects'], more: Partial<Comparison> = {}): Comparison {
  return { case: 'a case', unit: 'ops/s', better: 'higher', rounds: 3, warmups: 1, subjects, ...more };
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
  await measureRounds(comparison([subject('a'), subject('b'), subject('c')]), { quick: true });
  t.is(calls.join(''), 'abc' + 'abc' + 'bca' + 'cab');
});

test('a result has the median, every round, and the ratio of the medians', async (t) => {
  const values = { fast: [0, 40, 20, 30], slow: [0, 10, 12, 11] };
  const subject = (name: keyof typeof values) => ({ name, measure: () => values[name].shift()! });
  const bar = { atLeast: 2 };
  const subjects = [{ ...subject('fast'), bar }, subject('slow')];
  const [fast, slow] = await measureRounds(comparison(subjects, { baseline: 'slow' }), { quick: false });
  t.like(fast, { subject: 'fast', value: 30, rounds: [40, 20, 30], baseline: 'slow', ratio: 30 / 11, bar });
  t.like(slow, { subject: 'slow', value: 11, ratio: 1 });
});

test('an abort keeps the subjects that have a round, and their bars only beside a baseline that has one', async (t) => {
  const abort = new AbortController();
  let calls = 0;
  const measure = (): number => {
    calls += 1;
    if (calls === 3) abort.abort();
    return calls;
  };
  const subjects = [
    { name: 'ours', measure, bar: { atMost: 5 } },
    { name: 'theirs', measure },
  ];
  const options = { quick: true, signal: abort.signal };
  const results = await measureRounds(comparison(subjects, { baseline: 'theirs' }), options);
  t.is(results.length, 1);
  t.like(results[0], { subject: 'ours', rounds: [3], ratio: undefined, bar: undefined });
  const [alone] = await measureRounds(comparison(subjects), { quick: true });
  t.like(alone, { ratio: undefined, bar: { atMost: 5 } });
});

test('a subject that fails is named', async (t) => {
  const measure = (): number => {
    throw new Error('no port');
  };
  await t.throwsAsync(measureRounds(comparison([{ name: 'broken', measure }]), { quick: false }), {
    message: 'a case: broken: no port',
  });
});
