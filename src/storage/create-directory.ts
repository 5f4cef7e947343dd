// create-directory.ts: makes a directory with all its parents, on disk: else a power failure may take it away with all that
// was synced in it.
//
// Not with mkdir's own `recursive`: where a directory can be looked at but nothing be made in it, as in /proc, Node 20 to 26
// try again for ever.

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { nodeFileSystem } from './file-system.js';
import { StorageError, systemCode } from './storage-error.js';

/**
 * Makes a directory; it is fine if it exists.
 *
 * @throws StorageError INACCESSIBLE
 */
export async function createDirectory(path: string): Promise<void> {
  try {
    await create(resolve(path));
  } catch (cause) {
    throw new StorageError('INACCESSIBLE', `${path} cannot be created`, {
      path,
      cause,
    });
  }
}

async function create(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const parent = dirname(path);
  await create(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Another service may make the directory that both have theirs in.
    if (systemCode(error) === 'EEXIST' && (await isDirectory(path))) return;
    throw error;
  }
  await nodeFileSystem.syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
