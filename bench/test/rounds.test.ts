import test from 'ava';
import { type Comparison, measureRounds, median } from '../rounds.js';

function comparison(subjects: Comparison['subjects'], more: Partial<Comparison> = {}): Comparison {
  return { case: 'a case', unit: 'ops/s', better: 'higher', rounds: 3, warmups: 1, subjects, ...more };
}

test('median()', (t) => {
  t.is(median([3]), 3);
  t.is(median([9, 1, 5]), 5);
  t.is(median([10, 9, 100, 1]), 9.5);
  t.throws(() => median([]), { instanceOf: RangeError });
});

test('median() leaves its argument as it was', (t) => {
  const values = [3, 1, 2];
  median(values);
  t.deepEqual(values, [3, 1, 2]);
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

test('a bar stays without a baseline, and goes where the baseline was not measured', async (t) => {
  const abort = new AbortController();
  const subjects = [
    { name: 'ours', measure: () => 1, bar: { atMost: 5 } },
    { name: 'theirs', measure: () => 2 },
  ];
  const [alone] = await measureRounds(comparison(subjects), { quick: true });
  t.like(alone, { ratio: undefined, bar: { atMost: 5 } });
  const onProgress = (text: string): void => {
    if (text.includes('ours, round 1')) abort.abort();
  };
  const options = { quick: true, onProgress, signal: abort.signal };
  const [ours, ...more] = await measureRounds(comparison(subjects, { baseline: 'theirs' }), options);
  t.like(ours, { subject: 'ours', ratio: undefined, bar: undefined });
  t.deepEqual(more, []);
});

test('an abort keeps the subjects that have a round', async (t) => {
  const abort = new AbortController();
  let calls = 0;
  const measure = (): number => {
    calls += 1;
    if (calls === 3) abort.abort();
    return calls;
  };
  const results = await measureRounds(
    comparison([
      { name: 'a', measure },
      { name: 'b', measure },
    ]),
    {
      quick: false,
      signal: abort.signal,
    },
  );
  t.deepEqual(
    results.map(({ subject, rounds }) => [subject, rounds]),
    [['a', [3]]],
  );
});

test('subjects that never wait do not keep a time limit from being noticed', async (t) => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 1);
  const measure = (): number => {
    const endMs = performance.now() + 1;
    while (performance.now() < endMs);
    return 1;
  };
  const subjects = [{ name: 'busy', measure }];
  const [result] = await measureRounds(comparison(subjects, { rounds: 1000 }), { quick: true, signal: abort.signal });
  t.true((result?.rounds.length ?? 0) < 1000);
});

test('a subject that fails is named', async (t) => {
  const measure = (): number => {
    throw new Error('no port');
  };
  await t.throwsAsync(measureRounds(comparison([{ name: 'broken', measure }]), { quick: false }), {
    message: 'a case: broken: no port',
  });
});
