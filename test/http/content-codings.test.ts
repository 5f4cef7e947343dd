// Accept-Encoding as RFC 9110 12.5.3 has it, and entity tags in conditions as 8.8.3 and 13.1 do.
import test from 'ava';
import fc from 'fast-check';
import { CODINGS, type Coding, chooseCoding } from '../../src/http/files/content-codings.js';
import { entityTag, namesStrongTag, namesTag } from '../../src/http/files/entity-tags.js';

const ALL = CODINGS;

const ROWS: [acceptEncoding: string | undefined, available: readonly Coding[], chosen: Coding | undefined][] = [
  [undefined, ALL, 'identity'],
  ['', ALL, 'identity'],
  [' , ', ALL, 'identity'],
  ['gzip', ALL, 'gzip'],
  ['br', ALL, 'br'],
  ['gzip, br', ALL, 'br'],
  ['gzip, deflate, br, zstd', ALL, 'br'],
  ['GZIP', ALL, 'gzip'],
  ['x-gzip', ALL, 'gzip'],
  ['*', ALL, 'br'],
  ['gzip;q=1.0, br;q=0.9', ALL, 'gzip'],
  ['gzip;q=0.5, br;q=0.5', ALL, 'br'],
  ['gzip ; q = 0.8 , br;q=0.7', ALL, 'gzip'],
  ['br;Q=0.1', ALL, 'br'],
  ['br;q=0, gzip', ALL, 'gzip'],
  ['br;q=0, *', ALL, 'gzip'],
  ['*;q=0.1, identity', ALL, 'identity'],
  ['identity, gzip;q=0.5', ALL, 'identity'],
  ['identity;q=0.5, gzip;q=0.5', ALL, 'gzip'],
  ['gzip;q=0.001', ALL, 'gzip'],
  ['gzip;q=0', ALL, 'identity'],
  ['gzip;q=0.000', ALL, 'identity'],
  ['gzip;q=0, br;q=0', ALL, 'identity'],
  ['deflate', ALL, 'identity'],
  ['zstd, compress', ALL, 'identity'],
  ['identity;q=0', ALL, undefined],
  ['*;q=0', ALL, undefined],
  ['identity;q=0, gzip', ALL, 'gzip'],
  ['*;q=0, gzip', ALL, 'gzip'],
  ['*;q=0, identity', ALL, 'identity'],
  ['gzip, br', ['identity'], 'identity'],
  ['gzip, *;q=0', ['identity'], undefined],
  ['br', ['gzip', 'identity'], 'identity'],
  // Malformed elements say nothing.
  ['gzip;q=2', ALL, 'identity'],
  ['gzip;q=-1', ALL, 'identity'],
  ['gzip;q=', ALL, 'identity'],
  ['gzip;q=0.1234', ALL, 'identity'],
  ['gzip;level=9', ALL, 'identity'],
  ['gzip br', ALL, 'identity'],
  ['gzip;q=x, br;q=0.1', ALL, 'br'],
];

for (const [acceptEncoding, available, chosen] of ROWS) {
  test(`Accept-Encoding ${JSON.stringify(acceptEncoding)} of ${available.join(' ')}: ${chosen}`, (t) => {
    t.is(chooseCoding(acceptEncoding, available), chosen);
  });
}

test('what is chosen is there, and was not refused, whatever the header', (t) => {
  const name = fc.constantFrom('br', 'gzip', 'identity', '*', 'deflate');
  const quality = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
  const available = fc
    .subarray([...CODINGS], { minLength: 1 })
    .map((some) => [...new Set([...some, 'identity' as const])]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, quality), { selector: ([one]) => one }), available, (list, there) => {
      const header = list.map(([one, q]) => `${one};q=${q}`).join(', ');
      const chosen = chooseCoding(header, there);
      const stated = (coding: string) => list.find(([one]) => one === coding)?.[1];
      const any = stated('*');
      if (chosen === undefined) {
        t.is(stated('identity') ?? any, 0);
        return;
      }
      t.true(there.includes(chosen));
      t.not(stated(chosen), 0);
      for (const other of there) {
        if (stated(chosen) === undefined || stated(other) === undefined) continue;
        t.true(stated(chosen)! >= stated(other)!, `${header}: ${chosen}, not ${other}`);
      }
    }),
  );
  fc.assert(fc.property(fc.string(), (header) => t.notThrows(() => chooseCoding(header, ALL))));
});

const TAG = '"abc"';
const CONDITIONS: [list: string, isNamed: boolean, isNamedStrong: boolean][] = [
  ['"abc"', true, true],
  ['W/"abc"', true, false],
  ['*', true, true],
  [' * ', true, true],
  ['"x", "abc"', true, true],
  ['"x","abc","y"', true, true],
  ['W/"x", W/"abc"', true, false],
  ['"a,b", "abc"', true, true],
  ['"abc', false, false],
  ['abc', false, false],
  ['"ABC"', false, false],
  ['"abcd"', false, false],
  ['""', false, false],
  ['"*"', false, false],
  ['', false, false],
  ['"x\\"abc"', false, false],
];

for (const [list, isNamed, isNamedStrong] of CONDITIONS) {
  test(`${JSON.stringify(list)} ${isNamed ? 'names' : 'does not name'} ${TAG}, strong: ${isNamedStrong}`, (t) => {
    t.is(namesTag(list, TAG), isNamed);
    t.is(namesStrongTag(list, TAG), isNamedStrong);
  });
}

test('a tag is well-formed, and another one for another content', (t) => {
  t.regex(entityTag(Buffer.from('a')), /^"[\w-]{20}"$/);
  t.not(entityTag(Buffer.from('a')), entityTag(Buffer.from('b')));
  t.is(entityTag(Buffer.from('a')), entityTag(Buffer.from('a')));
});
