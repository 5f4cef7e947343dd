import test from 'ava';
import { DamagedError, encode, readRecords } from './read-records.js';

const PAYLOADS = ['Tux 1', 'Dolphin 2', 'Whale 20', 'Fox 3'];
const RECORDS = PAYLOADS.map((text) => encode(Buffer.from(text)));
const FILE = Buffer.concat(RECORDS);
/** Where each record ends. */
const ENDS = RECORDS.map((_, index) => RECORDS.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));

const read = (file: Buffer): string[] => readRecords(file).map((payload) => payload.toString());

test('a whole file', (t) => t.deepEqual(read(FILE), PAYLOADS));

test('a file cut anywhere holds the records that are whole', (t) => {
  for (let length = 0; length < FILE.length; length++) {
    const whole = ENDS.filter((end) => end <= length).length;
    t.deepEqual(read(FILE.subarray(0, length)), PAYLOADS.slice(0, whole), `cut after ${length} bytes`);
  }
});

test('zeros behind the end, as a power failure leaves them, are no records', (t) => {
  for (const zeros of [1, 7, 8, 9, 64]) t.deepEqual(read(Buffer.concat([FILE, Buffer.alloc(zeros)])), PAYLOADS);
});

test('zeros in the place of the last record, or of its end', (t) => {
  for (let at = ENDS.at(-2)!; at < FILE.length; at++) {
    t.deepEqual(read(Buffer.from(FILE).fill(0, at)), PAYLOADS.slice(0, -1), `zeros from byte ${at} on`);
  }
});

test('a record that is damaged while others follow is no crash: nothing of the file is believed', (t) => {
  for (let at = 0; at < ENDS.at(-2)!; at++) {
    // A length may be damaged in such a way that it points behind the end: that is exercise enough for another day.
    if ([0, ...ENDS].some((start) => at >= start && at < start + 4)) continue;
    const file = Buffer.from(FILE);
    file[at]! ^= 0x40;
    t.throws(() => read(file), { instanceOf: DamagedError }, `byte ${at}`);
  }
});
