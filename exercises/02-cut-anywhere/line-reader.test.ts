import test from 'ava';
import { LineReader } from './line-reader.js';

const TEXT = 'GET / HTTP/1.1\r\nHost: a\r\n\r\nlast \r line\r\n';
const LINES = ['GET / HTTP/1.1', 'Host: a', '', 'last \r line'];

/** The lines of a text that comes in pieces, each of so many bytes. */
function linesOf(pieces: readonly string[]): string[] {
  const reader = new LineReader();
  return pieces.flatMap((piece) => reader.feed(Buffer.from(piece, 'latin1')));
}

test('in one piece', (t) => t.deepEqual(linesOf([TEXT]), LINES));

test('a byte at a time', (t) => t.deepEqual(linesOf([...TEXT]), LINES));

for (let cut = 1; cut < TEXT.length; cut++) {
  test(`cut after ${cut} bytes`, (t) => t.deepEqual(linesOf([TEXT.slice(0, cut), TEXT.slice(cut)]), LINES));
}
