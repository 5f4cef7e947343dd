import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import {
  decodeHeader,
  encodeHeader,
  encodeRecord,
  flawOf,
  HEADER_BYTES,
  isAfterSync,
  isWhole,
  lengthAt,
  markAfterSync,
  recordBytes,
  sequenceAt,
} from '../../src/storage/record-format.js';

test('the bytes of a header', (t) => {
  const bytes = encodeHeader({ openingCount: 2, firstSequence: 5 });
  t.is(
    bytes
      .toString('hex')
      .replace(/(.{16})/g, '$1 ')
      .trim(),
    '4a4f55524e414c0a 0100000002000000 0500000000000000 00000000fc1fc9cf',
  );
  t.deepEqual(decodeHeader(bytes), { openingCount: 2, firstSequence: 5 });
});

test('the bytes of a record', (t) => {
  const bytes = Buffer.alloc(recordBytes(5), 0xee);
  t.is(encodeRecord(bytes, 0, Buffer.from('hello'), 0x010203040506), 24);
  t.is(
    bytes
      .toString('hex')
      .replace(/(.{16})/g, '$1 ')
      .trim(),
    '11ad84c3050000a0 0605040302010000 68656c6c6f000000',
  );
});

test('any changed byte of a header is found', (t) => {
  const good = encodeHeader({ openingCount: 0, firstSequence: 1 });
  for (let index = 0; index < HEADER_BYTES; index++) {
    const bytes = Buffer.from(good);
    bytes[index]! ^= 1 << (index % 8);
    t.is(typeof decodeHeader(bytes), 'string', `byte ${index}`);
  }
});

test('a header of a later version is refused by name', (t) => {
  const bytes = encodeHeader({ openingCount: 0, firstSequence: 1 });
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  t.is(decodeHeader(bytes), 'the format version is unknown');
});

test('a record of any payload and number is read as it was written, marked or not', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      fc.integer({ min: 0, max: 20 }),
      fc.boolean(),
      (payload, sequence, start, isMarked) => {
        const bytes = Buffer.alloc(start + recordBytes(payload.length), 0xee);
        const end = encodeRecord(bytes, start, payload, sequence);
        if (isMarked) markAfterSync(bytes, start);
        return (
          end === bytes.length &&
          lengthAt(bytes, start) === payload.length &&
          sequenceAt(bytes, start) === sequence &&
          isAfterSync(bytes, start) === isMarked &&
          isWhole(bytes, start, bytes.length - start) &&
          flawOf(bytes, start, payload.length, sequence) === undefined &&
          flawOf(bytes, start, payload.length, sequence + 1) === 'the sequence number is not the next one'
        );
      },
    ),
  );
  t.pass();
});

test('the first eight bytes of a record are never all zeros', (t) => {
  for (let length = 0; length < 70_000; length += 7) {
    const check = (length ^ (length >> 8) ^ (length >> 16) ^ 0xa5) & 0xff;
    t.false(length === 0 && check === 0);
  }
});
