// Torn or corrupt? Each row breaks a good journal in one way and says what opening it must make of that. The rows follow
// the table at the head of src/storage/journal-damage.ts.

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { StorageError } from '../../src/storage/index.js';
import {
  encodeRecord,
  HEADER_BYTES,
  markAfterSync,
  RECORD_HEADER_BYTES,
  recordBytes,
} from '../../src/storage/record-format.js';
import { openJournal, recordsOf, scratchDirectory, writeJournal } from './journal-helpers.js';

// Two commits of one record, then one commit of three; `long` reaches over several sectors of 512 bytes.
const LONG = 'long'.repeat(500);
const GROUPS = [['tux'], ['whale'], ['fox', LONG, 'python']];
const ALL = GROUPS.flat();
const LONGER = Buffer.alloc(100, 'x');
/** What a journal has behind its records while it is open. */
const AHEAD = Buffer.alloc(2000);

/** Changes the file's bytes, given the offsets of its records and of its end; may return a shorter or longer one. */
type Damage = (bytes: Buffer, at: readonly number[]) => Buffer | undefined;

interface Row {
  readonly name: string;
  readonly damage: Damage;
  /** What is left after opening, or the reason and the offset's index for corruption. */
  readonly left?: readonly string[];
  readonly isTorn?: boolean;
  readonly corrupt?: RegExp;
}

const zero = (from: (at: readonly number[]) => number, to: (at: readonly number[]) => number): Damage => {
  return (bytes, at) => {
    bytes.fill(0, from(at), to(at));
    return undefined;
  };
};

const record = (payload: string | Buffer, sequence: number, isMarked: boolean): Buffer => {
  const bytes = Buffer.alloc(recordBytes(payload.length));
  encodeRecord(bytes, 0, Buffer.from(payload), sequence);
  if (isMarked) markAfterSync(bytes, 0);
  return bytes;
};

const sectorBehind = (offset: number) => Math.ceil(offset / 512) * 512;

const rows: readonly Row[] = [
  { name: 'nothing is wrong', damage: () => undefined, left: ALL },
  {
    name: 'zeros behind the last record: never written to',
    damage: (bytes) => Buffer.concat([bytes, Buffer.alloc(5000)]),
    left: ALL,
  },
  {
    name: 'the last records are zeros',
    damage: zero(
      (at) => at[2]!,
      (at) => at[5]!,
    ),
    left: ['tux', 'whale'],
  },
  { name: 'cut within the last record', damage: (bytes) => bytes.subarray(0, -3), left: ALL.slice(0, 4), isTorn: true },
  {
    name: 'cut within the header of the last record',
    damage: (bytes, at) => bytes.subarray(0, at[4]! + 5),
    left: ALL.slice(0, 4),
    isTorn: true,
  },
  {
    name: 'cut within an earlier record of the last commit',
    damage: (bytes, at) => bytes.subarray(0, at[3]! + 700),
    left: ALL.slice(0, 3),
    isTorn: true,
  },
  {
    name: 'cut within a record whose payload looks like one of before',
    damage: (bytes) =>
      Buffer.concat([bytes, record(Buffer.concat([record('x', 2, true), LONGER]), 6, true)]).subarray(0, -8),
    left: ALL,
    isTorn: true,
  },
  {
    name: 'the first sector of the last commit is missing, the others are there',
    damage: zero(
      (at) => at[2]!,
      (at) => sectorBehind(at[2]!),
    ),
    left: ['tux', 'whale'],
    isTorn: true,
  },
  {
    name: 'a sector in the middle of the last commit is missing',
    damage: zero(
      (at) => sectorBehind(at[3]!),
      (at) => sectorBehind(at[3]!) + 512,
    ),
    left: ALL.slice(0, 3),
    isTorn: true,
  },
  {
    name: 'the same sector is missing, but a later commit proves that it had been there',
    damage(bytes, at) {
      bytes.fill(0, sectorBehind(at[3]!), sectorBehind(at[3]!) + 512);
      return Buffer.concat([bytes, record('dolphin', 6, true)]);
    },
    corrupt: /the checksum is wrong, but the record at offset \d+ was written when this one was on disk/,
  },
  {
    name: 'a record of an earlier commit is zeros',
    damage: zero(
      (at) => at[1]!,
      (at) => at[2]!,
    ),
    corrupt: /the length check is wrong, but the record at offset/,
  },
  {
    name: 'a changed byte in the payload of an earlier commit',
    damage(bytes, at) {
      bytes[at[1]! + 17]! ^= 4;
      return undefined;
    },
    corrupt: /the checksum is wrong, but the record at offset/,
  },
  {
    name: 'a changed byte in the payload of the last record',
    damage(bytes, at) {
      bytes[at[4]! + 17]! ^= 4;
      return undefined;
    },
    corrupt: /: the checksum is wrong$/,
  },
  {
    name: 'a changed length in the last record',
    damage(bytes, at) {
      bytes[at[4]! + 5]! ^= 1;
      return undefined;
    },
    corrupt: /: the length check is wrong$/,
  },
  {
    name: 'a length over the limit',
    damage: (bytes) => Buffer.concat([bytes, Buffer.from('00000000ffffff5a', 'hex'), Buffer.alloc(8)]),
    corrupt: /: the length is over the limit$/,
  },
  {
    name: 'a record of a later number follows',
    damage: (bytes) => Buffer.concat([bytes, record('dolphin', 7, true)]),
    corrupt: /: the sequence number is not the next one$/,
  },
  {
    name: 'a record stands there twice',
    damage: (bytes) => Buffer.concat([bytes, record('python', 5, false)]),
    corrupt: /: the sequence number is not the next one$/,
  },
  {
    name: 'text behind the last record',
    damage: (bytes) => Buffer.concat([bytes, Buffer.from('hello, this is not a record')]),
    corrupt: /: the length check is wrong$/,
  },
  {
    name: 'one record has gone from the middle',
    damage: (bytes, at) => Buffer.concat([bytes.subarray(0, at[1]), bytes.subarray(at[2])]),
    corrupt: /: the sequence number is not the next one$/,
  },
  { name: 'an empty file', damage: () => Buffer.alloc(0), corrupt: /offset 0: the file ends after 0 bytes/ },
  {
    name: 'half a header',
    damage: (bytes) => bytes.subarray(0, 16),
    corrupt: /offset 0: the file ends after 16 bytes/,
  },
  {
    name: 'another kind of file',
    damage: () => Buffer.from('name,price,quantity\n'.repeat(9)),
    corrupt: /magic bytes/,
  },
];

