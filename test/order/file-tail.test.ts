// The newest bytes of a file in memory, beside a copy of the whole file.

import test from 'ava';
import fc from 'fast-check';
import { FileTail } from '../../src/order/file-tail.js';

const BYTES_MAX = 8;

test('what it reads is what the file has there, and it has the newest bytes, whatever is appended', (t) => {
  const writes = fc.array(fc.uint8Array({ maxLength: 3 * BYTES_MAX }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.nat(100), writes, (begin, pieces) => {
      const tail = new FileTail(BYTES_MAX);
      let file = Buffer.alloc(begin, '.');
      for (const piece of pieces) {
        tail.append(piece, file.length);
        file = Buffer.concat([file, piece]);
        const start = Math.max(begin, file.length - BYTES_MAX);
        for (let at = Math.max(0, start - 2); at <= file.length; at++) {
          for (let end = at + 1; end <= file.length + 1; end++) {
            const target = Buffer.alloc(end - at, '-');
            const isThere = at >= start && end <= file.length;
            t.is(tail.read(target, at), isThere, `${at} to ${end} of ${file.length}, kept from ${start}`);
            t.deepEqual(target, isThere ? file.subarray(at, end) : Buffer.alloc(end - at, '-'));
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('after a gap it begins anew', (t) => {
  const tail = new FileTail(BYTES_MAX);
  tail.append(Buffer.from('abc'), 0);
  tail.append(Buffer.from('xyz'), 5);
  const target = Buffer.alloc(3);
  t.false(tail.read(target, 0));
  t.false(tail.read(target, 4));
  t.true(tail.read(target, 5));
  t.is(target.toString(), 'xyz');
});
