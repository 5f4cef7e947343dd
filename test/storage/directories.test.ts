import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import test from 'ava';
import { createDirectory } from '../../src/storage/index.js';
import { scratchDirectory } from './journal-helpers.js';

test('a directory is made with all its parents, once or several times at a time', async (t) => {
  const directory = await scratchDirectory(t);
  await Promise.all(['a/b/c', 'a/b/d', 'a/b/c'].map((path) => createDirectory(join(directory, path))));
  t.deepEqual(await readdir(join(directory, 'a/b')), ['c', 'd']);
  await createDirectory(relative('.', join(directory, 'a/b/c')));
  await symlink(join(directory, 'a'), join(directory, 'link'));
  await createDirectory(join(directory, 'link/b/e'));
  t.deepEqual(await readdir(join(directory, 'a/b')), ['c', 'd', 'e']);
});

test('where nothing can be made it is one error, and no attempt without an end', async (t) => {
  const directory = await scratchDirectory(t);
  await writeFile(join(directory, 'file'), '');
  await symlink(join(directory, 'nowhere'), join(directory, 'dangling'));
  await mkdir(join(directory, 'there'));
  const paths = ['file', 'file/catalog', 'dangling/catalog'].map((path) => join(directory, path));
  // On Linux nobody makes anything here, root neither.
  if (process.platform === 'linux') paths.push('/proc/toystore/catalog');
  for (const path of paths) {
    await t.throwsAsync(createDirectory(path), { code: 'INACCESSIBLE', message: `${path} cannot be created` }, path);
  }
});
