import test from 'ava';
import { UsageError } from '../../src/flags.js';
import { isRecorded, parseSampling } from '../../src/tracing/sampling.js';
import type { Traceparent } from '../../src/tracing/traceparent.js';

const env = (sampler?: string, argument?: string): NodeJS.ProcessEnv => ({
  ...(sampler === undefined ? {} : { OTEL_TRACES_SAMPLER: sampler }),
  ...(argument === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: argument }),
});

const READ: [sampler: string | undefined, argument: string | undefined, share: number, isParentBased: boolean][] = [
  [undefined, undefined, 0.01, true],
  ['', '', 0.01, true],
  [undefined, '1', 1, true],
  [undefined, '0.5', 0.5, true],
  ['parentbased_traceidratio', '0.25', 0.25, true],
  ['parentbased_traceidratio', undefined, 1, true],
  ['parentbased_always_on', '0.25', 1, true],
  ['parentbased_always_off', undefined, 0, true],
  ['traceidratio', '0', 0, false],
  ['traceidratio', undefined, 1, false],
  ['always_on', undefined, 1, false],
  ['always_off', 'nonsense', 0, false],
];

for (const [sampler, argument, share, isParentBased] of READ) {
  test(`parseSampling(): OTEL_TRACES_SAMPLER=${sampler} OTEL_TRACES_SAMPLER_ARG=${argument}`, (t) => {
    t.like(parseSampling(env(sampler, argument)), { share, isParentBased });
  });
}

const REFUSED: [sampler: string | undefined, argument: string | undefined, line: RegExp][] = [
  [
    'sometimes',
    undefined,
    /^OTEL_TRACES_SAMPLER is "sometimes": it must be one of always_on, .*parentbased_traceidratio$/,
  ],
  ['toString', undefined, /^OTEL_TRACES_SAMPLER is "toString"/],
  [undefined, '2', /^OTEL_TRACES_SAMPLER_ARG is "2": it must be a number from 0 to 1$/],
  ['traceidratio', '-0.1', /^OTEL_TRACES_SAMPLER_ARG is "-0.1"/],
  ['traceidratio', '1%', /^OTEL_TRACES_SAMPLER_ARG is "1%"/],
];

for (const [sampler, argument, line] of REFUSED) {
  test(`parseSampling() refuses OTEL_TRACES_SAMPLER=${sampler} OTEL_TRACES_SAMPLER_ARG=${argument}`, (t) => {
    const error = t.throws(() => parseSampling(env(sampler, argument)), { instanceOf: UsageError });
    t.regex(error.message, line);
  });
}

const LOW = '4bf92f3577b34da6a3'; // the last 56 bits decide
const parent = (isSampled: boolean, random = '80000000000000'): Traceparent => ({
  traceId: `${LOW}${random}`,
  spanId: '00f067aa0ba902b7',
  isSampled,
});

/** What is decided where 0.3 is drawn. */
const DECIDED: [
  what: string,
  sampler: string,
  argument: string,
  parent: Traceparent | undefined,
  isRecorded: boolean,
][] = [
  ['no caller, below the share', 'parentbased_traceidratio', '0.31', undefined, true],
  ['no caller, at the share', 'parentbased_traceidratio', '0.3', undefined, false],
  ['no caller, all', 'always_on', '', undefined, true],
  ['no caller, none', 'parentbased_always_off', '', undefined, false],
  ['the caller records, the share is 0', 'parentbased_traceidratio', '0', parent(true), true],
  ['the caller does not record, the share is 1', 'parentbased_traceidratio', '1', parent(false), false],
  ['the caller does not record, and is not asked', 'always_on', '', parent(false), true],
  ['the caller records, and is not asked', 'always_off', '', parent(true), false],
  ['by the id: a half of all, this one', 'traceidratio', '0.5', parent(false), true],
  ['by the id: a half of all, not this one', 'traceidratio', '0.5', parent(true, '7fffffffffffff'), false],
  ['by the id: all, the least of them', 'traceidratio', '1', parent(false, '00000000000000'), true],
  ['by the id: none, the largest of them', 'traceidratio', '0', parent(true, 'ffffffffffffff'), false],
];

for (const [what, sampler, argument, caller, expected] of DECIDED) {
  test(`isRecorded(): ${sampler} ${argument}: ${what}: ${expected ? 'yes' : 'no'}`, (t) => {
    t.is(
      isRecorded(parseSampling(env(sampler, argument)), caller, () => 0.3),
      expected,
    );
  });
}

test('isRecorded() records the share that was asked for', (t) => {
  const sampling = parseSampling(env('parentbased_traceidratio', '0.01'));
  let recorded = 0;
  for (let request = 0; request < 100_000; request++) if (isRecorded(sampling, undefined)) recorded++;
  // Six times the standard deviation: once in five hundred million runs this is wrong.
  t.true(Math.abs(recorded - 1000) < 190, `${recorded} of 100,000`);
});
