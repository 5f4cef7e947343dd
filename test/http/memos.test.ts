// The two memos: they may only ever make things faster, so each answer is compared with what they would save.
import test from 'ava';
import fc from 'fast-check';
import { StringMemo } from '../../src/http/parser/string-memo.js';
import { WordScanner } from '../../src/http/parser/word-scanner.js';
import { readRequests, whole } from './read-messages.js';

test('a string memo gives the text of the bytes, whatever it has seen before', (t) => {
  const memo = new StringMemo(4); // so few slots that texts meet in them
  const texts = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(texts, (arrays) => {
      for (const array of [...arrays, ...arrays]) {
        const bytes = Buffer.concat([Buffer.from('before'), array, Buffer.from('after')]);
        t.is(memo.text(bytes, 6, 6 + array.length), Buffer.from(array).toString('latin1'));
      }
    }),
  );
});

test('texts that differ in one byte are told apart', (t) => {
  const memo = new StringMemo(2048);
  for (let length = 1; length <= 50; length++) {
    const bytes = Buffer.alloc(length, 'a');
    for (let place = 0; place < length; place++) {
      bytes[place] = 0x62;
      t.is(memo.text(bytes, 0, length), bytes.toString('latin1'));
      bytes[place] = 0x61;
      t.is(memo.text(bytes, 0, length), bytes.toString('latin1'));
    }
  }
});

test('fields that differ in one byte are told apart, though their section is as long and was seen before', (t) => {
  const request = (value: string) => `GET / HTTP/1.1\r\nHost: a\r\nX: ${value}\r\nContent-Length: 0\r\n\r\n`;
  for (const length of [1, 5, 40, 41, 200]) {
    const same = 'a'.repeat(length);
    for (let time = 0; time < 3; time++) t.is(readRequests(whole(Buffer.from(request(same))))[2], `X: ${same}`);
    for (let place = 0; place < length; place++) {
      const other = `${same.slice(0, place)}b${same.slice(place + 1)}`;
      t.is(readRequests(whole(Buffer.from(request(other))))[2], `X: ${other}`);
    }
  }
  const framed = (length: number) =>
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${'b'.repeat(length)}`;
  for (const length of [1, 1, 1, 2, 3, 2, 1]) {
    t.is(readRequests(whole(Buffer.from(framed(length)))).at(-2), `body "${'b'.repeat(length)}"`);
  }
});

test('more kinds of headers than the memo holds are all read right, again and again', (t) => {
  for (let round = 0; round < 4; round++) {
    for (let kind = 0; kind < 20; kind++) {
      const lines = readRequests(whole(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nKind: ${kind}\r\n\r\n`)));
      t.deepEqual(lines, ['GET / HTTP/1.1', 'Host: a', `Kind: ${kind}`, 'end']);
    }
  }
});

test('what is remembered outlives the bytes it was read from', (t) => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nRemembered: yes\r\n\r\n');
  for (let time = 0; time < 3; time++) {
    const copy = Buffer.from(bytes);
    readRequests([copy]);
    copy.fill(0);
  }
  t.deepEqual(readRequests([bytes]), ['GET / HTTP/1.1', 'Host: a', 'Remembered: yes', 'end']);
});

const KINDS = [
  { kind: 'skipText', bytes: /[\x20-\x7e\x80-\xff]/, before: [0x20, 0x7e, 0xff] },
  { kind: 'skipName', bytes: /[A-Za-z-]/, before: [0x41, 0x5a, 0x61, 0x7a, 0x2d] },
  { kind: 'skipPath', bytes: /[A-Za-z0-9./-]/, before: [0x41, 0x7a, 0x2d, 0x2f, 0x30, 0x39] },
] as const;

for (const { kind, bytes: ofThisKind, before } of KINDS) {
  test(`a word scanner's ${kind} stops before every byte that is not of its kind, at every place in a word`, (t) => {
    const scanner = new WordScanner();
    for (let byte = 0; byte < 256; byte++) {
      const isOfKind = ofThisKind.test(String.fromCharCode(byte));
      for (let place = 0; place < 12; place++) {
        for (const other of before) {
          const bytes = Buffer.alloc(16, other);
          bytes[place] = byte;
          const stop = scanner[kind](bytes, 0, bytes.length);
          const what = `0x${byte.toString(16)} at ${place} among 0x${other.toString(16)}: ${stop}`;
          if (isOfKind ? stop !== 16 : stop > place || place - stop >= 4) t.fail(what);
        }
      }
    }
    t.pass();
  });
}

test("a word scanner's equals sees every difference, and none outside", (t) => {
  const scanner = new WordScanner();
  for (let length = 4; length < 20; length++) {
    const text = Buffer.from('abcdefghijklmnopqrst'.slice(0, length));
    const view = new DataView(text.buffer, text.byteOffset, length);
    for (let place = -1; place <= length; place++) {
      const bytes = Buffer.concat([Buffer.from('x'), text, Buffer.from('y')]);
      bytes[1 + place]! ^= 0x80;
      t.is(scanner.equals(bytes, 1, view, 0, length), place === -1 || place === length, `${length} bytes, ${place}`);
    }
  }
});
