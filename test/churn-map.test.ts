// A Map for what comes and goes: the same answers as Map, and nothing that is gone is kept.

import test from 'ava';
import fc from 'fast-check';
import { ChurnMap } from '../src/churn-map.js';
import { bytesKeptByScavenges } from './support/scavenged-heap.js';

const KEY_MAX = 20;
/** Entries that are there at the same time. */
const UNDER_WAY = 64;

test('it answers as Map does, through many renewals', (t) => {
  const operation = fc.oneof(
    fc.record({ key: fc.nat(KEY_MAX), value: fc.nat() }),
    fc.record({ key: fc.nat(KEY_MAX), value: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1000, maxLength: 2000 }), (operations) => {
      const map = new ChurnMap<number, number>();
      const plain = new Map<number, number>();
      for (const { key, value } of operations) {
        if (value === undefined) t.is(map.delete(key), plain.delete(key));
        else {
          map.set(key, value);
          plain.set(key, value);
        }
        for (let one = 0; one <= KEY_MAX; one++) t.is(map.get(one), plain.get(one));
      }
    }),
    { numRuns: 10 },
  );
});

test('entries that are gone are freed by scavenges, however old the map is', (t) => {
  const entries = 5_000;
  const map = new ChurnMap<number, number[]>();
  let next = 0;
  const kept = bytesKeptByScavenges(entries, () => {
    map.set(next, new Array<number>(50).fill(0.5));
    map.delete(next - UNDER_WAY);
    next++;
  });
  t.true(kept < 100 * entries, `${kept} bytes of ${entries} entries with 400 bytes each`);
});