for (const { name, damage, left, isTorn = false, corrupt } of rows) {
  test(`${corrupt === undefined ? (isTorn ? 'torn' : 'clean') : 'corrupt'}: ${name}`, async (t) => {
    const path = join(await scratchDirectory(t), 'journal');
    const at = await writeJournal(path, GROUPS);
    const good = await readFile(path);
    const damaged = damage(good, at) ?? good;
    await writeFile(path, damaged);

    if (corrupt !== undefined) {
      const error = await t.throwsAsync(openJournal(path), { instanceOf: StorageError, message: corrupt });
      t.is(error.code, 'CORRUPT');
      t.is(error.path, path);
      t.true(error.message.includes(`at offset ${error.offset}`));
      t.deepEqual(await readFile(path), damaged, 'the file is left as it is');
      return;
    }
    const { journal, records } = await openJournal(path);
    t.deepEqual(records, [...left!]);
    // It can be appended to, and then reads as if nothing had ever been wrong.
    journal.append(Buffer.from('elephant'));
    await journal.commit();
    await journal.close();
    t.deepEqual(await recordsOf(path), [...left!, 'elephant']);
    const kept = await readFile(`${path}.torn`).catch(() => undefined);
    const end = at[left!.length]!;
    t.deepEqual(kept, isTorn ? damaged.subarray(end) : undefined, 'a torn tail is kept aside');
  });
}

test('cut anywhere, a journal comes back with exactly the records that are whole', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const at = await writeJournal(path, [['tux'], ['whale', 'fox']]);
  const good = await readFile(path);
  for (let length = HEADER_BYTES; length <= good.length; length++) {
    await writeFile(path, good.subarray(0, length));
    const whole = at.filter((offset) => offset <= length).length - 1;
    t.deepEqual(await recordsOf(path), ['tux', 'whale', 'fox'].slice(0, whole), `${length} bytes`);
    t.is((await stat(path)).size, at[whole]!);
  }
});

test('cut anywhere in front of blocks allocated ahead, a journal comes back the same', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const texts = ['tux', 'whale', 'fox'];
  const at = await writeJournal(path, [['tux'], ['whale', 'fox']]);
  const good = await readFile(path);
  for (let length = HEADER_BYTES; length <= good.length; length++) {
    await writeFile(path, Buffer.concat([good.subarray(0, length), AHEAD]));
    // Zeros stand for the padding, so a record is whole with the last byte of its payload.
    const whole = texts.filter((text, index) => at[index]! + RECORD_HEADER_BYTES + text.length <= length).length;
    const { journal, records } = await openJournal(path);
    t.deepEqual(records, texts.slice(0, whole), `${length} bytes`);
    journal.append(Buffer.from('elephant'));
    await journal.commit();
    await journal.close();
    t.deepEqual(await recordsOf(path), [...texts.slice(0, whole), 'elephant']);
  }
});

for (const { name, behind } of [
  { name: 'anywhere in a journal', behind: Buffer.alloc(0) },
  { name: 'in front of blocks allocated ahead', behind: AHEAD },
]) {
  test(`any single changed byte, ${name}, is found`, async (t) => {
    const path = join(await scratchDirectory(t), 'journal');
    await writeJournal(path, [['tux'], ['whale', 'fox']]);
    const good = await readFile(path);
    for (let index = 0; index < good.length; index++) {
      for (const mask of [1, 0x80, 0xff]) {
        const bytes = Buffer.concat([good, behind]);
        bytes[index]! ^= mask;
        await writeFile(path, bytes);
        await t.throwsAsync(openJournal(path), { code: 'CORRUPT' }, `byte ${index} with ${mask}`);
      }
    }
  });
}

test('damage in what a restart put first is corruption, whatever it looks like', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const { journal } = await openJournal(path);
  await journal.restart([Buffer.from('one'), Buffer.from('two')]);
  await journal.close();
  const good = await readFile(path);
  await writeFile(path, good.subarray(0, -1));
  await t.throwsAsync(openJournal(path), { code: 'CORRUPT', message: /before the file got its name/ });
  await writeFile(path, good.subarray(0, HEADER_BYTES));
  await t.throwsAsync(openJournal(path), { code: 'CORRUPT', message: /2 opening records are missing/ });
});
