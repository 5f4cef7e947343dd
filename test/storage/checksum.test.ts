import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { checksum } from '../../src/storage/checksum.js';

// The third row is the check value that the literature gives for this CRC; the others are zlib's.
const vectors: readonly { name: string; bytes: Uint8Array; expected: number }[] = [
  { name: 'nothing', bytes: Buffer.alloc(0), expected: 0 },
  { name: 'the letter a', bytes: Buffer.from('a'), expected: 0xe8b7be43 },
  { name: '123456789', bytes: Buffer.from('123456789'), expected: 0xcbf43926 },
  { name: '32 zeros', bytes: Buffer.alloc(32), expected: 0x190a55ad },
  { name: '32 times 255', bytes: Buffer.alloc(32, 255), expected: 0xff6cab0b },
  { name: 'one byte below the native routine', bytes: Buffer.alloc(95, 'x'), expected: crc32(Buffer.alloc(95, 'x')) },
];

for (const { name, bytes, expected } of vectors) {
  test(`checksum(): ${name}`, (t) => {
    t.is(checksum(bytes, 0, bytes.length), expected);
  });
}

test('checksum() of any range is what zlib says, by table and by native routine alike', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, one, other) => {
      const start = Math.min(one, other, bytes.length);
      const end = Math.min(Math.max(one, other), bytes.length);
      return checksum(bytes, start, end) === crc32(bytes.subarray(start, end));
    }),
  );
  t.pass();
});

test('checksum() reads shared memory', (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(200)).fill(7);
  t.is(checksum(shared, 0, 20), crc32(Buffer.alloc(20, 7)));
  t.is(checksum(shared, 0, 200), crc32(Buffer.alloc(200, 7)));
});
