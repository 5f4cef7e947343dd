import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createInPlace } from '../../src/storage/atomic-file.js';
import { createDirectory, nodeFileSystem, readWholeFile, replaceFile, StorageError } from '../../src/storage/index.js';
import { FaultyFileSystem } from '../support/simulated-faults.js';
import { scratchDirectory } from './journal-helpers.js';

test('replaceFile(): written aside, synced, renamed, the folder synced, in this order', async (t) => {
  const path = join(await scratchDirectory(t), 'catalog.csv');
  const fileSystem = new FaultyFileSystem();
  await replaceFile(path, ['name,price\n', Buffer.from('Tux,15.99\n')], fileSystem);
  t.is(await readFile(path, 'utf8'), 'name,price\nTux,15.99\n');
  t.deepEqual(fileSystem.calls, ['open', 'write', 'sync', 'rename', 'syncDirectory']);
});

test('replaceFile(): many small chunks make few writes', async (t) => {
  const path = join(await scratchDirectory(t), 'catalog.csv');
  const fileSystem = new FaultyFileSystem();
  const row = 'Whale,34.99,100\n';
  await replaceFile(
    path,
    Array.from({ length: 50_000 }, () => row),
    fileSystem,
  );
  t.is(await readFile(path, 'utf8'), row.repeat(50_000));
  t.true(fileSystem.count('write') <= 4);
});

test('replaceFile(): nothing at all makes an empty file', async (t) => {
  const path = join(await scratchDirectory(t), 'empty');
  await replaceFile(path, []);
  t.is((await readFile(path)).length, 0);
});

const failures = [
  { call: 'open', code: 'WRITE_FAILED', content: 'old' },
  { call: 'write', code: 'WRITE_FAILED', content: 'old' },
  { call: 'sync', code: 'WRITE_FAILED', content: 'old' },
  { call: 'rename', code: 'SYNC_FAILED', content: 'old' },
  { call: 'syncDirectory', code: 'SYNC_FAILED', content: 'new' },
] as const;

for (const { call, code, content } of failures) {
  test(`replaceFile(): ${call} fails: ${code}, and the file is whole`, async (t) => {
    const directory = await scratchDirectory(t);
    const path = join(directory, 'catalog.csv');
    await writeFile(path, 'old');
    const fileSystem = new FaultyFileSystem();
    fileSystem.fail(call, 'EIO');
    await t.throwsAsync(replaceFile(path, ['new'], fileSystem), { instanceOf: StorageError, code, message: /EIO/ });
    t.is(await readFile(path, 'utf8'), content);
    if (code === 'WRITE_FAILED') t.deepEqual(await readdir(directory), ['catalog.csv'], 'nothing is left lying about');
    await replaceFile(path, ['newer'], fileSystem);
    t.is(await readFile(path, 'utf8'), 'newer');
  });
}

test('createInPlace(): another file at the path cannot be set aside: WRITE_FAILED, and that file stays', async (t) => {
  const directory = await scratchDirectory(t);
  const path = join(directory, 'catalog.csv');
  await writeFile(path, 'of somebody else');
  let looks = 0;
  const clear = async (): Promise<string> => {
    if (++looks === 1) return 'the old one';
    throw Object.assign(new Error('EIO: made to fail'), { code: 'EIO' });
  };
  const created = createInPlace(path, nodeFileSystem, async () => undefined, clear);
  await t.throwsAsync(created, { instanceOf: StorageError, code: 'WRITE_FAILED' });
  t.is(await readFile(path, 'utf8'), 'of somebody else');
  t.deepEqual(await readdir(directory), ['catalog.csv']);
});

test('what an iterable of chunks throws is passed on, and the old file stays', async (t) => {
  const directory = await scratchDirectory(t);
  const path = join(directory, 'catalog.csv');
  await writeFile(path, 'old');
  function* chunks(): Iterable<string> {
    yield 'new';
    throw new RangeError('no more');
  }
  await t.throwsAsync(replaceFile(path, chunks()), { instanceOf: RangeError });
  t.is(await readFile(path, 'utf8'), 'old');
  t.deepEqual(await readdir(directory), ['catalog.csv']);
});

test('readWholeFile(): a missing file is undefined', async (t) => {
  const directory = await scratchDirectory(t);
  t.is(await readWholeFile(join(directory, 'missing')), undefined);
  await createDirectory(join(directory, 'a/b'));
  await replaceFile(join(directory, 'a/b/c'), ['tux']);
  t.is((await readWholeFile(join(directory, 'a/b/c')))?.toString(), 'tux');
});
