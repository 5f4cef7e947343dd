import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../src/storage/index.js';

test('makeDirectory(): with all its parents; one that exists is fine; a file in its place is an error', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'toystore-files-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'var', 'order');
  await nodeFileSystem.makeDirectory(path);
  await nodeFileSystem.makeDirectory(path);
  t.true((await stat(path)).isDirectory());
  await writeFile(join(root, 'file'), '');
  await t.throwsAsync(nodeFileSystem.makeDirectory(join(root, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(nodeFileSystem.makeDirectory(join(root, 'file', 'order')), { code: 'ENOTDIR' });
});

test('makeDirectory(): where nothing can be made it fails, and does not try for ever', async (t) => {
  // The kernel says ENOENT there, as it does for a missing parent.
  await t.throwsAsync(nodeFileSystem.makeDirectory('/proc/nothing/order'), { code: 'ENOENT' });
});
