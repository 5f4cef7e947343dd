import test from 'ava';
import { chunkSize } from './chunk-size.js';

const LINES: [line: string, size: number | undefined][] = [
  ['0', 0],
  ['1a', 26],
  ['1A', 26],
  ['0000000000010', 16],
  ['', undefined],
  ['g', undefined],
  ['0x10', undefined],
  ['+5', undefined],
  ['-0', undefined],
  [' 5', undefined],
  ['5 ', undefined],
  ['1_0', undefined],
  ['5\n5', undefined],
  ['1fffffffffffffff', undefined],
];

for (const [line, size] of LINES) {
  test(`${JSON.stringify(line)} is ${size === undefined ? 'no size' : size}`, (t) => t.is(chunkSize(line), size));
}
