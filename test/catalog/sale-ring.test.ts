// SaleRing and the records in it: what goes in comes out, around the end of the ring too, and a full ring says so.

import test from 'ava';
import fc from 'fast-check';
import { RING_BYTES } from '../../src/catalog/catalog-limits.js';
import {
  asCarried,
  BASE,
  CARRIED,
  CLEAN,
  encodeBase,
  encodeClean,
  encodeMark,
  lastSequenceOf,
  MARK,
  readRecord,
  readSales,
  SALES,
  SALES_HEAD_BYTES,
  saleBytesMax,
  writeSale,
  writeSalesHead,
} from '../../src/catalog/sale-records.js';
import { SaleRing } from '../../src/catalog/sale-ring.js';

const newRing = () => new SaleRing(new SharedArrayBuffer(SaleRing.BYTES));

/** Puts a frame with those effects and that payload in; returns the position behind it, or undefined. */
function put(ring: SaleRing, appended: number, resolved: number, effects: [number, number][], payload: Buffer) {
  const position = ring.place(appended, resolved, SaleRing.frameBytes(effects.length, payload.length));
  if (position === undefined) return undefined;
  for (const [index, [toy, quantity]] of effects.entries()) ring.setEffect(position, index, toy, quantity);
  const at = ring.payloadOffset(position, effects.length);
  payload.copy(ring.bytes, at);
  return ring.finish(position, effects.length, at, payload.length);
}

test('frames come out as they went in, over several rounds of the ring', (t) => {
  const ring = newRing();
  let appended = 0;
  let resolved = 0;
  const waiting: { effects: [number, number][]; payload: Buffer }[] = [];
  for (let count = 0; appended < RING_BYTES * 3; count++) {
    const effects = Array.from({ length: count % 4 }, (_, index): [number, number] => [index, count + 1]);
    const payload = Buffer.alloc((count * 7919) % 300_000, count);
    const end = put(ring, appended, resolved, effects, payload);
    if (end !== undefined) {
      appended = end;
      waiting.push({ effects, payload });
      continue;
    }
    t.true(appended - resolved > RING_BYTES / 2, 'it was full for a reason');
    const quantities = new Uint32Array(4);
    for (const frame of ring.frames(resolved, appended)) {
      const { effects: put, payload: bytes } = waiting.shift()!;
      t.true(ring.payloadOf(frame).equals(bytes));
      quantities.fill(0);
      ring.applyEffects(frame, quantities, 1);
      for (const [toy, quantity] of put) t.is(quantities[toy], quantity);
      ring.applyEffects(frame, quantities, -1);
      t.deepEqual([...quantities], [0, 0, 0, 0]);
    }
    t.is(waiting.length, 0);
    resolved = appended;
  }
});

test('a full ring refuses, and takes again once something is resolved', (t) => {
  const ring = newRing();
  const payload = Buffer.alloc(RING_BYTES / 4);
  let appended = 0;
  const ends: number[] = [];
  for (let end = put(ring, 0, 0, [], payload); end !== undefined; end = put(ring, appended, 0, [], payload)) {
    appended = end;
    ends.push(end);
  }
  t.is(ends.length, 3);
  t.not(put(ring, appended, ends[0]!, [], Buffer.alloc(8)), undefined);
});

test('records survive being written and read', (t) => {
  t.deepEqual(readRecord(encodeClean()), { type: CLEAN });
  t.deepEqual(readRecord(encodeBase(2 ** 51 + 1)), { type: BASE, fingerprint: 2 ** 51 + 1 });
  t.deepEqual(readRecord(encodeMark(4_294_967_295, 2 ** 53 - 1)), {
    type: MARK,
    incarnation: 4_294_967_295,
    settled: 2 ** 53 - 1,
  });
  const sale = fc.record({
    sequence: fc.maxSafeNat(),
    quantity: fc.integer({ min: 1, max: 0xffffffff }),
    name: fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    key: fc.string({ unit: 'grapheme-ascii', maxLength: 64 }),
    transientKey: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(sale), (sales) => {
      const bytesMax = sales.reduce((sum, { name, key }) => sum + saleBytesMax(name.length, key), SALES_HEAD_BYTES);
      const bytes = Buffer.alloc(bytesMax);
      let at = writeSalesHead(bytes, 0, SALES, 3, 77);
      for (const { sequence, quantity, name, key, transientKey } of sales) {
        at = writeSale(bytes, at, sequence, quantity, name, key, transientKey);
      }
      t.is(at, bytesMax);
      t.deepEqual([...readSales(bytes)], sales);
      t.is(lastSequenceOf(bytes), Math.max(0, ...sales.map(({ sequence }) => sequence)));
      const carried = readRecord(asCarried(bytes));
      t.deepEqual(carried, { type: CARRIED, incarnation: 3, settled: 77, bytes: asCarried(bytes) });
    }),
  );
});

test('a record of another version is refused', (t) => {
  t.throws(() => readRecord(Buffer.from([9])), { message: 'the journal has a record of the unknown type 9' });
  t.throws(() => readRecord(Buffer.alloc(0)), { message: 'the journal has a record of the unknown type undefined' });
});
