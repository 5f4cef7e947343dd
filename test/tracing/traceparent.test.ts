import test from 'ava';
import fc from 'fast-check';
import { formatTraceparent, parseTraceparent } from '../../src/tracing/traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const READ: [text: string, isSampled: boolean, why: string][] = [
  [`00-${TRACE}-${SPAN}-01`, true, 'the example of the standard'],
  [`00-${TRACE}-${SPAN}-00`, false, 'the caller records nothing'],
  [`00-${TRACE}-${SPAN}-03`, true, 'another flag beside it'],
  [`00-${TRACE}-${SPAN}-02`, false, 'another flag alone'],
  [`00-${TRACE}-${SPAN}-ff`, true, 'flags that nobody has defined yet'],
  [`01-${TRACE}-${SPAN}-01`, true, 'a later version'],
  [`cc-${TRACE}-${SPAN}-01-what-comes-next`, true, 'a later version with more behind it'],
];

for (const [text, isSampled, why] of READ) {
  test(`parseTraceparent() reads ${why}: ${text}`, (t) => {
    t.deepEqual(parseTraceparent(text), { traceId: TRACE, spanId: SPAN, isSampled });
  });
}

const IGNORED: [text: unknown, why: string][] = [
  [undefined, 'nothing'],
  ['', 'nothing at all'],
  [`ff-${TRACE}-${SPAN}-01`, 'the version that is forbidden'],
  [`00-${TRACE}-${SPAN}-01-more`, 'version 00 with more behind it'],
  [`00-${TRACE}-${SPAN}-01-`, 'version 00 with a dash behind it'],
  [`01-${TRACE}-${SPAN}-01.more`, 'a later version with something else than a dash'],
  [`00-${'0'.repeat(32)}-${SPAN}-01`, 'no trace'],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, 'no span'],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, 'upper case'],
  [`00-${TRACE.slice(1)}-${SPAN}-01`, 'a trace-id that is too short'],
  [`00-${TRACE}0-${SPAN}-01`, 'a trace-id that is too long'],
  [`00-${TRACE}-${SPAN.slice(1)}-01`, 'a parent-id that is too short'],
  [`00-${TRACE}-${SPAN}-1`, 'flags of one digit'],
  [`00-${TRACE}-${SPAN}-001`, 'flags of three digits'],
  [`0-${TRACE}-${SPAN}-01`, 'a version of one digit'],
  [`00-${TRACE}-${SPAN}`, 'no flags'],
  [`00_${TRACE}_${SPAN}_01`, 'other separators'],
  [` 00-${TRACE}-${SPAN}-01`, 'a space before it'],
  [`00-${TRACE}-${SPAN}-01\n`, 'a line end behind it'],
  [`00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, 'two header lines, joined'],
  [`00-${TRACE.replace('4', 'g')}-${SPAN}-01`, 'a letter that is no digit'],
  [42, 'what is no text'],
];

for (const [text, why] of IGNORED) {
  test(`parseTraceparent() ignores ${why}: ${JSON.stringify(text)}`, (t) => {
    t.is(parseTraceparent(text), undefined);
  });
}

const hex = (digits: number): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((values) => values.map((value) => value.toString(16)).join(''))
    .filter((text) => /[^0]/.test(text));

test('parseTraceparent() reads what formatTraceparent() writes', (t) => {
  const property = fc.property(hex(32), hex(16), (traceId, spanId) => {
    const read = parseTraceparent(formatTraceparent(traceId, spanId));
    return read?.traceId === traceId && read.spanId === spanId && read.isSampled;
  });
  t.notThrows(() => fc.assert(property));
});

test('parseTraceparent() takes no text from which one character is missing, or to which one was added, in version 00', (t) => {
  const whole = formatTraceparent(TRACE, SPAN);
  const cut = fc.property(fc.nat({ max: whole.length - 1 }), (at) => {
    return parseTraceparent(whole.slice(0, at) + whole.slice(at + 1)) === undefined;
  });
  const added = fc.property(fc.nat({ max: whole.length }), fc.string({ minLength: 1, maxLength: 1 }), (at, one) => {
    return parseTraceparent(whole.slice(0, at) + one + whole.slice(at)) === undefined;
  });
  t.notThrows(() => fc.assert(cut));
  t.notThrows(() => fc.assert(added));
});

test('parseTraceparent() takes any text without failing, and gives ids of the right form', (t) => {
  const near = fc.array(fc.oneof(hex(2), hex(16), hex(32), fc.constantFrom('-', '--', '0', ' '), fc.string()));
  const property = fc.property(near, (parts) => {
    const read = parseTraceparent(parts.join('-'));
    return read === undefined || (/^[0-9a-f]{32}$/.test(read.traceId) && /^[0-9a-f]{16}$/.test(read.spanId));
  });
  t.notThrows(() => fc.assert(property));
});
